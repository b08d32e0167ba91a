import fc from "fast-check";
import { expect, test } from "vitest";
import { Decoder } from "./decoder.ts";
import { event, exec, exit, FORMATS, fork, pageBytes, signal, tcp, waits } from "./testing/kernel-pages.ts";

const START = 1_000_000_000;
const lines = (...all: string[]) => Buffer.from(all.map((line) => `${line}\n`).join(""), "latin1");
const page = (ts: number, events: Buffer[], step?: number) => framed("B", pageBytes(ts, events, step));
const framed = (kind: string, bytes: Buffer) => Buffer.concat([lines(`${kind}${bytes.length}`), bytes]);

const route = (by: number, dport: number, flags = 0) =>
  event(
    2264,
    by,
    76,
    [2, 1, flags],
    [56, 2, 40_001],
    [58, 2, dport],
    [28, Buffer.from([10, 0, 0, 5])],
    [32, Buffer.from([203, 0, 113, 66])],
  );
const route6 = (by: number, dport: number) =>
  event(
    2315,
    by,
    102,
    [64, 2, 40_002],
    [66, 2, dport],
    [31, Buffer.alloc(16)],
    [47, Buffer.from("20010db8000000000000000000000001", "hex")],
  );

interface Read {
  cmdline?: string;
  exe?: string;
  stat?: string;
  cwd?: string;
  who?: string;
  kept?: { args: string; argc?: number; uid?: number; flags?: number };
}
const statOf = (comm: string, start = 50, state = "R") => `(${comm}) ${state} 7 6 34816 ${start}`;
function perishables(pid: number, read: Read): Buffer {
  const ids = Buffer.alloc(9);
  ids.writeInt32LE(read.kept?.argc ?? -1, 0);
  ids.writeInt32LE(read.kept?.uid ?? -1, 4);
  ids.writeUInt8(read.kept?.flags ?? 0, 8);
  const kept = read.kept ? ids.toString("latin1") + read.kept.args : "";
  const texts = [read.cmdline, read.exe, read.stat, read.cwd, read.who, kept].map((text) => Buffer.from(text ?? "", "latin1"));
  const head = Buffer.alloc(16);
  head.writeUInt32LE(pid);
  for (const [i, text] of texts.entries()) head.writeUInt16LE(text.length, 4 + 2 * i);
  return framed("Q", Buffer.concat([head, ...texts]));
}
const WHOLE: Read = {
  cmdline: "id\0-u\0",
  exe: "/usr/bin/id",
  stat: statOf("id"),
  cwd: "/root",
  who: "0\t0\t4294967295",
};
const formats = lines(...FORMATS);
const round = (ts = 2 * START) => lines(`R\t${ts}`);
function all(...parts: Buffer[]) {
  const decoder = new Decoder();
  const found = decoder.push(Buffer.concat([formats, ...parts]));
  return { found, undecodable: decoder.undecodable };
}
const execWith = (read: Read, file = "/usr/bin/id") =>
  all(page(START, [exec(9, file)]), perishables(9, read), round()).found[0] as unknown as { facts: Record<string, unknown> };

test("pages of two processors become one life in time order, and a round holds back what is younger", () => {
  const second = page(START + 20, [exit(9, true)]);
  const parts = [page(START + 10, [exec(9, "/usr/bin/id")]), perishables(9, WHOLE), second, page(START, [fork(7, 9)])];
  const decoder = new Decoder();
  expect(decoder.push(Buffer.concat([formats, ...parts]))).toEqual([]);
  const found = decoder.push(round(START + 15));
  expect(found).toEqual([
    { kind: "fork", ts: START, parent: 7, pid: 9 },
    {
      kind: "exec",
      ts: START + 10,
      pid: 9,
      path: "/usr/bin/id",
      facts: {
        ppid: 7,
        startTicks: 50,
        session: 6,
        tty: 34816,
        uid: 0,
        euid: 0,
        loginuid: 4294967295,
        comm: "id",
        executable: "/usr/bin/id",
        cwd: "/root",
        args: ["id", "-u"],
      },
    },
  ]);
  expect(decoder.push(round())).toEqual([{ kind: "exit", ts: START + 20, pid: 9 }]);
  expect(decoder.undecodable).toBe(0);
});

