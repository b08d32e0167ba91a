import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import type { Connection, ServerChannel } from "ssh2";
import { afterEach, describe, expect, test } from "vitest";
import { type ConnectOptions, connectHost } from "./connect.ts";
import type { HostConnection } from "./connection.ts";
import { HostError, SAID_LIMIT } from "./errors.ts";
import { runScript } from "./runner.ts";
import { type Hostility, hostileServer, type Listening, rawServer } from "./testing/hostile-server.ts";

/** Short enough to wait for, long enough for a slow machine to do a handshake in. */
const LIMIT_MS = 1500;

const servers: Listening[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.stop();
});
async function serving<T extends Listening>(server: Promise<T>): Promise<T> {
  servers.push(await server);
  return await server;
}

const ours = {
  configFile: "/dev/null",
  knownHostsFile: "/dev/null",
  agentSocket: "",
  identityFiles: [],
  user: "root",
  askHostKey: async () => true,
} satisfies ConnectOptions;
const connect = (server: Listening, options: ConnectOptions = {}) => connectHost(`127.0.0.1:${server.port}`, { ...ours, ...options });

async function refused(server: Listening, options: ConnectOptions = {}): Promise<HostError> {
  const error = await connect(server, { timeoutMs: LIMIT_MS, ...options }).then(
    () => new Error("it connected"),
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(HostError);
  return error as HostError;
}
async function connected(hostility: Hostility, options: ConnectOptions = {}): Promise<HostConnection> {
  return await connect(await serving(hostileServer(hostility)), options);
}

describe("before it says who it is", () => {
  test("nothing at all", async () => {
    expect(await refused(await serving(rawServer(() => {})))).toMatchObject({
      level: "timeout",
      message: expect.stringMatching(/then said nothing for 1.5 s/),
    });
  });

  test("closing at once", async () => {
    expect(await refused(await serving(rawServer((socket) => socket.end())))).toMatchObject({
      level: "socket",
      message: expect.stringMatching(/closed the connection before/),
    });
  });

  test("another protocol, whose escapes are not printed", async () => {
    const error = await refused(await serving(rawServer((socket) => socket.end("HTTP/1.1 400 \u001b]0;owned\u0007\r\n\r\n"))));
    expect(error).toMatchObject({
      level: "socket",
      message: expect.stringMatching(/does not speak SSH.*It said "HTTP\/1.1 400 ·\]0;owned···/),
    });
    expect(error.said).toContain("\u001b");
  });

  test("an endless greeting", async () => {
    const flood = rawServer((socket) => {
      const more = () => {
        while (socket.writable && socket.write("no ident here\n".repeat(1000)));
      };
      socket.on("drain", more);
      more();
    });
    const error = await refused(await serving(flood));
    expect(error).toMatchObject({ level: "socket", message: expect.stringMatching(/16 KB came/) });
    expect(error.said?.length).toBeLessThanOrEqual(SAID_LIMIT + 1);
  });

  test("an old protocol, an overlong identification", async () => {
    expect((await refused(await serving(rawServer((socket) => socket.write("SSH-1.5-old\n"))))).message).toMatch(/no version 2/);
    expect((await refused(await serving(rawServer((socket) => socket.write(`SSH-2.0-${"x".repeat(300)}\n`))))).message).toMatch(
      /longer than SSH allows/,
    );
  });

  test("drop by drop, it is in time or it is not", async () => {
    const error = await refused(
      await serving(
        rawServer((socket) => {
          const timer = setInterval(() => (socket.destroyed ? clearInterval(timer) : socket.write("S")), 20);
        }),
      ),
    );
    expect(error.message).toMatch(/was not complete within/);
  });
});

describe("before it lets us in", () => {
  test("silence after the identification", async () => {
    expect(await refused(await serving(rawServer((socket) => socket.write("SSH-2.0-x\r\n"))))).toMatchObject({
      level: "timeout",
      message: expect.stringMatching(/did not finish the key exchange/),
    });
  });

  test("garbage, or the end, after the identification", async () => {
    const garbage = Buffer.alloc(100_000, 0xff);
    expect(
      await refused(await serving(rawServer((socket) => socket.write(Buffer.concat([Buffer.from("SSH-2.0-x\r\n"), garbage]))))),
    ).toMatchObject({ level: "socket" });
    expect(await refused(await serving(rawServer((socket) => socket.end("SSH-2.0-x\r\n"))))).toMatchObject({ level: "socket" });
  });

  test("an authentication that never ends", async () => {
    expect(await refused(await serving(hostileServer({ authenticate: () => {} })))).toMatchObject({
      level: "timeout",
      message: expect.stringMatching(/did not finish the authentication/),
    });
  });

  test("the time that the analyst thinks is not the host's", async () => {
    const server = await serving(hostileServer({}));
    const askHostKey = () => new Promise<boolean>((resolve) => setTimeout(() => resolve(true), 2 * LIMIT_MS));
    await (await connect(server, { timeoutMs: LIMIT_MS, askHostKey })).close();
  });

  test("a host that leaves while the analyst thinks: told at once, and the late answer harms nothing", async () => {
    let leave = () => {};
    const connection: Hostility["connection"] = (it) => {
      leave = () => (it as unknown as { _sock: { destroy(): void } })._sock.destroy();
    };
    const asking = <T>(answer: T) => {
      const asked = Promise.withResolvers<void>();
      const answered = Promise.withResolvers<T>();
      const ask = () => {
        asked.resolve();
        return answered.promise;
      };
      return { ask, asked: asked.promise, answer: () => answered.resolve(answer) };
    };
    const left = async (pending: Promise<unknown>, question: { asked: Promise<void>; answer(): void }) => {
      const caught = expect(pending).rejects.toMatchObject({ name: "HostError", level: "socket" });
      await question.asked;
      leave();
      await caught;
      question.answer();
      await new Promise((resolve) => setImmediate(resolve));
    };
    const trust = asking(true);
    await left(connect(await serving(hostileServer({ connection })), { askHostKey: trust.ask }), trust);
    for (const method of ["password", "keyboard-interactive"] as const) {
      const password = asking("secret");
      const authenticate: Hostility["authenticate"] = (context) =>
        context.method === "keyboard-interactive" ? context.prompt("?", () => {}) : context.reject([method]);
      await left(connect(await serving(hostileServer({ connection, authenticate })), { askPassword: password.ask }), password);
    }
  });

  test("a refusal of everything, forever, lists what it claims to accept, bounded", async () => {
    const names = Array.from({ length: 50 }, (_, i) => `${i}\u001b[2J${"x".repeat(500)}`);
    const error = await refused(await serving(hostileServer({ authenticate: (context) => context.reject(names as never, true) })));
    expect(error.level).toBe("auth");
    expect(error.message).not.toContain("\u001b");
    expect(error.message.length).toBeLessThan(1000);
  });

  test("endless questions are answered three times and no more", async () => {
    let asked = 0;
    const authenticate: Hostility["authenticate"] = (context) => {
      if (context.method === "keyboard-interactive") {
        context.prompt(
          Array.from({ length: 30 }, (_, i) => ({ prompt: `\u001b[31mCode ${i}:`, echo: true })),
          () => context.reject(["keyboard-interactive"]),
        );
      } else context.reject(["keyboard-interactive"]);
    };
    const askPassword: ConnectOptions["askPassword"] = async ({ prompt }) => {
      asked++;
      expect(prompt).toContain("\u001b"); // raw: whoever shows it makes it safe
      return "1";
    };
    expect(await refused(await serving(hostileServer({ authenticate })), { askPassword })).toMatchObject({ level: "auth" });
    expect(asked).toBe(3 * 8);
  });

  test("a huge banner is cut", async () => {
    const host = await connected({ banner: `\u001b]52;c;x\u0007${"b".repeat(30_000)}` });
    expect(host.banner.length).toBeLessThanOrEqual(SAID_LIMIT + 1);
    await host.close();
  });
});

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

describe("not reaching it at all", () => {
  test("a closed port", async () => {
    const probe = createServer();
    const port = await new Promise<number>((resolve) =>
      probe.listen(0, "127.0.0.1", () => resolve((probe.address() as { port: number }).port)),
    );
    await new Promise((resolve) => probe.close(resolve));
    await expect(connectHost(`127.0.0.1:${port}`, ours)).rejects.toMatchObject({
      level: "socket",
      message: expect.stringMatching(/refused the connection/),
      hint: expect.stringMatching(/sshd runs/),
    });
  });

  test("a name that does not exist", async () => {
    // RFC 6761: 'invalid' never resolves
    const error = await connectHost("no-such-host.invalid", { ...ours, timeoutMs: 20_000 }).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ name: "HostError", level: "dns", message: expect.stringContaining("no-such-host.invalid") });
  });

  test.skipIf(process.getuid?.() !== 0)(
    "an address that swallows everything, and one without a route (needs root for a network of its own)",
    () => {
      // In a network namespace of its own: a neighbour that is known and does not exist takes every packet.
      const script = [
        "ip link set lo up",
        "ip link add d0 type veth peer name d1",
        "ip link set d1 up",
        "ip addr add 192.0.2.1/24 dev d0",
        "ip link set d0 up",
        "ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev d0",
        'exec "$0" --input-type=module -e "$1"',
      ].join(" && ");
      const program = `
      const { connectHost } = await import(${JSON.stringify(fileURLToPath(new URL("connect.ts", import.meta.url)))});
      const out = [];
      for (const host of ["192.0.2.9", "198.51.100.1"]) {
        await connectHost(host, { configFile: "/dev/null", knownHostsFile: "/dev/null", agentSocket: "", timeoutMs: 700 }).catch((e) => out.push({ level: e.level, message: e.message }));
      }
      console.log(JSON.stringify(out));`;
      const run = spawnSync("unshare", ["--net", "/bin/sh", "-c", script, process.execPath, program], {
        encoding: "utf8",
        env: { ...process.env, NODE_OPTIONS: "" },
      });
      expect(run.stderr).not.toMatch(/Error/);
      expect(JSON.parse(run.stdout)).toEqual([
        { level: "timeout", message: expect.stringMatching(/192.0.2.9 port 22 did not answer within 0.7 s/) },
        { level: "socket", message: expect.stringMatching(/198.51.100.1 port 22 cannot be reached: this machine has no route/) },
      ]);
    },
  );
});
