import { expect, test } from "vitest";
import type { HostString } from "#model/host-string";
import type { Observation, ProcFacts } from "#model/observation";
import { TraceMerge } from "./trace-merge.ts";

const text = (value: string) => value as HostString;
const S = 1e9;
/** Nothing that was read: what the kernel's word has. */
const RACED: ProcFacts = { unseen: { args: "raced", uid: "raced" } };
const fork = (parent: number, pid: number, ts: number): Observation => ({ kind: "fork", ts, parent, pid });
const exec = (pid: number, path: string, ts: number, facts: ProcFacts = RACED): Observation => ({
  kind: "exec",
  ts,
  pid,
  path: text(path),
  facts,
});
const exit = (pid: number, ts: number): Observation => ({ kind: "exit", ts, pid });
const read = (name: string, ts: number, ppid = 7): ProcFacts => ({
  ppid,
  startTicks: Math.floor(ts / 1e7),
  uid: 0,
  comm: text(name),
  executable: text(`/usr/bin/${name}`),
  args: [text(name), text("-u")],
});
/** What the poll says of a process that it has found: its times are those of /proc, to 10 ms. */
const found = (parent: number, pid: number, name: string, ts: number) => {
  const start = Math.floor(ts / 1e7) * 1e7;
  return [fork(parent, pid, start), exec(pid, `/usr/bin/${name}`, start, read(name, ts, parent))];
};
const tcp = (
  to: "SYN_SENT" | "ESTABLISHED" | "CLOSE",
  ts: number,
  more: { sk?: string; pid?: number; port?: number } = {},
): Observation => ({
  kind: "socket",
  ts,
  from: "OTHER",
  to,
  local: { ip: "10.0.0.5", port: more.port ?? 4000 },
  remote: { ip: "203.0.113.66", port: 443 },
  ...(more.sk === undefined ? {} : { sk: more.sk }),
  ...(more.pid === undefined ? {} : { pid: more.pid }),
});

/** What is due when the kernel has told all. */
function due(merge: TraceMerge, now: number): Observation[] {
  merge.complete(1e15);
  return merge.due(now);
}

/** The same, after the poll was asked in vain. */
const unread = (merge: TraceMerge, now: number) => [...due(merge, now), ...due(merge, now + 2000)];

/** A merge whose poll has listed these, with our shells 50 (which polls) and 60 to 63 (which trace). */
function merging(ask: (pid: number) => void = () => {}): TraceMerge {
  const merge = new TraceMerge(100, ask);
  merge.ours.root([50]);
  merge.begin([60, 61, 62, 63], true);
  for (const [pid, ppid] of [
    [7, 1],
    [52, 51],
    [51, 50],
  ] as const)
    merge.polled({ kind: "process", pid, facts: { ppid } }, 0);
  merge.polled({ kind: "snapshot-end", processes: 3, milliseconds: 1 }, 0);
  return merge;
}
const polled = (merge: TraceMerge, now: number, ...all: Observation[]) => all.flatMap((o) => merge.polled(o, now));
const traced = (merge: TraceMerge, now: number, ...all: Observation[]) => {
  for (const o of all) merge.traced(o, now);
};
/** The trace has run for longer than its beginning is doubted. */
function settled(ask?: (pid: number) => void): TraceMerge {
  const merge = merging(ask);
  traced(merge, 0, fork(1, 8, S), exit(8, S + 5));
  expect(due(merge, 1000)).toHaveLength(2);
  return merge;
}

test("what the poll reads of a program becomes the facts of the kernel's exec, whichever comes first; nothing is told twice", () => {
  for (const first of ["kernel", "poll"]) {
    const merge = settled();
    const kernel = () => traced(merge, 2000, fork(7, 90, 20 * S), exec(90, "/usr/bin/id", 20 * S + 3e6));
    const poll = () => expect(polled(merge, 2000, ...found(7, 90, "id", 20 * S))).toEqual([]);
    if (first === "kernel") kernel();
    poll();
    if (first === "poll") kernel();
    expect(due(merge, 2100)).toEqual([]);
    traced(merge, 2200, exit(90, 20 * S + 9e6));
    polled(merge, 2200, exit(90, 20 * S + 5e7));
    expect(due(merge, 3000)).toEqual([
      fork(7, 90, 20 * S),
      exec(90, "/usr/bin/id", 20 * S + 3e6, read("id", 20 * S)),
      exit(90, 20 * S + 9e6),
    ]);
  }
});

test("the poll is asked to look at what lives and it has not looked at, and waited for a moment", () => {
  for (const answers of [true, false]) {
    const asked: number[] = [];
    const merge = settled((pid) => asked.push(pid));
    const later = exec(90, "/usr/bin/vi", 20 * S);
    traced(merge, 2000, later, fork(7, 91, 20 * S), exec(91, "/usr/bin/id", 20 * S + 1e6), exit(91, 20 * S + 2e6));
    expect(due(merge, 2500)).toEqual([]);
    expect(due(merge, 2600)).toEqual([]);
    expect(asked).toEqual([90]); // the other has ended
    const facts = read("vi", 5 * S);
    if (answers) polled(merge, 2700, exec(90, "/usr/bin/vi", 20.6 * S, facts));
    const told = due(merge, answers ? 2700 : 4100);
    expect(told).toHaveLength(4);
    expect(told[0]).toEqual(answers ? { ...later, facts } : later);
  }
});

