import fc from "fast-check";
import { expect, test } from "vitest";
import { Enricher } from "#analysis/enrich";
import type { EventDraft } from "#model/event";
import type { Observation } from "#model/observation";
import { text } from "#testing/events";
import { Ingest } from "./ingest.ts";

const S = 1e9;
const LOCAL = { ip: "10.0.0.5", port: 22 };
const INTRUDER = { ip: "203.0.113.9", port: 40_000 };
const C2 = { ip: "198.51.100.7", port: 443 };

const hello: Observation = {
  kind: "hello",
  bootId: "B",
  machineId: "m",
  hostname: text("devbox"),
  kernel: text("6.1"),
  arch: "x86_64",
  cpus: 2,
  ticksPerSecond: 100,
  pids: "init",
  self: 60,
  sshd: 50,
  uid: 0,
  tier: "tracefs+proc",
  kernelBufferBytes: 1 << 20,
  blind: [],
};
const proc = (pid: number, ppid: number, executable: string, more: object = {}): Observation => ({
  kind: "process",
  pid,
  facts: {
    ppid,
    startTicks: pid,
    uid: 0,
    tty: 0,
    executable: text(executable),
    comm: text(executable.split("/").at(-1) as string),
    args: [text(executable)],
    ...more,
  },
});
/** A host with sshd (1), cron (5), a web server (7) and the console's own login (50, 60). */
const snapshot: Observation[] = [
  hello,
  { kind: "clock", boot: 100 * S, wallNs: 1_700_000_000_000_000_000n },
  { kind: "user", uid: 0, name: text("root") },
  // children before their parents: a snapshot has no order that can be relied on
  proc(60, 50, "/usr/bin/perl"),
  proc(50, 1, "/usr/sbin/sshd"),
  proc(7, 1, "/usr/bin/python3"),
  proc(5, 1, "/usr/sbin/cron"),
  proc(1, 0, "/usr/sbin/sshd"),
  { kind: "login-peer", ts: 100 * S, pid: 50, local: LOCAL, remote: { ip: "10.0.0.250", port: 5000 } },
  { kind: "socket-found", transport: "tcp", state: "ESTABLISHED", local: LOCAL, remote: { ip: "10.0.0.250", port: 5000 }, uid: 0, pid: 50 },
  {
    kind: "socket-found",
    transport: "tcp",
    state: "LISTEN",
    local: { ip: "0.0.0.0", port: 22 },
    remote: { ip: "0.0.0.0", port: 0 },
    uid: 0,
    pid: 1,
  },
  { kind: "snapshot-end", processes: 5, milliseconds: 12 },
];
const exec = (at: number, pid: number, path: string, more: object = {}): Observation => ({
  kind: "exec",
  ts: at * S,
  pid,
  path: text(path),
  facts: {
    uid: 0,
    tty: (136 << 8) | 3,
    comm: text(path.split("/").at(-1) as string),
    executable: text(path),
    args: [text(path), text("-x")],
    ...more,
  },
});
/** The intruder's connection from its SYN to his shell. */
const intrusion: Observation[] = [
  { kind: "socket", ts: 101 * S, sk: "a", from: "SYN_RECV", to: "ESTABLISHED", local: LOCAL, remote: INTRUDER },
  { kind: "fork", ts: 101.01 * S, parent: 1, pid: 70 },
  exec(101.02, 70, "/usr/sbin/sshd", { tty: 0 }),
  { kind: "login-peer", ts: 101.02 * S, pid: 70, local: LOCAL, remote: INTRUDER },
  { kind: "fork", ts: 101.03 * S, parent: 70, pid: 71 },
  { kind: "exit", ts: 101.2 * S, pid: 71 },
  { kind: "fork", ts: 101.3 * S, parent: 70, pid: 72 },
  exec(101.31, 72, "/bin/bash"),
];

function run(observations: readonly Observation[], isOurs: (peer: { port: number }) => boolean = () => false) {
  const drafts: EventDraft[] = [];
  const asked: string[] = [];
  const logins: unknown[] = [];
  const ingest = new Ingest({
    enricher: new Enricher(undefined, undefined),
    emit: (draft) => drafts.push(structuredClone(draft)),
    askFileInfo: (path, pid) => asked.push(`${pid} ${path}`),
    isOurs,
    onHost: () => {},
    onLogin: (login) => logins.push(login),
  });
  for (const observation of observations) ingest.observe(observation);
  const of = (action: string) => drafts.filter(({ event }) => event.action === action);
  return { drafts, asked, logins, of };
}

