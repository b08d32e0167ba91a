import { createHash } from "node:crypto";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { HostRunner } from "#host/runner";
import { encodeHostString, type HostString } from "#model/host-string";
import type { Observation } from "#model/observation";
import { FileStreams } from "./file-streams.ts";
import { type StreamBounds, streamDigests } from "./stream-digests.ts";

const FILE = { path: "/tmp/x" as HostString, pid: 0 };
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

/** A host that answers every script by `answer`: it writes to the outputs and gives the exit code, or never ends where that is undefined. */
function host(
  answer: (out: PassThrough, err: PassThrough, script: Buffer) => Promise<number | null | undefined> | number | null | undefined,
) {
  const closed: boolean[] = [];
  const runner: HostRunner = {
    open: async () => {
      const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
      const exit = Promise.withResolvers<{ code: number | null }>();
      const at = closed.push(false) - 1;
      const end = (code: number | null) => {
        stdout.end();
        stderr.end();
        if (stdout.readableEnded) exit.resolve({ code });
        else stdout.once("end", () => exit.resolve({ code }));
      };
      const script: Buffer[] = [];
      stdin.on("data", (chunk: Buffer) => script.push(chunk));
      stdin.on("end", async () => {
        const code = await answer(stdout, stderr, Buffer.concat(script));
        if (code !== undefined && !closed[at]) end(code);
      });
      const close = () => {
        closed[at] = true;
        stdout.destroy();
        exit.resolve({ code: null });
      };
      return { stdin, stdout, stderr, exit: exit.promise, close };
    },
  };
  return { runner, closed };
}
/** `code`, after what stands behind it was done. */
const after = <T>(code: T, ..._done: unknown[]): T => code;
const bounds = (given: Partial<StreamBounds>): StreamBounds => ({ bytes: 1 << 20, bytesPerSecond: 1e9, patienceMs: 60_000, ...given });

test("what comes is hashed whole, whatever is in it; an empty file too; what the host says in the place of it is the reason", async () => {
  const bytes = Buffer.from([0, 10, 255, 27, 91]);
  const whole = host((out) => after(0, out.write(bytes)));
  expect(await streamDigests(whole.runner, FILE, ["md5"])).toEqual({
    digests: { sha256: sha256(bytes), md5: createHash("md5").update(bytes).digest("hex") },
    bytes: 5,
  });
  expect(await streamDigests(host(() => 0).runner, FILE, [])).toMatchObject({ digests: { sha256: sha256(Buffer.alloc(0)) }, bytes: 0 });
  const refused = host((out, err) => after(1, out.write("half"), err.write("cat: /tmp/x: Permission denied\x1b[2J\n")));
  const { why } = (await streamDigests(refused.runner, FILE, [])) as { why: string };
  expect(why).toMatch(/Permission denied/);
  expect(why).not.toContain("\x1b");
  expect(await streamDigests(host((out) => after(null, out.write("half"))).runner, FILE, [])).toEqual({
    why: "the line was cut while it was read",
  });
});

test("the path goes in as the host's own bytes, quoted, and never as a command", async () => {
  const scripts: Buffer[] = [];
  const { runner } = host((_out, _err, sent) => after(0, scripts.push(sent)));
  const path = "/tmp/'; touch /owned; '\udcff\n$(x)" as HostString;
  await streamDigests(runner, { path, pid: 7 }, []);
  const quoted = Buffer.concat([
    Buffer.from("p=7 f='"),
    encodeHostString("/tmp/'\\''; touch /owned; '\\''\udcff\n$(x)"),
    Buffer.from("'\n"),
  ]);
  const script = Buffer.concat(scripts);
  expect(script.indexOf(quoted)).toBe(0);
  expect(script.includes(Buffer.from([0xff]))).toBe(true);
});

