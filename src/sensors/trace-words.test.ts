import fc from "fast-check";
import { expect, test } from "vitest";
import { exec, exit, fork, pageBytes, signal, tcp } from "./testing/kernel-pages.ts";
import { TRACE_FORMATS, TRACE_HEADER, tracePage, traceText } from "./testing/trace-stream.ts";
import { TraceDecoder, type TraceWord } from "./trace-words.ts";

const START = 1_000_000_000;
const BEGIN = traceText(TRACE_HEADER, ...TRACE_FORMATS, "H\t50 51 52 53\t4194304\t1\tnobody tells of UDP\x1fnor of this");
const page = (ts: number, ...events: Buffer[]) => tracePage(pageBytes(ts, events));
/** What one processor saw, and another. */
const FIRST = [page(START, fork(7, 9), exec(9, "/usr/bin/id")), page(START + 100, tcp(9, 77, 7, 2), exit(9, true))];
const SECOND = [page(START + 5, fork(8, 20, 0x10000)), page(START + 60, fork(20, 21), signal(8, 9, 7))];
const STREAM = Buffer.concat([
  Buffer.from("Welcome to devbox\n"),
  BEGIN,
  traceText("G\t30\t8", "N"),
  ...FIRST,
  ...SECOND,
  traceText(`R\t${START + 80}`, `Y\t${START + 81}\t99\t/bin/true`),
  page(START + 200, fork(30, 31)),
  traceText(`R\t${START + 300}`, `T\t${START + 300}\t3\t40`, "P\tremoved something"),
  traceText("Z\ttampered\tsomebody changed tracing_on"),
]);
const all = (...parts: Buffer[]) => {
  const decoder = new TraceDecoder();
  return { words: decoder.push(Buffer.concat(parts)), decoder };
};
const eventsOf = (words: readonly TraceWord[]) => words.flatMap((word) => (word.kind === "happened" ? word.events : []));

test("what comes before it is passed over; pages of all processors are one story up to what was read, threads are no processes", () => {
  const { words, decoder } = all(STREAM);
  expect(words.map(({ kind }) => kind)).toEqual(["begun", "settled", "happened", "canary", "happened", "tick", "problem", "ended"]);
  expect(words[0]).toEqual({
    kind: "begun",
    shells: [50, 51, 52, 53],
    bufferBytes: 4_194_304,
    tcp: true,
    lacks: ["nobody tells of UDP", "nor of this"],
  });
  expect(eventsOf(words).map((o) => [o.kind, "ts" in o && o.ts - START])).toEqual([
    ["fork", 0],
    ["exec", 10],
    ["fork", 60],
    ["process-access", 70],
    ["socket", 100],
    ["exit", 110],
    ["fork", 200],
  ]);
  expect(eventsOf(words)).toContainEqual({ kind: "fork", ts: START + 60, parent: 8, pid: 21 });
  expect(eventsOf(words)).toContainEqual({ kind: "fork", ts: START + 200, parent: 8, pid: 31 });
  expect(words.at(-1)).toEqual({ kind: "ended", how: "tampered", why: "somebody changed tracing_on" });
  expect(decoder.undecodable).toBe(0);
});

test("nothing is told of what may not be complete, and nobody's facts are made up", () => {
  const { words } = all(BEGIN, page(START, fork(7, 9), exec(9, "/bin/id")), traceText(`R\t${START + 5}`));
  expect(eventsOf(words).map(({ kind }) => kind)).toEqual(["fork"]);
  const later = all(BEGIN, page(START, exec(9, "/bin/id")), traceText(`R\t${START}`));
  expect(eventsOf(later.words)[0]).toMatchObject({
    path: "/bin/id",
    facts: { unseen: { args: "raced", uid: "raced", executable: "raced" } },
  });
  expect((eventsOf(later.words)[0] as { facts: object }).facts).not.toHaveProperty("args");
});

test("any split of the bytes gives the same words", () => {
  const expected = all(STREAM).words;
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 20 }), (cuts) => {
      const decoder = new TraceDecoder();
      const at = [0, ...cuts.sort((a, b) => a - b), STREAM.length];
      expect(at.slice(1).flatMap((end, i) => decoder.push(STREAM.subarray(at[i], end)))).toEqual(expected);
    }),
  );
});