test("the baseline tells parents before children, knows the console's own login, and maps the clock", () => {
  const { drafts, of, logins } = run(snapshot);
  expect(of("baseline.process").map(({ process }) => process?.pid)).toEqual([1, 50, 60, 7, 5]);
  expect(of("baseline.process").map(({ process }) => process?.entry_leader?.entry_meta.type)).toEqual([
    "init",
    "sshd",
    "sshd",
    "init",
    "init",
  ]);
  expect(logins).toEqual([{ id: "B:50:500000000", ours: true, pid: 50, first: 60 }]);
  expect(of("login.start")[0]).toMatchObject({
    stakeout: { ours: true },
    source: { ip: "10.0.0.250", port: 5000 },
    user: { id: "0", name: "root" },
  });
  expect(of("baseline.connection")[0]).toMatchObject({
    network: { direction: "ingress" },
    process: { pid: 50 },
    source: { ip: "10.0.0.250" },
  });
  expect(of("baseline.process")[0]?.["@timestamp"]).toBe("2023-11-14T22:11:40.010000Z"); // 99.99 s before the pair of clocks
  expect(drafts.at(-1)?.event.action).toBe("baseline.complete");
});

test("a login is told once, with its source, before the first program that runs in it", () => {
  const { drafts, of } = run([...snapshot, ...intrusion, exec(102, 72, "/usr/bin/id")]);
  const starts = of("login.start").filter(({ source }) => source?.ip === INTRUDER.ip);
  expect(starts).toHaveLength(1);
  expect(starts[0]).toMatchObject({
    process: { entity_id: "B:70:101010000000", tty: { char_device: { major: 136, minor: 3 } } },
    event: { outcome: "success" },
  });
  const shell = of("process.start").find(({ process }) => process?.executable === "/bin/bash");
  expect(shell?.process).toMatchObject({
    entry_leader: { entity_id: "B:70:101010000000", entry_meta: { type: "sshd", source: { ip: INTRUDER.ip } } },
    parent: { pid: 70 },
  });
  expect(drafts.indexOf(starts[0] as EventDraft)).toBeLessThan(drafts.indexOf(shell as EventDraft));
});

test("a program of his own that is named sshd hides no login", () => {
  const { of } = run([...snapshot, ...intrusion.slice(0, 7), exec(101.31, 72, "/dev/shm/sshd")]);
  expect(of("login.start").map(({ source }) => source?.ip)).toContain(INTRUDER.ip);
});

test("a failed login is none: a connection that nothing runs in is only a connection", () => {
  const { of } = run([...snapshot, ...intrusion.slice(0, 6), { kind: "exit", ts: 102 * S, pid: 70 }]);
  expect(of("login.start")).toHaveLength(1); // the console's
  expect(of("login.end")).toHaveLength(0);
});

test("the login's connection goes over from the listener to the sshd that serves it", () => {
  const { of } = run([...snapshot, ...intrusion]);
  const established = of("network.established")[0];
  expect(established).toMatchObject({ process: { pid: 1 }, network: { direction: "ingress" }, source: INTRUDER, destination: LOCAL });
  expect(of("login.attributed")[0]).toMatchObject({ process: { pid: 70 }, stakeout: { connection: established?.stakeout["connection"] } });
});