test("a file without end is left at the bound, a silent one given up, and both channels are closed", async () => {
  const endless = host(async (out) => {
    for (let n = 0; n < 400 && !out.destroyed; n++) {
      out.write(Buffer.alloc(8192));
      await new Promise((resolve) => setImmediate(resolve));
    }
    return out.destroyed ? undefined : 0;
  });
  expect(await streamDigests(endless.runner, FILE, [], { bounds: bounds({}) })).toEqual({ why: "it goes on beyond 1 MB: not hashed" });
  expect(endless.closed).toEqual([true]);
  const exact = host((out) => after(0, out.write(Buffer.alloc(1 << 20))));
  expect(await streamDigests(exact.runner, FILE, [], { bounds: bounds({}) })).toMatchObject({ bytes: 1 << 20 });
  const silent = host((out) => after(undefined, out.write("x")));
  expect(await streamDigests(silent.runner, FILE, [], { bounds: bounds({ patienceMs: 30 }) })).toEqual({
    why: "nothing came of it for 0.03 s",
  });
  expect(silent.closed).toEqual([true]);
});

test("it is read no faster than the bound: whoever is ahead waits, and nothing is lost", async () => {
  const waits: number[] = [];
  const bytes = Buffer.alloc(300_000, 7);
  const fast = host((out) => after(0, out.write(bytes.subarray(0, 100_000)), out.write(bytes.subarray(100_000))));
  const wait = async (ms: number) => void waits.push(ms);
  const read = await streamDigests(fast.runner, FILE, [], { bounds: bounds({ bytesPerSecond: 100_000 }), wait });
  expect(read).toEqual({ digests: { sha256: sha256(bytes) }, bytes: 300_000 });
  expect(waits.length).toBeGreaterThan(0);
  expect(Math.max(...waits)).toBeGreaterThan(2000); // 300 KB at 100 KB/s, and hardly a moment has passed
});

test("files are read one at a time, each told at once and once more; what does not fit in is told with the reason; the end ends all", async () => {
  const info = (n: number): Extract<Observation, { kind: "file-info" }> => ({
    kind: "file-info",
    path: `/tmp/${n}` as HostString,
    size: 9,
    unhashable: true,
    error: "no sha256 on this host: neither Digest::SHA nor sha256sum" as HostString,
  });
  let [now, most] = [0, 0];
  const gate = Promise.withResolvers<void>();
  const { runner } = host(async (out, err, script) => {
    most = Math.max(most, ++now);
    await gate.promise;
    now--;
    if (script.includes("/tmp/1'")) return after(1, err.write("gone"));
    out.write(script.includes("/tmp/2'") ? "longer than nine" : "123456789");
    return 0;
  });
  const told: Extract<Observation, { kind: "file-info" }>[] = [];
  const all = Promise.withResolvers<void>();
  const streams = new FileStreams(runner, [], (one) => {
    told.push(one);
    if (told.length === 65) all.resolve();
  });
  const given = Array.from({ length: 70 }, (_, n) => streams.take(info(n), 0));
  expect(given[0]).toEqual({ kind: "file-info", path: "/tmp/0", size: 9, unhashable: true, streamed: {} });
  // one is being read and 64 wait
  expect(given.slice(65).map(({ error }) => error)).toEqual(
    Array(5).fill("no sha256 on this host, and too many wait to be read over the line"),
  );
  const known = { ...info(99), unhashable: undefined, error: undefined, sha256: "a".repeat(64) };
  expect(streams.take(known as never, 0)).toBe(known); // nothing is missing
  gate.resolve();
  await all.promise;
  expect(most).toBe(1);
  expect(told[0]).toEqual({ kind: "file-info", path: "/tmp/0", size: 9, sha256: sha256(Buffer.from("123456789")), streamed: { bytes: 9 } });
  expect(told[1]).toEqual({
    kind: "file-info",
    path: "/tmp/1",
    size: 9,
    streamed: {},
    error: "no sha256 on this host; read over the line: gone",
  });
  expect(told[2]?.streamed).toEqual({ bytes: 16 });
  const held = host(() => undefined);
  const stopped = new FileStreams(held.runner, [], (one) => told.push(one));
  stopped.take(info(1), 0);
  await new Promise((resolve) => setImmediate(resolve));
  stopped.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect([told.length, held.closed]).toEqual([65, [true]]);
  expect(stopped.take(info(2), 0)).toEqual(info(2)); // and nothing more is read
});