test("however the processors' pages are mixed, it is the same story", () => {
  const told = (pages: Buffer[]) => eventsOf(all(BEGIN, ...pages, traceText(`R\t${START + 900}`)).words);
  const expected = told([...FIRST, ...SECOND]);
  expect(expected).toHaveLength(6);
  fc.assert(
    fc.property(fc.shuffledSubarray([...FIRST, ...SECOND], { minLength: 4 }), (pages) => {
      expect(told(pages)).toEqual(expected);
    }),
  );
});

test("a page with nonsense is counted and left out; where it does not end the trace does, once", () => {
  const bad = tracePage(Buffer.from("00ca9a3b00000000ff0f0000000000000000000000000000", "hex"));
  const one = all(BEGIN, bad, ...FIRST, traceText(`R\t${START + 900}`));
  expect(one.decoder.undecodable).toBe(1);
  expect(eventsOf(one.words)).toHaveLength(4);
  const { words, decoder } = all(BEGIN, ...Array.from({ length: 40 }, () => bad));
  expect(words.at(-1)).toMatchObject({ kind: "ended", how: "degraded" });
  expect(words.filter(({ kind }) => kind === "ended")).toHaveLength(1);
  expect(decoder.push(Buffer.concat([...FIRST, traceText(`R\t${START + 900}`)]))).toEqual([]);
});

test.each([
  ["pages of 64 KB", TRACE_HEADER.replace("4080", "65520"), "refused"],
  ["a refusal", "!\tnot root", "refused"],
  ["a fall", "Z\tdegraded\tdd was ended", "degraded"],
  ["a word that is none", "Z\thappy\tdd was ended", "degraded"],
])("%s ends it", (_what, line, how) => {
  expect(all(traceText(line)).words).toEqual([{ kind: "ended", how, why: expect.any(String) }]);
});

test.each([
  "X\t1\t1",
  "F\t1\t1\t1",
  "R\tx",
  "R\t1\t2",
  "T\t1\t-1\t2",
  "Y\t1\t99999999\t/bin/true",
  "D\te\tID: 316",
  "D\tq\tID: 316\\x1f",
  (TRACE_FORMATS[0] as string).replace("filename", "pid"),
  (TRACE_FORMATS[0] as string).replace("ID: 316", "ID: 316\\x1fID: 317"),
  (TRACE_FORMATS[0] as string).replace("size:2", "size:4"),
])("the line %j is counted and left out", (bad) => {
  const { words, decoder } = all(BEGIN, traceText(bad, "N"));
  expect(words.map(({ kind }) => kind)).toEqual(["begun", "settled"]);
  expect(decoder.undecodable).toBe(1);
});

test("a kernel that does not say which thread's end is a process's is followed all the same", () => {
  const formats = TRACE_FORMATS.map((line) => line.replace(/\\x1f\\x09field:bool group_dead;.*?signed:0;/, ""));
  const { words } = all(
    traceText(TRACE_HEADER, ...formats, "G\t21\t20"),
    page(START, exit(20, false), exit(21, false)),
    traceText(`R\t${START + 900}`),
  );
  expect(eventsOf(words)).toEqual([{ kind: "exit", ts: START + 10, pid: 20 }]);
});

test("hostile bytes never throw, and are never a mistake of ours", () => {
  const changes = fc.array(fc.tuple(fc.nat(STREAM.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(changes, (changed) => {
      const copy = Buffer.from(STREAM);
      for (const [at, byte] of changed) copy[at] = byte;
      const decoder = new TraceDecoder();
      decoder.push(copy);
      decoder.push(Buffer.alloc(200_000, "A"));
      expect(decoder.fault).toBeUndefined();
    }),
    { numRuns: 300 },
  );
  const endless = all(Buffer.alloc(100_000, "x"));
  expect(endless.words).toEqual([{ kind: "ended", how: "degraded", why: "what came first was not ours" }]);
});
