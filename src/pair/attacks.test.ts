import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import ssh2, { type AnyAuthMethod, type BaseAgent, type ClientChannel } from "ssh2";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "#range/machine";
import { inPty } from "#testing/pty";
import { LIMITS } from "./admission.ts";
import { NO_SSH, openPair, type Pair } from "./testing/pair.ts";

const open: Pair[] = [];
const pairOf = async (...options: Parameters<typeof openPair>) => {
  const pair = await openPair(...options);
  open.push(pair);
  return pair;
};
const clients: ssh2.Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  for (const pair of open.splice(0)) await pair.stop();
});

/** A client of our own making, over a socket that a test can misuse. */
async function joinBadly(pair: Pair, key = "jm"): Promise<{ socket: Socket; channel: ClientChannel; client: ssh2.Client }> {
  const socket = connect(pair.server.port, "127.0.0.1");
  socket.on("error", () => {});
  const client = new ssh2.Client();
  clients.push(client);
  client.on("error", () => {});
  await new Promise<void>((resolve, reject) => {
    client.once("ready", resolve).once("close", () => reject(new Error("it was turned away")));
    client.connect({ sock: socket, username: "x", privateKey: readFileSync(join(pair.folder, key)) });
  });
  const channel = await new Promise<ClientChannel>((resolve, reject) =>
    client.shell({ term: "xterm", cols: 80, rows: 24 }, (error, opened) => (error ? reject(error) : resolve(opened))),
  );
  channel.on("error", () => {});
  await until("the screen", () => pair.screens.length > 0);
  return { socket, channel, client };
}
/** Everything that a raw connection gets, until the server closes it. */
function knock(port: number, ...bytes: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let got = "";
    socket.on("data", (chunk) => {
      got += chunk.toString("latin1");
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(got));
    for (const part of bytes) socket.write(part);
  });
}

test("of a thousand attempts a few are answered, and who is in goes on working", async () => {
  const pair = await pairOf({ limits: { authMs: 500 } });
  const { channel, client } = await joinBadly(pair);
  channel.resume();
  const knocks = Array.from({ length: 1000 }, () => knock(pair.server.port, "SSH-2.0-x\r\n"));
  channel.write("meanwhile");
  await until("the key to arrive", () => pair.screens[0]?.typed === "meanwhile");
  const answered = (await Promise.all(knocks)).filter((got) => got !== "").length;
  expect(answered).toBeGreaterThan(0);
  expect(answered).toBeLessThan(100);
  expect(pair.screens).toHaveLength(1);
  expect(pair.attempts.length).toBeLessThan(150);
  await until("all of them to be told", () => {
    const turnedAway = pair.attempts.filter(({ outcome }) => outcome === "turned away");
    return turnedAway.reduce((sum, { times }) => sum + times, 0) === 1000 - answered;
  });
  client.end();
});

