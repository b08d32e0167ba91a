import { expect, test } from "vitest";
import type { Observation } from "#model/observation";
import { text } from "#testing/events";
import { exec, hello, ingested, intrusion, proc, S, snapshot, tick } from "#testing/observed-host";

test("forks are kept back until something names them, and never lost", () => {
  const fork = (at: number, parent: number, pid: number): Observation => ({ kind: "fork", ts: at * S, parent, pid });
  const { of } = ingested([
    ...snapshot,
    fork(103, 7, 80),
    fork(103, 7, 81),
    exec(103.1, 80, "/bin/ls"),
    { kind: "exit", ts: 103.2 * S, pid: 81 },
    fork(104, 7, 82),
    tick(104.1),
    tick(105),
  ]);
  expect(of("process.fork").map(({ process }) => process?.pid)).toEqual([81, 82]);
});

test("a process of the snapshot whose fork was traced as well is one process", () => {
  const { of } = ingested([
    ...snapshot,
    { kind: "fork", ts: 7 * 0.01 * S + 5e6, parent: 1, pid: 7 },
    { kind: "exit", ts: 105 * S, pid: 7 },
  ]);
  expect(of("process.end")[0]?.process?.entity_id).toBe("B:7:70000000");
});

test("a pid that comes again is another process", () => {
  const { of } = ingested([
    ...snapshot,
    { kind: "fork", ts: 103 * S, parent: 7, pid: 80 },
    exec(103.1, 80, "/bin/ls"),
    // its exit was lost
    { kind: "fork", ts: 109 * S, parent: 5, pid: 80 },
    exec(109.1, 80, "/bin/date"),
  ]);
  expect(of("process.start").map(({ process }) => process?.entity_id)).toEqual(["B:80:103000000000", "B:80:109000000000"]);
  expect(of("process.end")).toMatchObject([
    { process: { entity_id: "B:80:103000000000" }, stakeout: { unseen: { "@timestamp": "lost" } } },
  ]);
});

test("arguments that were gone are left out and named as raced, never shown as empty", () => {
  const { args: _, ...facts } = { args: 1, uid: 0, comm: text("id"), unseen: { args: "raced" as const } };
  const { of } = ingested([...snapshot, ...intrusion, { kind: "exec", ts: 102 * S, pid: 72, path: text("/usr/bin/id"), facts }]);
  const last = of("process.start").at(-1);
  expect(last?.process).not.toHaveProperty("args");
  expect(last?.stakeout.unseen).toEqual({ "process.args": "raced" });
});

test("what starts itself anew runs what it ran, also where nobody had the time to look", () => {
  const self = (at: number, pid: number): Observation => ({
    kind: "exec",
    ts: at * S,
    pid,
    path: text("/proc/self/exe"),
    facts: { unseen: { args: "raced", executable: "raced" } },
  });
  const { of } = ingested([
    ...snapshot,
    { kind: "fork", ts: 103 * S, parent: 7, pid: 80 },
    exec(103.1, 80, "/bin/busybox"),
    { kind: "fork", ts: 103.2 * S, parent: 80, pid: 81 },
    self(103.3, 81),
    self(103.4, 81),
    { kind: "fork", ts: 104 * S, parent: 9999, pid: 82 },
    self(104.1, 82),
  ]);
  const told = of("process.start").map(({ process }) => process?.executable);
  expect(told).toEqual(["/bin/busybox", "/bin/busybox", "/bin/busybox", "/proc/self/exe"]);
});

test("what cron starts has cron's job as its origin, not the login that wrote the entry", () => {
  const { of } = ingested([
    ...snapshot,
    { kind: "fork", ts: 103 * S, parent: 5, pid: 80 },
    { kind: "fork", ts: 103.1 * S, parent: 80, pid: 81 },
    exec(103.2, 81, "/bin/sh"),
    { kind: "fork", ts: 103.3 * S, parent: 81, pid: 82 },
    exec(103.4, 82, "/dev/shm/x"),
  ]);
  const job = { entity_id: "B:80:103000000000", entry_meta: { type: "cron" } };
  expect(of("process.start").map(({ process }) => process?.entry_leader)).toEqual([job, job]);
  expect(of("process.fork").map(({ process }) => process?.pid)).toEqual([80]); // what forked on without an exec
});

test("where a process was put is told with it, in the first snapshot and later; a child says nothing of its own", () => {
  const cgroup = (pid: number, path: string): Observation => ({ kind: "cgroup", pid, path: text(path) });
  const { drafts } = ingested([
    hello,
    { kind: "clock", boot: 100 * S, wallNs: 1_700_000_000_000_000_000n },
    cgroup(5, "/system.slice/cron.service"),
    proc(5, 1, "/usr/sbin/cron"),
    proc(1, 0, "/sbin/init"),
    { kind: "snapshot-end", processes: 2, milliseconds: 1 },
    { kind: "fork", ts: 101 * S, parent: 1, pid: 70 },
    cgroup(70, "/system.slice/nginx.service"),
    { kind: "exec", ts: 101 * S + 1, pid: 70, path: text("/usr/sbin/nginx"), facts: {} },
    { kind: "fork", ts: 102 * S, parent: 70, pid: 71 },
    { kind: "exec", ts: 102 * S + 1, pid: 71, path: text("/bin/sh"), facts: {} },
    cgroup(999, "/nobody"),
  ]);
  const placed = drafts.flatMap(({ process }) => (process ? [[process.pid, process.cgroup]] : []));
  expect(placed).toEqual(
    expect.arrayContaining([
      [5, "/system.slice/cron.service"],
      [1, undefined],
      [70, "/system.slice/nginx.service"],
      [71, undefined],
    ]),
  );
});

test("where a process was put that is found only now comes just before it, and is told with it; of one that never comes it is nobody's", () => {
  const cgroup = (pid: number, path: string): Observation => ({ kind: "cgroup", pid, path: text(path) });
  const { of } = ingested([
    ...snapshot,
    cgroup(90, "/nobody"),
    cgroup(91, "/system.slice/late.service"),
    { kind: "pid-inside", pid: 91, inside: 4 },
    proc(91, 1, "/usr/bin/late"),
    proc(92, 1, "/usr/bin/later"),
    proc(90, 1, "/usr/bin/last"),
    cgroup(93, "/system.slice/forked-unseen.service"),
    exec(110, 93, "/usr/bin/daemon"),
  ]);
  expect(of("process.start").map(({ process }) => [process?.pid, process?.cgroup, process?.vpid])).toEqual([
    [91, "/system.slice/late.service", 4],
    [92, undefined, undefined],
    [90, undefined, undefined],
    [93, "/system.slice/forked-unseen.service", undefined],
  ]);
});