test("a file name too long for a short event, a gap between events and bytes that are no UTF-8", () => {
  const long = `/tmp/${"x".repeat(200)}\xff\n`;
  const { found, undecodable } = all(page(START, [exec(9, "/a"), exec(10, long)], 4_000_000), round());
  expect(found).toMatchObject([{ path: "/a" }, { ts: START + 4_000_000, pid: 10 }]);
  expect((found[1] as { path: string }).path).toMatch(/^\/tmp\/x{200}/);
  expect(undecodable).toBe(0);
});

test("threads are no processes: what they fork is their process's, and the last one's end is its end", () => {
  const thread = 0x10000;
  const { found } = all(
    lines("G\t21\t20"),
    page(START, [fork(21, 30), fork(20, 22, thread), fork(22, 31), exit(20, false), exit(21, false), exit(22, true)]),
    round(),
  );
  expect(found.map(({ kind, ...rest }) => [kind, rest])).toEqual([
    ["fork", { ts: START, parent: 20, pid: 30 }],
    ["fork", { ts: START + 20, parent: 20, pid: 31 }],
    ["exit", { ts: START + 50, pid: 20 }],
  ]);
});

test("a program run by a thread keeps the process's pid, and its end is one", () => {
  const events = [fork(20, 22, 0x10000), exit(20, false), exec(20, "/bin/echo", 22), exit(20, true)];
  expect(all(page(START, events), round()).found.map((o) => o.kind)).toEqual(["exec", "exit"]);
});

test("a connection has its owner from the attempt on; an interrupt's word for the owner is not taken", () => {
  const { found } = all(page(START, [tcp(9, 77, 7, 2), tcp(3, 77, 2, 1, 0x10), tcp(3, 77, 1, 7, 0x10), tcp(3, 78, 3, 1, 0x10)]), round());
  expect(found).toMatchObject([
    { pid: 9, to: "SYN_SENT", sk: "1", local: { ip: "10.0.0.5", port: 40000 }, remote: { ip: "203.0.113.66", port: 443 } },
    { pid: 9, to: "ESTABLISHED", sk: "1" },
    { pid: 9, to: "CLOSE", sk: "1" },
    { to: "ESTABLISHED", sk: "2" },
  ]);
  expect(found[3]).not.toHaveProperty("pid");
});

test("what was gone is named, and is not taken from whoever has the pid now", () => {
  const everything = { args: "raced", comm: "raced", cwd: "raced", executable: "raced", ppid: "raced", uid: "raced" };
  expect(execWith({}).facts).toEqual({ unseen: expect.objectContaining(everything) });
  expect(execWith({ ...WHOLE, stat: statOf("id", 5000) }).facts).toEqual({ unseen: expect.objectContaining(everything) });
  expect(all(page(START, [exec(9, "/bin/id")]), round()).found).toMatchObject([{ facts: { unseen: everything } }]);
  const again = execWith({ ...WHOLE, stat: statOf("sh"), exe: "/bin/sh" }).facts;
  expect(again).toMatchObject({ ppid: 7, startTicks: 50, unseen: { args: "raced", executable: "raced" } });
  expect(again).not.toHaveProperty("args");
  const zombie = execWith({ ...WHOLE, stat: statOf("id", 50, "Z"), cmdline: "", exe: "", cwd: "" }).facts;
  expect(zombie).toMatchObject({ comm: "id", uid: 0, unseen: { args: "raced", executable: "raced", cwd: "raced" } });
  expect(execWith({ ...WHOLE, exe: "\0", cwd: "" }).facts).toMatchObject({ unseen: { executable: "denied", cwd: "denied" } });
  expect(execWith({ ...WHOLE, who: "\t0\t" }).facts).toMatchObject({ euid: 0, unseen: { uid: "raced", euid: "raced" } });
});

