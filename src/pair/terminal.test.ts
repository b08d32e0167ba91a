import { PassThrough } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { until } from "#range/machine";
import { KeysIn, pumpKeys } from "./keys-in.ts";
import { boundedSize, hintsOf } from "./terminal.ts";

test("a size is between one cell and what a screen can be, whatever the client says", () => {
  expect(boundedSize({ cols: 10_000, rows: 10_000 })).toEqual({ columns: 500, rows: 200 });
  expect(boundedSize({ cols: 0, rows: 0 })).toEqual({ columns: 80, rows: 24 });
  fc.assert(
    fc.property(fc.double(), fc.integer(), (cols, rows) => {
      const size = boundedSize({ cols, rows });
      expect(size.columns).toBeGreaterThanOrEqual(1);
      expect(size.columns).toBeLessThanOrEqual(500);
      expect(size.rows).toBeGreaterThanOrEqual(1);
      expect(size.rows).toBeLessThanOrEqual(200);
    }),
  );
});

test("the type of a terminal is a word, or it is xterm; colours follow from it", () => {
  expect(hintsOf("xterm-256color")).toEqual({ TERM: "xterm-256color", LANG: "C.UTF-8" });
  expect(hintsOf("xterm-kitty").COLORTERM).toBe("truecolor");
  expect(hintsOf("xterm-direct").COLORTERM).toBe("truecolor");
  for (const hostile of ["", "\x1b]0;x\x07", "a b", "../x", "-x", "x".repeat(500)]) expect(hintsOf(hostile).TERM).toBe("xterm");
});

test("keys arrive whole and in order, however they are split", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { maxLength: 30 }), async (chunks) => {
      const [from, to] = [new PassThrough(), new KeysIn()];
      pumpKeys(from, to, { onKey: () => {}, onFlood: () => expect.unreachable() });
      const got: Buffer[] = [];
      to.on("data", (chunk: Buffer) => got.push(chunk));
      for (const chunk of chunks) from.write(chunk);
      from.end();
      await new Promise((resolve) => to.once("end", resolve));
      expect(Buffer.concat(got)).toEqual(Buffer.concat(chunks));
    }),
    { numRuns: 30 },
  );
});

test("a long paste arrives whole, only later; a flood does not, and is told once", async () => {
  const [from, to] = [new PassThrough({ highWaterMark: 1 << 22 }), new KeysIn()];
  let floods = 0;
  let got = 0;
  to.on("data", (chunk: Buffer) => {
    got += chunk.length;
  });
  pumpKeys(from, to, { onKey: () => {}, onFlood: () => (floods += 1) });
  from.write(Buffer.alloc(20_000, 0x61));
  await until("the first part", () => got > 0);
  expect(got).toBeLessThan(20_000);
  await until("the paste", () => got === 20_000);
  for (let i = 0; i < 20; i++) from.write(Buffer.alloc(50_000, 0x61));
  await until("the flood to be noticed", () => floods > 0);
  expect(floods).toBe(1);
  const before = got;
  from.write(Buffer.alloc(50_000, 0x61));
  await until("what still comes to be let go", () => from.readableLength === 0);
  expect([floods, got]).toEqual([1, before]);
});