test("an outgoing connection is one thing from attempt to end, joined by the kernel's socket, with its owner", () => {
  const out = (port: number) => ({ ip: "10.0.0.5", port });
  const { of } = run([
    ...snapshot,
    ...intrusion,
    { kind: "socket", ts: 103 * S, sk: "x", pid: 72, from: "CLOSE", to: "SYN_SENT", local: out(0), remote: C2 },
    { kind: "socket", ts: 103.01 * S, sk: "y", pid: 7, from: "CLOSE", to: "SYN_SENT", local: out(0), remote: C2 },
    { kind: "socket", ts: 103.1 * S, sk: "y", from: "SYN_SENT", to: "ESTABLISHED", local: out(50_001), remote: C2 },
    { kind: "socket", ts: 104 * S, sk: "x", from: "SYN_SENT", to: "CLOSE", local: out(50_000), remote: C2 },
    { kind: "socket", ts: 105 * S, sk: "y", from: "ESTABLISHED", to: "CLOSE", local: out(50_001), remote: C2 },
  ]);
  const [x, y] = of("network.start");
  expect([x?.process?.pid, y?.process?.pid]).toEqual([72, 7]);
  const ends = of("network.end");
  expect(ends[0]).toMatchObject({
    event: { outcome: "failure", duration: 1e9 },
    process: { pid: 72 },
    stakeout: { connection: x?.stakeout["connection"] },
  });
  expect(ends[1]).toMatchObject({
    event: { outcome: "success" },
    process: { pid: 7 },
    source: out(50_001),
    stakeout: { connection: y?.stakeout["connection"] },
  });
  expect(of("network.established").at(-1)?.stakeout["connection"]).toBe(y?.stakeout["connection"]);
});

test("a connection whose owner the kernel did not tell says so", () => {
  const { of } = run([
    ...snapshot,
    { kind: "socket", ts: 103 * S, sk: "x", from: "CLOSE", to: "SYN_SENT", local: { ip: "10.0.0.5", port: 0 }, remote: C2 },
  ]);
  expect(of("network.start")[0]?.process).toBeUndefined();
  expect(of("network.start")[0]?.stakeout.unseen).toEqual({ process: "raced", "source.port": "raced" });
});

test("arguments that were gone are left out and named as raced, never shown as empty", () => {
  const { args: _, ...facts } = { args: 1, uid: 0, comm: text("id"), unseen: { args: "raced" as const } };
  const { of } = run([...snapshot, ...intrusion, { kind: "exec", ts: 102 * S, pid: 72, path: text("/usr/bin/id"), facts }]);
  const last = of("process.start").at(-1);
  expect(last?.process).not.toHaveProperty("args");
  expect(last?.stakeout.unseen).toEqual({ "process.args": "raced" });
});

test("what runs from outside the packages' folders is a new binary: looked at once, its name weighed", () => {
  const { of, asked } = run([
    ...snapshot,
    ...intrusion,
    { kind: "file", ts: 102 * S, change: "created", path: text("/dev/shm/xq7zk2p"), pid: 72 },
    { kind: "file", ts: 102.1 * S, change: "written", path: text("/dev/shm/xq7zk2p"), pid: 72 },
    { kind: "fork", ts: 103 * S, parent: 72, pid: 80 },
    exec(103.1, 80, "/dev/shm/xq7zk2p"),
    exec(103.2, 72, "/usr/local/bin/tool"),
    { kind: "file", ts: 104 * S, change: "deleted", path: text("/dev/shm/xq7zk2p"), pid: 72 },
    { kind: "file-info", path: text("/dev/shm/xq7zk2p"), size: 9, mode: 0o100755, sha256: "a".repeat(64), elf: true },
  ]);
  expect(asked).toEqual(["0 /dev/shm/xq7zk2p", "72 /usr/local/bin/tool"]);
  expect(of("file.creation")).toHaveLength(1);
  expect(of("file.change")).toHaveLength(0); // the first content is a part of the creation
  expect(of("file.creation")[0]?.process?.pid).toBe(72);
  expect(of("process.start").find(({ process }) => process?.pid === 80)?.stakeout.binary).toMatchObject({
    origin: "exec",
    random: expect.closeTo(1, 1),
  });
  expect(of("file.info")[0]).toMatchObject({
    file: { mode: "0755", hash: { sha256: "a".repeat(64) } },
    stakeout: { binary: { elf: true, deleted: true } },
  });
});

test("a file that never had a name is told as that, and nobody asks for its content", () => {
  const { of, asked } = run([
    ...snapshot,
    ...intrusion,
    { kind: "file", ts: 102 * S, change: "written", path: text("/tmp/#12"), pid: 72, nameless: "plain" },
    { kind: "fork", ts: 103 * S, parent: 72, pid: 80 },
    exec(103.1, 80, "/tmp/#12"),
  ]);
  expect(of("file.change")[0]).toMatchObject({
    file: { path: "/tmp/#12" },
    process: { pid: 72 },
    stakeout: { binary: { nameless: "plain" } },
  });
  expect(asked).toEqual(["80 /tmp/#12"]); // what runs is read where it runs
});