test("what auditing told is of the exec itself: what was gone is there, and a later program of the same process takes nothing from it", () => {
  const args =
    '1300 syscall=59 ppid=7 auid=1000 uid=0 euid=0 tty=pts0 comm="id" exe="/usr/bin/id"\x001309 argc=2 a0="id" a1=2D75\x001307 cwd="/tmp"';
  const facts = { args: ["id", "-u"], uid: 0, loginuid: 1000, cwd: "/tmp", executable: "/usr/bin/id", comm: "id", tty: 34816, ppid: 7 };
  const gone = execWith({ kept: { args, flags: 4 } }).facts;
  expect(gone).toMatchObject(facts);
  expect(gone["unseen"]).toEqual({ startTicks: "raced", session: "raced" });
  const another = { ...WHOLE, stat: statOf("sh"), exe: "/bin/sh", cmdline: "sh\0-c\0x\0", cwd: "/later" };
  expect(execWith({ ...another, kept: { args, flags: 4 } }).facts).toMatchObject({ ...facts, startTicks: 50 });
  expect(execWith({ kept: { args: "nothing of the kernel's", flags: 4 } }).facts["unseen"]).toMatchObject({ args: "raced", cwd: "raced" });
  expect(execWith({ kept: { args, flags: 5 } }).facts).toMatchObject({ args: ["id", "-u"], argsCut: true, argc: 2 });
});

test("what the kernel kept of the arguments counts for what was gone, and is never lost to a later program of the same process", () => {
  const kept = { args: "id\0-u", argc: 2, uid: 1000 };
  const gone = execWith({ kept }).facts;
  expect(gone).toMatchObject({ args: ["id", "-u"], uid: 1000, unseen: { ppid: "raced", executable: "raced", cwd: "raced" } });
  expect(gone).not.toHaveProperty("unseen.args");
  const another = execWith({ ...WHOLE, stat: statOf("sh"), exe: "/bin/sh", cmdline: "sh\0-c\0x\0", kept }).facts;
  expect(another).toMatchObject({ args: ["id", "-u"], uid: 1000, ppid: 7 });
  expect(another).not.toHaveProperty("argsCut");
});

test("a list that is cut says how many arguments there were; /proc is asked for the rest", () => {
  const kept = { args: "id\0-u", argc: 40, flags: 3 };
  expect(execWith({ kept }).facts).toMatchObject({ args: ["id", "-u"], argsCut: true, argc: 40, argsVanished: true });
  const whole40 = execWith({ ...WHOLE, cmdline: "id\0-u\0-n\0", kept }).facts;
  expect(whole40).toMatchObject({ args: ["id", "-u", "-n"], argsVanished: true });
  expect(whole40).not.toHaveProperty("argsCut");
});

test("a comm with brackets, a deleted file, no arguments and too many", () => {
  const forged = execWith({ ...WHOLE, stat: statOf("id) R 1 1 1 1"), exe: "/tmp/id) R 1 1 1 1" }, "/tmp/id) R 1 1 1 1");
  expect(forged.facts).toMatchObject({ ppid: 7, comm: "id) R 1 1 1 1" });
  expect(execWith({ ...WHOLE, exe: "/tmp/id (deleted)" }).facts).toMatchObject({ executable: "/tmp/id", deleted: true });
  expect(execWith({ ...WHOLE, cmdline: "" }).facts["args"]).toEqual([""]);
  expect(execWith({ ...WHOLE, cmdline: "a\0\0b\0" }).facts["args"]).toEqual(["a", "", "b"]);
  expect(execWith({ ...WHOLE, cmdline: `title${"\0".repeat(9)}` }).facts["args"]).toEqual(["title"]);
  expect(execWith({ ...WHOLE, cmdline: "x".repeat(16_384) }).facts).toMatchObject({ argsCut: true });
});

