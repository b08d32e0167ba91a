import fc from "fast-check";
import { expect, test } from "vitest";
import { event, text } from "#testing/events";
import { parseLine } from "./parse-line.ts";

const hash = "0123456789abcdef".repeat(4);
const written = (name: string, sequence: number, tier = "tracefs+proc") =>
  JSON.stringify(
    event(sequence, {
      event: { action: "process.start" },
      process: { entity_id: `b:${sequence}:1`, pid: sequence, name: text(name) },
      stakeout: { schema: 1, session: "s", sensor: "collector", tier, prev: hash } as never,
    }),
  );

const outcome = (parse: (line: string) => unknown, line: string) => {
  try {
    return parse(line);
  } catch (error) {
    return (error as Error).constructor.name;
  }
};

test("a line is parsed as JSON.parse does, whatever is in it and whatever was cut, swapped or put into it", () => {
  const piece = fc.constantFrom(',"host":{', '"tier":"', `,"prev":"${hash}"}}`, "}", "{", '"', "\\", ",", '"__proto__":{}', '"host":null,');
  const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), cut: fc.nat(40), put: fc.oneof(piece, fc.string()) });
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.string({ unit: "binary" }),
      fc.nat(),
      fc.array(change, { maxLength: 3 }),
      (name, tier, n, changes) => {
        let line = written(name, n, tier);
        for (const { at, cut, put } of changes) {
          const from = Math.floor(at * line.length);
          line = line.slice(0, from) + put + line.slice(from + cut);
        }
        for (let again = 0; again < 2; again++) expect(outcome(parseLine, line)).toEqual(outcome(JSON.parse, line));
      },
    ),
    { numRuns: 3000, examples: [["a", "t", 1, [{ at: 0, cut: 1e9, put: `{,"host":{},"stakeout":{"tier":"t","prev":"${hash}"}}` }]]] },
  );
});

test("what ends a line is made once, and nobody can change it for the others", () => {
  const [one, other] = [parseLine(written("a", 1)), parseLine(written("b", 2))] as { host: { name: string }; stakeout: object }[];
  expect(one?.host).toBe(other?.host);
  expect(one?.stakeout).not.toBe(other?.stakeout);
  expect(() => Object.assign(one?.host ?? {}, { name: "x" })).toThrow(TypeError);
});