test("it is asked for a few at a time: a storm of programs is not waited for", () => {
  const asked: number[] = [];
  const merge = settled((pid) => asked.push(pid));
  for (let pid = 100; pid < 140; pid++) traced(merge, 2000, fork(7, pid, 20 * S), exec(pid, "/usr/bin/vi", 20 * S + 1e6));
  expect(unread(merge, 2500)).toHaveLength(80);
  expect(asked).toHaveLength(8);
});

test("what nobody had the time to read says so, and facts of what runs later in its place are not its own", () => {
  const merge = settled();
  traced(merge, 2000, fork(7, 90, 20 * S), exec(90, "/usr/bin/env", 20 * S + 1e6), exec(90, "/usr/bin/id", 20 * S + 2e6));
  polled(merge, 2050, ...found(7, 90, "id", 20 * S));
  const execs = due(merge, 3000).filter((o) => o.kind === "exec");
  expect(execs).toEqual([exec(90, "/usr/bin/env", 20 * S + 1e6), exec(90, "/usr/bin/id", 20 * S + 2e6, read("id", 20 * S))]);
});

test("facts of one that had the pid later are not taken", () => {
  const merge = settled();
  traced(merge, 2000, fork(7, 90, 20 * S), exec(90, "/usr/bin/id", 20 * S + 1e6), exit(90, 20 * S + 2e6));
  polled(merge, 2050, ...found(7, 90, "id", 25 * S));
  expect(due(merge, 3000).find((o) => o.kind === "exec")).toEqual(exec(90, "/usr/bin/id", 20 * S + 1e6));
});

test("what the kernel did not tell is told by the poll, after a moment: what began before, and a younger one whose fork was lost", () => {
  const merge = settled();
  polled(merge, 2000, ...found(7, 95, "vi", 1.5 * S));
  expect(due(merge, 2100)).toEqual([]);
  expect(due(merge, 3000)).toEqual(found(7, 95, "vi", 1.5 * S));
  traced(merge, 4000, fork(7, 96, 20 * S), exec(96, "/usr/bin/id", 20 * S + 1e6));
  unread(merge, 5000);
  polled(merge, 6000, ...found(7, 96, "ls", 40 * S));
  expect(due(merge, 7000)).toEqual(found(7, 96, "ls", 40 * S));
});

test("what the poll has seen waits until the kernel's word of that time is there, however late; but not for ever", () => {
  for (const answered of [true, false]) {
    const merge = settled();
    merge.complete(19 * S);
    polled(merge, 2000, ...found(7, 90, "id", 20 * S));
    expect(merge.due(6000)).toEqual([]);
    if (answered) traced(merge, 6000, fork(7, 90, 20 * S), exec(90, "/usr/bin/id", 20 * S + 3e6));
    if (answered) merge.complete(21 * S);
    expect(merge.due(8000)).toHaveLength(2);
    expect(due(merge, 20_000)).toEqual([]);
  }
});

test("a fork alone is no exec because the poll finds it", () => {
  const merge = settled();
  traced(merge, 2000, fork(7, 90, 20 * S));
  polled(merge, 2000, ...found(7, 90, "sh", 20 * S));
  expect(due(merge, 3000)).toEqual([fork(7, 90, 20 * S)]);
});

test("the end that the kernel lost is told by the poll, when it is known that events were lost", () => {
  for (const lost of [false, true]) {
    const merge = settled();
    traced(merge, 2000, fork(7, 90, 20 * S), exec(90, "/usr/bin/id", 20 * S + 1e6), tcp("ESTABLISHED", 20 * S, { sk: "1", pid: 90 }));
    unread(merge, 2500);
    if (lost) merge.lost(21 * S);
    polled(merge, 4000, exit(90, 22 * S), tcp("CLOSE", 22 * S));
    expect(due(merge, 5000).map((o) => o.kind)).toEqual(lost ? ["exit", "socket"] : []);
  }
});

test("connections are told once, at the beginning of a trace by the poll where the kernel had not told of them", () => {
  const merge = merging();
  traced(merge, 0, tcp("ESTABLISHED", 2 * S, { sk: "1" }));
  polled(merge, 0, tcp("SYN_SENT", 2.2 * S), tcp("ESTABLISHED", 2.2 * S), tcp("ESTABLISHED", 2.2 * S, { port: 4001 }));
  expect(due(merge, 1000)).toEqual([tcp("ESTABLISHED", 2 * S, { sk: "1" }), tcp("ESTABLISHED", 2.2 * S, { port: 4001 })]);
  traced(merge, 2000, tcp("CLOSE", 20 * S, { sk: "1" }));
  polled(merge, 2000, tcp("CLOSE", 20.4 * S), tcp("ESTABLISHED", 20.4 * S, { port: 4002 }));
  expect(due(merge, 3000)).toEqual([tcp("CLOSE", 20 * S, { sk: "1" })]);
});