test("a file whose writer is not known yet waits for him, in the order of its changes; one that nobody comes for is told without", () => {
  const file = (at: number, change: "created" | "written" | "deleted", pid: number): Observation => ({
    kind: "file",
    ts: at * S,
    change,
    path: text(`/tmp/by-${pid}`),
    pid,
  });
  const tick = (at: number): Observation => ({ kind: "tick", ts: at * S, lost: 0, outside: 0, unmapped: 0, cpuMs: 1, rssKb: 1 });
  const { drafts, of } = run([
    ...snapshot,
    file(103, "created", 90),
    file(103, "created", 91),
    file(103.001, "deleted", 90),
    { kind: "fork", ts: 102.99 * S, parent: 7, pid: 90 },
    tick(104.5),
  ]);
  const told = drafts
    .filter(({ event }) => event.category[0] === "file")
    .map(({ event, process, file }) => [event.action, file?.path, process?.pid]);
  expect(told).toEqual([
    ["file.creation", "/tmp/by-90", 90],
    ["file.deletion", "/tmp/by-90", 90],
    ["file.creation", "/tmp/by-91", undefined],
  ]);
  expect(of("file.creation")[1]?.stakeout.unseen).toEqual({ process: "raced" });
});

test("what cron starts has cron's job as its origin, not the login that wrote the entry", () => {
  const { of } = run([
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

test("forks are kept back until something names them, and never lost", () => {
  const fork = (at: number, parent: number, pid: number): Observation => ({ kind: "fork", ts: at * S, parent, pid });
  const tick = (at: number): Observation => ({ kind: "tick", ts: at * S, lost: 0, outside: 0, unmapped: 0, cpuMs: 1, rssKb: 1 });
  const { of } = run([
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
  const { of } = run([...snapshot, { kind: "fork", ts: 7 * 0.01 * S + 5e6, parent: 1, pid: 7 }, { kind: "exit", ts: 105 * S, pid: 7 }]);
  expect(of("process.end")[0]?.process?.entity_id).toBe("B:7:70000000");
});

test("a pid that comes again is another process", () => {
  const { of } = run([
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

test("lost events and a broken sensor become events", () => {
  const { of } = run([
    ...snapshot,
    { kind: "tick", ts: 103 * S, lost: 7, outside: 0, unmapped: 0, cpuMs: 1, rssKb: 1 },
    { kind: "problem", what: text("no fanotify"), fatal: false },
    { kind: "problem", what: text("gone"), fatal: true },
  ]);
  expect(of("sensor.degraded")[0]).toMatchObject({
    event: { reason: expect.stringMatching(/dropped 7 events/) },
    stakeout: { report: { lost: 7 } },
  });
  expect(of("sensor.lost")[0]?.event.reason).toBe("gone");
});

test("the console's second connection is known by its port", () => {
  expect(run([...snapshot, ...intrusion], ({ port }) => port === INTRUDER.port).logins).toContainEqual({
    id: "B:70:101010000000",
    ours: true,
    pid: 70,
    first: 72,
  });
});

test("no order of observations breaks it, and none is told before the host is known", () => {
  const some = [...snapshot.slice(1), ...intrusion, exec(102, 999, "/tmp/x"), exec(102, -1, ""), exec(Number.MAX_VALUE, 5, "x")];
  fc.assert(
    fc.property(fc.shuffledSubarray(some), (order) => {
      expect(run(order).drafts).toEqual([]);
      for (const draft of run([hello, ...order]).drafts) expect(Number.isNaN(Date.parse(draft["@timestamp"]))).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test("where a process was put is told with it, in the first snapshot and later; a child says nothing of its own", () => {
  const cgroup = (pid: number, path: string): Observation => ({ kind: "cgroup", pid, path: text(path) });
  const { drafts } = run([
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

test("what goes to one far end by UDP is one row until it was silent; a socket that stays takes it over", () => {
  const DNS = { ip: "198.51.100.53", port: 53 };
  const sent = (at: number, pid = 7, remote = DNS): Observation => ({
    kind: "datagram",
    ts: at * S,
    pid,
    local: { ip: "0.0.0.0", port: 40_000 },
    remote,
  });
  const tick = (at: number): Observation => ({ kind: "tick", ts: at * S, lost: 0, outside: 0, unmapped: 0, cpuMs: 1, rssKb: 1 });
  const polled = (at: number, gone: boolean): Observation => ({
    kind: "socket-polled",
    ts: at * S,
    gone,
    transport: "udp",
    inode: "9",
    local: { ip: "10.0.0.5", port: 40_000 },
    remote: C2,
    uid: 0,
    pid: 7,
  });
  const told = run([
    ...snapshot,
    sent(101),
    sent(101.001),
    sent(103),
    tick(107),
    sent(107.5, 5),
    tick(109),
    sent(110),
    sent(111, 7, C2),
    polled(112, false),
    tick(130),
    polled(131, true),
  ]).drafts.filter(({ network }) => network?.transport === "udp");
  expect(told.map(({ event, process, destination }) => [event.action, process?.pid, destination?.ip, event.duration])).toEqual([
    ["network.start", 7, DNS.ip, undefined],
    ["network.start", 5, DNS.ip, undefined],
    ["network.end", 7, DNS.ip, 2e9],
    ["network.start", 7, C2.ip, undefined],
    ["network.established", 7, C2.ip, undefined],
    ["network.start", 7, DNS.ip, undefined],
    ["network.end", 5, DNS.ip, 0],
    ["network.end", 7, DNS.ip, 0],
    ["network.end", 7, C2.ip, 20e9],
  ]);
});

test("what a connection has carried is told with both ends' bytes, and again with its end", () => {
  const ends = { local: { ip: "10.0.0.5", port: 40_123 }, remote: C2 };
  const { drafts } = run([
    ...snapshot,
    { kind: "socket", ts: 101 * S, sk: "c", pid: 7, from: "CLOSE", to: "SYN_SENT", ...ends },
    { kind: "socket", ts: 101.1 * S, sk: "c", from: "SYN_SENT", to: "ESTABLISHED", ...ends },
    { kind: "socket-carried", ts: 105 * S, ...ends, sent: 5000, received: 70, rttUs: 1500 },
    { kind: "socket-carried", ts: 105 * S, local: ends.local, remote: INTRUDER, sent: 1, received: 1, rttUs: 1 }, // of nothing that is open
    { kind: "socket", ts: 106 * S, sk: "c", from: "ESTABLISHED", to: "CLOSE", ...ends },
  ]);
  const told = drafts.filter(({ destination }) => destination?.ip === C2.ip);
  expect(
    told.map(({ event, source, destination, stakeout }) => [event.action, source?.bytes, destination?.bytes, stakeout["rtt"]]),
  ).toEqual([
    ["network.start", undefined, undefined, undefined],
    ["network.established", undefined, undefined, undefined],
    ["network.info", 5000, 70, 1_500_000],
    ["network.end", 5000, 70, 1_500_000],
  ]);
  expect(drafts.filter(({ event }) => event.action === "network.info")).toHaveLength(1);
});

test("a name that is looked up aims UDP sockets at its addresses and sends nothing: that is no row, where TCP shows it", () => {
  const aimed = (at: number, remote: { ip: string; port: number }): Observation => ({
    kind: "datagram",
    ts: at * S,
    pid: 7,
    local: { ip: "0.0.0.0", port: 40_000 },
    remote,
  });
  const told = run([
    ...snapshot,
    aimed(101, C2),
    { kind: "socket", ts: 101.1 * S, sk: "c", pid: 7, from: "CLOSE", to: "SYN_SENT", local: { ip: "10.0.0.5", port: 0 }, remote: C2 },
    aimed(101.2, { ip: "127.0.0.1", port: 22 }), // where sshd listens, by TCP alone
    aimed(101.3, { ip: "127.0.0.1", port: 53 }), // where nobody listens
    { kind: "tick", ts: 102 * S, lost: 0, outside: 0, unmapped: 0, cpuMs: 1, rssKb: 1 },
  ]).drafts.filter(({ network }) => network?.transport === "udp");
  expect(told.map(({ event, destination }) => [event.action, destination?.ip, destination?.port])).toEqual([
    ["network.start", "127.0.0.1", 53],
  ]);
});