test("garbage, a line without end and silence are cut off, and nobody else notices", async () => {
  const pair = await pairOf({ limits: { authMs: 700, strangerBytes: 64 * 1024 } });
  const { port } = pair.server;
  await Promise.all([
    knock(port, Buffer.alloc(200_000, 0xff)),
    knock(port, "x".repeat(300_000)),
    knock(port, "SSH-2.0-x\r\n", Buffer.alloc(5000, 0)),
    knock(port, "SSH-2.0-x\r\n", Buffer.from([0x7f, 0xff, 0xff, 0xff, 4, 20])),
    knock(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    knock(port, "SSH-1.5-x\r\n"),
    knock(port),
  ]);
  await until("all to be told", () => pair.attempts.length === 7);
  expect(pair.attempts.every(({ outcome }) => outcome === "refused")).toBe(true);
  await joinBadly(pair);
  expect(pair.server.seats()).toHaveLength(1);
});

test("sizes are kept in bounds: 1x1, 10,000x10,000, none, and a flood of them", async () => {
  const pair = await pairOf();
  const { channel } = await joinBadly(pair);
  const sizes = () => pair.screens[0]?.sizes ?? [];
  channel.setWindow(1, 1, 0, 0);
  await until("the smallest", () => sizes().includes("1x1"));
  channel.setWindow(10_000, 10_000, 0, 0);
  await until("the largest", () => sizes().includes("500x200"));
  for (let i = 0; i < 5000; i++) channel.setWindow(1 + (i % 200), 1 + (i % 400), 0, 0);
  channel.setWindow(0, 0, 0, 0);
  await until("what it does not know", () => sizes().at(-1) === "80x24");
  expect(sizes().length).toBeLessThan(500);
});

/** Fills the client's window and more: writes whenever the stream says that it takes more. @returns what was written so far */
function paintWithoutEnd(pair: Pair): () => number {
  const stdout = pair.screens[0]?.terminal.stdout;
  if (!stdout) throw new Error("no screen");
  let written = 0;
  const frame = "x".repeat(32 * 1024);
  const paint = () => {
    do written += frame.length;
    while (!stdout.destroyed && stdout.writable && stdout.write(frame) && written < 1 << 28);
  };
  stdout.on("drain", paint);
  paint();
  return () => written;
}

test("a client that claims an endless window and does not read takes bounded memory, and is dropped after a time", async () => {
  const pair = await pairOf({ limits: { stalledMs: 1500 } });
  const { socket, client } = await joinBadly(pair);
  const { _protocol } = client as unknown as { _protocol: { channelWindowAdjust(id: number, bytes: number): void } };
  _protocol.channelWindowAdjust(0, 2 ** 31 - 1);
  socket.pause();
  const written = paintWithoutEnd(pair);
  await until("it to be dropped", () => pair.server.seats().length === 0);
  expect(pair.screens[0]?.ended).toBe(true);
  expect(written()).toBeLessThan(32 << 20); // what the kernel's buffers hold, and no more
});

test("a client that sends beyond its window is cut off before it fills our memory", async () => {
  const pair = await pairOf();
  const { socket, client } = await joinBadly(pair);
  const { _protocol } = client as unknown as { _protocol: { channelData(id: number, data: Buffer): void } };
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.resume();
  for (let i = 0; i < 200; i++) _protocol.channelData(0, Buffer.alloc(30_000, 0x6a));
  await closed;
  await until("the seat to be free", () => pair.server.seats().length === 0);
  expect(pair.screens[0]?.typed.length).toBeLessThan(64 * 1024);
});

test("there is room for so many screens, and for so many of one analyst", async () => {
  const pair = await pairOf({ limits: { clients: 3, clientsEach: 2 } });
  await joinBadly(pair, "jm");
  await joinBadly(pair, "jm");
  await expect(joinBadly(pair, "jm").then(({ channel }) => text(channel))).resolves.toMatch(/you have 2 screens open already/);
  await joinBadly(pair, "kim");
  await expect(joinBadly(pair, "kim").then(({ channel }) => text(channel))).resolves.toMatch(/there are 3 screens open already/);
  expect(pair.server.seats()).toHaveLength(3);
});

test("one connection has one session", async () => {
  const pair = await pairOf();
  const { client } = await joinBadly(pair);
  const second = await new Promise<Error | undefined>((resolve) => client.shell((error) => resolve(error)));
  expect(second?.message).toMatch(/open failure/i);
});

test("who offers key after key is cut off, and so is who signs wrongly", async () => {
  const pair = await pairOf({ limits: { offers: 8 } });
  const eve = ssh2.utils.parseKey(readFileSync(join(pair.folder, "eve"))) as ssh2.ParsedKey;
  const jm = ssh2.utils.parseKey(readFileSync(join(pair.folder, "jm.pub"))) as ssh2.ParsedKey;
  /** Signs with eve's key what it offers as jm's. */
  class Forger extends ssh2.BaseAgent<ssh2.ParsedKey> {
    getIdentities(done: (error?: Error | null, keys?: ssh2.ParsedKey[]) => void) {
      done(null, [jm, jm, jm, jm, jm, jm]);
    }
    override sign(_key: ssh2.ParsedKey, data: Buffer, _options: unknown, done?: unknown) {
      (done as (error: null, signature: Buffer) => void)(null, eve.sign(data) as Buffer);
    }
  }
  const outcome = (config: ssh2.ConnectConfig) =>
    new Promise((resolve) => {
      const client = new ssh2.Client();
      clients.push(client);
      client.on("error", () => {});
      client.once("ready", () => resolve("in")).once("close", () => resolve("out"));
      client.connect({ host: "127.0.0.1", port: pair.server.port, username: "jm", ...config });
    });
  const forging: AnyAuthMethod[] = [{ type: "agent", username: "jm", agent: new Forger() as unknown as BaseAgent }];
  expect(await outcome({ authHandler: forging })).toBe("out");
  await until("it to be told", () => pair.attempts.length === 1);
  expect(pair.attempts[0]?.why).toBe("its signature is wrong");
  const offers = Array.from({ length: 9 }, () => ({
    type: "publickey" as const,
    username: "jm",
    key: readFileSync(join(pair.folder, "eve")),
  }));
  expect(await outcome({ authHandler: offers })).toBe("out");
  await until("it to be told", () => pair.attempts.length === 2);
  expect(pair.attempts[1]?.why).toMatch(/more than 8 keys/);
  expect(pair.screens).toEqual([]);
});

test("who presses nothing for long enough is let go with a word", async () => {
  const pair = await pairOf({ limits: { idleMs: 600 } });
  const { channel } = await joinBadly(pair);
  expect(await text(channel)).toMatch(/nothing was pressed/);
  expect(LIMITS.idleMs).toBeGreaterThan(60 * 60 * 1000);
});

test("a screen that fails takes its own client down and no other", async () => {
  const pair = await pairOf();
  const { channel } = await joinBadly(pair, "jm");
  await joinBadly(pair, "kim");
  await until("both", () => pair.screens.length === 2);
  pair.screens[0]?.fail(new Error("a row was missing"));
  expect(await text(channel)).toMatch(/the screen failed \(a row was missing\)/);
  expect(pair.server.seats().map(({ analyst }) => analyst.name)).toEqual(["kim"]);
});

async function text(channel: ClientChannel): Promise<string> {
  let said = "";
  channel.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await new Promise((resolve) => channel.once("close", resolve));
  return said;
}

describe.skipIf(NO_SSH)(`with a real ssh client${NO_SSH ? ` (skipped: ${NO_SSH})` : ""}`, () => {
  test("a client that is killed leaves nothing behind", async () => {
    const pair = await pairOf();
    const jm = inPty(pair.ssh("jm"), 80, 24);
    await jm.screen.until(/jm sees/);
    jm.kill("SIGKILL");
    await until("the seat to be free", () => pair.server.seats().length === 0);
    expect(pair.screens[0]?.ended).toBe(true);
  });

  test("a client that hangs without reading is dropped, and who else is there sees all meanwhile", async () => {
    const pair = await pairOf({ limits: { stalledMs: 1500 } });
    const jm = inPty(pair.ssh("jm"), 80, 24);
    await jm.screen.until(/jm sees/);
    process.kill(jm.pid, "SIGSTOP");
    const written = paintWithoutEnd(pair);
    const kim = inPty(pair.ssh("kim"), 80, 24);
    await kim.screen.until(/kim sees/);
    kim.press("hello");
    await kim.screen.until(/typed hello/);
    await until("jm to be dropped", () => pair.server.seats().length === 1);
    expect(written()).toBeLessThan(32 << 20);
    process.kill(jm.pid, "SIGKILL");
    kim.press("q");
    await kim.exited;
  });

  test("a flood of keys is cut off, and who else is there goes on", async () => {
    const pair = await pairOf();
    const kim = inPty(pair.ssh("kim"), 80, 24);
    await kim.screen.until(/kim sees/);
    const [program = "", ...argv] = pair.ssh("jm", "-tt");
    const jm = spawn(program, argv, { stdio: ["pipe", "pipe", "ignore"] });
    let said = "";
    jm.stdout.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2000);
    });
    const over = new Promise<number | null>((resolve) => jm.once("exit", resolve));
    jm.stdin.on("error", () => {});
    const flood = () => {
      while (jm.stdin.writable && jm.stdin.write(Buffer.alloc(65_536, 0x6a)));
    };
    jm.stdin.on("drain", flood);
    flood();
    kim.press("still");
    await kim.screen.until(/typed still/);
    await over;
    expect(said).toMatch(/too many keys at once/);
    expect(pair.screens.find(({ name }) => name === "jm")?.typed.length).toBeLessThan(64 * 1024);
    kim.press("q");
    expect(await kim.exited).toBe(0);
  });

  test("when the console closes, every client is told, and gets its terminal back", async () => {
    const pair = await pairOf();
    const jm = inPty(pair.ssh("jm"), 80, 24);
    await jm.screen.until(/jm sees/);
    await pair.server.close("the console was closed.");
    expect(await jm.exited).toBe(0);
    await jm.screen.until(/stakeout: the console was closed\./);
    await until("the terminal as it was before", () => !jm.screen.text().includes("jm sees"));
  });
});