test("where a login comes from is told right behind its sshd's fork, before its children", () => {
  const peer: Observation = {
    kind: "login-peer",
    ts: 20 * S,
    pid: 90,
    local: { ip: "10.0.0.5", port: 22 },
    remote: { ip: "10.0.0.1", port: 40_112 },
  };
  for (const early of [false, true]) {
    const merge = settled();
    if (early) expect(polled(merge, 2000, peer)).toEqual([]);
    traced(merge, 2000, fork(7, 90, 20 * S), fork(90, 91, 20 * S + 1e6));
    if (!early) expect(polled(merge, 2100, peer)).toEqual([]);
    expect(due(merge, 3000)).toEqual([fork(7, 90, 20 * S), peer, fork(90, 91, 20 * S + 1e6)]);
    expect(polled(merge, 4000, peer)).toEqual([peer]);
  }
});

test("what our shells start is left out and counted, of those that were there before too; what they would never run is not", () => {
  const merge = merging();
  traced(merge, 0, fork(52, 70, 2 * S), exec(70, "/bin/ls", 2 * S + 1), exit(70, 2 * S + 2));
  traced(merge, 0, fork(63, 71, 2 * S), exec(71, "/usr/bin/dd", 2 * S + 1), exit(71, 2 * S + 2));
  traced(merge, 0, fork(62, 72, 2 * S), exec(72, "/tmp/implant", 2 * S + 1), fork(72, 73, 2 * S + 2), exit(72, 2 * S + 3));
  polled(merge, 0, ...found(62, 74, "sleep", 2 * S), exit(74, 3 * S));
  expect(due(merge, 1000)).toEqual([
    fork(62, 72, 2 * S),
    exec(72, "/tmp/implant", 2 * S + 1),
    fork(72, 73, 2 * S + 2),
    exit(72, 2 * S + 3),
  ]);
  expect(merge.ours.programs).toBe(2);
});

test("whoever gets the pid of a shell of ours that has ended is nobody of ours", () => {
  const merge = merging();
  traced(merge, 0, exit(62, 2 * S), fork(7, 62, 3 * S), fork(62, 80, 4 * S), fork(63, 81, 5 * S), exit(81, 6 * S), fork(7, 81, 7 * S));
  expect(due(merge, 1000).map((o) => "pid" in o && o.pid)).toEqual([62, 62, 80, 81]);
});

test("a canary's exec comes through", () => {
  const merge = merging();
  merge.ours.canary(70);
  traced(merge, 0, fork(63, 70, 2 * S), exec(70, "/bin/true", 2 * S + 1), exit(70, 2 * S + 2));
  expect(due(merge, 1000).map(({ kind }) => kind)).toEqual(["exec", "exit"]);
});

test("nothing of the kernel's is told before it is known which shells are ours", () => {
  const merge = new TraceMerge(100, () => {});
  merge.ours.root([50]);
  merge.begin([60], true);
  traced(merge, 0, fork(51, 70, 2 * S), exec(70, "/bin/ls", 2 * S + 1), fork(7, 71, 2 * S));
  expect(due(merge, 9000)).toEqual([]);
  merge.polled({ kind: "process", pid: 51, facts: { ppid: 50 } }, 9000);
  merge.polled({ kind: "snapshot-end", processes: 1, milliseconds: 1 }, 9000);
  expect(due(merge, 10_000)).toEqual([fork(7, 71, 2 * S)]);
});

test("when the trace has ended, all that waits is told, and the poll's word counts at once; what was told stays told", () => {
  const merge = settled();
  traced(merge, 2000, fork(7, 90, 20 * S), exec(90, "/usr/bin/id", 20 * S + 1e6), fork(7, 91, 20 * S));
  expect(merge.end().map(({ kind }) => kind)).toEqual(["fork", "exec", "fork"]);
  expect(polled(merge, 2100, ...found(7, 90, "id", 20 * S))).toEqual([]);
  expect(polled(merge, 2200, exit(90, 21 * S))).toEqual([exit(90, 21 * S)]);
  expect(polled(merge, 2300, ...found(7, 92, "ls", 22 * S))).toEqual(found(7, 92, "ls", 22 * S));
  const later = exec(91, "/usr/bin/vi", 30 * S, read("vi", 20 * S));
  expect(polled(merge, 2400, later)).toEqual([later]);
  expect(due(merge, 9000)).toEqual([]);
});

test("the poll's processes are known, for the list after a change of tier", () => {
  const merge = settled();
  polled(merge, 2000, ...found(7, 90, "id", 20 * S), exit(51, 20 * S));
  expect([...merge.alive.keys()]).toEqual([7, 52, 90]);
});
