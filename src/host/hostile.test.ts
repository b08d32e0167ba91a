import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { type ConnectOptions, connectHost } from "./connect.ts";
import { SAID_LIMIT } from "./errors.ts";
import { connect, connected, LIMIT_MS, ours, refused, serving } from "./testing/hostile-meeting.ts";
import { type Hostility, hostileServer, rawServer } from "./testing/hostile-server.ts";

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