const REAL = Buffer.concat([
  formats,
  page(START, [fork(7, 9), fork(9, 10, 0x10000), tcp(9, 77, 7, 2), exit(10, false)]),
  page(START + 5, [exec(9, "/usr/bin/id"), exec(12, `/tmp/${"y".repeat(150)}`)]),
  perishables(9, { ...WHOLE, cmdline: "id\0B5\nR\t1\n\0" }),
  perishables(12, {}),
  framed("B", Buffer.alloc(0)),
  round(),
  lines("F\t7\t1\t90"),
]);

test("any split of the bytes gives the same observations", () => {
  const expected = new Decoder().push(REAL);
  expect(expected.map((o) => o.kind)).toEqual(["fork", "exec", "exec", "socket", "fork"]);
  fc.assert(
    fc.property(fc.array(fc.nat(REAL.length), { maxLength: 20 }), (cuts) => {
      const decoder = new Decoder();
      const at = [0, ...cuts.sort((a, b) => a - b), REAL.length];
      expect(at.slice(1).flatMap((end, i) => decoder.push(Buffer.from(REAL.subarray(at[i], end))))).toEqual(expected);
      expect(decoder.undecodable).toBe(1); // the page that is none
    }),
  );
});

test("hostile pages and texts never throw", () => {
  const changes = fc.array(fc.tuple(fc.nat(REAL.length - 1), fc.nat(255)), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(changes, (changed) => {
      const copy = Buffer.from(REAL);
      for (const [at, byte] of changed) copy[at] = byte;
      const decoder = new Decoder();
      decoder.push(copy);
      decoder.push(Buffer.alloc(200_000, "A")); // whatever length a frame claimed, lines are lines again behind it
      decoder.push(lines(""));
      expect(decoder.fault).toBeUndefined();
      expect(decoder.push(lines("F\t7\t1\t90"))).toEqual([{ kind: "fork", ts: 7, parent: 1, pid: 90 }]);
    }),
    // the format of a socket's event whose address claims to be one byte long
    { numRuns: 300, examples: [[[[REAL.indexOf("\t8:8", REAL.indexOf("D\ts\t")) + 3, 49]]]] },
  );
});

test.each(["B9999999", "B163841", "D\tq\t1\t16\t1:1", "D\te\t1\t16\t1:1", "D\te\t1\t16\t8:3\t1:1\t1:1", "G\tx\t1", "R\tx"])(
  "the line %j is counted and left out",
  (bad) => {
    expect(all(lines(bad, "F\t7\t1\t90"))).toEqual({ found: [{ kind: "fork", ts: 7, parent: 1, pid: 90 }], undecodable: 1 });
  },
);

test("signals and tracers are told by process, whichever thread it was; what a process does to itself is not", () => {
  const decoder = new Decoder();
  decoder.push(lines(...FORMATS, "G\t95\t90"));
  const events = [signal(95, 9, 70), waits(95, 70), waits(90, 95), signal(90, 15, 95)];
  const out = decoder.push(Buffer.concat([page(START, events), lines(`R\t${START + 1e6}`)]));
  expect(out).toEqual([
    { kind: "process-access", ts: START, how: "signal", by: 90, pid: 70, signal: 9 },
    { kind: "process-access", ts: START + 10, how: "trace", by: 90, pid: 70 },
  ]);
  expect(decoder.undecodable).toBe(0);
});

test("a route that is looked up for UDP is a datagram of the process whose thread sends; what an interrupt looks up is nobody's", () => {
  const events = [fork(9, 11, 0x10000), route(11, 53), route(9, 53, 0x10), route(9, 0), route6(9, 5353)];
  const { found, undecodable } = all(page(START, events), round());
  expect(found).toEqual([
    { kind: "datagram", ts: START + 10, pid: 9, local: { ip: "10.0.0.5", port: 40_001 }, remote: { ip: "203.0.113.66", port: 53 } },
    { kind: "datagram", ts: START + 40, pid: 9, local: { ip: "::", port: 40_002 }, remote: { ip: "2001:db8::1", port: 5353 } },
  ]);
  expect(undecodable).toBe(0);
});
