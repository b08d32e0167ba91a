import type { Connection, ServerChannel } from "ssh2";
import { describe, expect, test } from "vitest";
import { HostError } from "./errors.ts";
import { runScript } from "./runner.ts";
import { connected, LIMIT_MS } from "./testing/hostile-meeting.ts";
import type { Hostility } from "./testing/hostile-server.ts";

interface ServerProtocol {
  channelData(id: number, data: Buffer): void;
  channelExtData(id: number, data: Buffer, type: number): void;
  channelEOF(id: number): void;
}
/** What a server of ssh2's keeps an honest server from sending. */
function innards(channel: ServerChannel): { id: number; protocol: ServerProtocol } {
  const inner = channel as unknown as { _client: { _protocol: ServerProtocol }; outgoing: { id: number } };
  return { id: inner.outgoing.id, protocol: inner._client._protocol };
}

describe("once we are in", () => {
  const exiting = (act: (channel: ServerChannel) => void): Hostility => ({
    exec: (channel) => {
      act(channel);
      channel.exit(0);
      channel.end();
    },
  });

  test("a flood of exit codes counts once", async () => {
    const host = await connected(
      exiting((channel) => {
        channel.exit(3);
        for (let i = 0; i < 5000; i++) channel.exit(i);
      }),
    );
    expect((await runScript(host, "true")).code).toBe(3);
    await host.close();
  });

  test("a signal's name is taken only if it looks like one", async () => {
    const host = await connected({
      exec: (channel) => {
        channel.exit("\u001b[2J" as never);
        channel.end();
      },
    });
    const process = await host.open(["true"]);
    process.stdout.resume();
    process.stderr.resume();
    expect(await process.exit).toEqual({ code: null });
    await host.close();
  });

  test("data after the end, and after our own close, harms nothing", async () => {
    const host = await connected({
      exec: (channel) => {
        const { id, protocol } = innards(channel);
        protocol.channelEOF(id);
        protocol.channelData(id, Buffer.from("after the end"));
        protocol.channelExtData(id, Buffer.from("after the end"), 1);
      },
    });
    const process = await host.open(["true"]);
    process.stdout.resume();
    process.stderr.resume();
    process.close();
    expect(await process.exit).toEqual({ code: null });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await host.close();
  });

  test("a command that is never ended, not even when we close it, is over for us", async () => {
    const host = await connected({ exec: (channel) => channel.write("and then nothing") });
    const result = await runScript(host, "true", { timeoutMs: LIMIT_MS });
    expect(result).toMatchObject({ timedOut: true, code: null });
    expect(result.stdout.toString()).toBe("and then nothing");
    await host.close();
  });

  test("sending without a grant ends the connection before it fills our memory", async () => {
    const host = await connected({
      exec: (channel) => {
        const { id, protocol } = innards(channel);
        // Packets of an odd size: they step over the moment when the grant is exactly used up, which ssh2 would notice.
        for (let i = 0; i < 3000; i++) protocol.channelData(id, Buffer.alloc(30_001));
      },
    });
    const process = await host.open(["true"]); // nobody reads it
    expect(await host.lost).toMatchObject({ level: "socket", message: expect.stringMatching(/sends more than it was granted/) });
    expect(process.stdout.readableLength).toBeLessThan(80 << 20);
    expect(await process.exit).toEqual({ code: null });
  });

  test("an endless answer is cut at its limit", async () => {
    const host = await connected({
      exec: (channel) => {
        const more = () => {
          while (channel.writable && channel.write(Buffer.alloc(30_000)));
        };
        channel.on("drain", more);
        more();
      },
    });
    const result = await runScript(host, "true", { timeoutMs: LIMIT_MS, limitBytes: 12_345 });
    expect(result).toMatchObject({ timedOut: true, cut: true });
    expect(result.stdout.length).toBe(12_345);
    await host.close();
  });

  test("channels that the host opens are refused", async () => {
    let server: Connection | undefined;
    const host = await connected({
      connection: (connection) => {
        server = connection;
      },
    });
    for (const open of [
      (done: (error?: Error) => void) => server?.forwardOut("127.0.0.1", 22, "127.0.0.1", 4000, done),
      (done: (error?: Error) => void) => server?.x11("127.0.0.1", 6000, done),
      (done: (error?: Error) => void) => server?.openssh_forwardOutStreamLocal("/run/agent", done),
    ]) {
      expect(await new Promise<Error | undefined>((resolve) => open(resolve))).toBeInstanceOf(Error);
    }
    await host.close();
  });

  test("no further channel, told as such", async () => {
    const host = await connected({ sessions: "refused" });
    await expect(host.open(["true"])).rejects.toMatchObject({ level: "exec", hint: expect.stringContaining("MaxSessions") });
    await host.close();
  });

  test("a start that is never answered", async () => {
    const host = await connected({ sessions: "unanswered" }, { timeoutMs: LIMIT_MS });
    await expect(host.open(["true"])).rejects.toMatchObject({
      level: "timeout",
      message: expect.stringMatching(/did not start a command within 1.5 s/),
    });
    await host.close();
  });

  test("its farewell is quoted, safely", async () => {
    let server: Connection | undefined;
    const host = await connected({
      connection: (connection) => {
        server = connection;
      },
    });
    const farewell = server as unknown as { _protocol: { disconnect(reason: number): void }; _sock: { end(): void } };
    farewell._protocol.disconnect(2);
    farewell._sock.end();
    expect(await host.lost).toMatchObject({
      level: "socket",
      message: expect.stringMatching(/ended the connection during the session: ".+"/),
    });
  });

  test("a loss while a command starts is told as the loss that it is", async () => {
    let server: Connection | undefined;
    const host = await connected({
      connection: (connection) => {
        server = connection;
        connection.on("session", () => server?.end());
      },
    });
    await expect(host.open(["true"])).rejects.toBeInstanceOf(HostError);
    expect((await host.lost).level).toBe("socket");
  });
});
