import { expect, test } from "vitest";
import { Enricher } from "#analysis/enrich";
import type { EventDraft } from "#model/event";
import type { Observation } from "#model/observation";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { teller, text } from "#testing/events";
import { hello as greeting, S, tick } from "#testing/observed-host";
import { Ingest } from "./ingest.ts";
import type { Returned } from "./ingest-away.ts";

const WALL = 1_700_000_000_000_000_000n;
const hello = (bootId = "B", self = 60): Observation => ({ ...greeting, bootId, self });
const clock = (seconds: number, wall = seconds): Observation => ({ kind: "clock", boot: seconds * S, wallNs: WALL + BigInt(wall * S) });
const found = (pid: number, seconds: number, program = "x", ppid = 1): Observation => ({
  kind: "process",
  pid,
  facts: { ppid, startTicks: seconds * 100, comm: text(program), executable: text(`/usr/bin/${program}`) },
});
const socket = (port: number, state: "LISTEN" | "ESTABLISHED" = "ESTABLISHED"): Observation => ({
  kind: "socket-found",
  transport: "tcp",
  state,
  local: state === "LISTEN" ? { ip: "0.0.0.0", port } : { ip: "10.0.0.2", port },
  remote: state === "LISTEN" ? { ip: "0.0.0.0", port: 0 } : { ip: "203.0.113.9", port: 443 },
  uid: 0,
});
const peer = (pid: number): Observation => ({
  kind: "login-peer",
  ts: 0,
  pid,
  local: { ip: "10.0.0.2", port: 22 },
  remote: { ip: "203.0.113.66", port: 40_000 },
});
const end: Observation = { kind: "snapshot-end", processes: 0, milliseconds: 5 };

/** What is told after a time away: `before` and `after` are the two sensors' words. */
function away(before: Observation[], after: Observation[]) {
  const drafts: EventDraft[] = [];
  const state = emptyState();
  const tell = teller();
  const returned: Returned[] = [];
  const ingest = new Ingest({
    enricher: new Enricher(undefined, undefined),
    emit: (draft) => {
      drafts.push(structuredClone(draft));
      reduce(state, tell(draft));
    },
    askFileInfo: () => {},
    isOurs: () => false,
    onHost: () => {},
    onReturned: (what) => returned.push(what),
  });
  for (const observation of before) ingest.observe(observation);
  const seen = drafts.length;
  ingest.expectReturn();
  for (const observation of after) ingest.observe(observation);
  const since = drafts.slice(seen);
  const of = (action: string) => since.filter((draft) => draft.event.action === action);
  return { ingest, state, since, of, drafts, returned: returned[0], count: returned.length };
}

const first = [
  hello(),
  clock(100),
  found(1, 1, "init", 0),
  found(60, 90),
  found(61, 91),
  found(62, 92),
  socket(22, "LISTEN"),
  socket(5000),
  socket(5001),
  end,
  tick(101),
];

test("after a time away what is missing has ended, what is new is told with the time at which it began, and what was there is not told again", () => {
  const { of, state, returned, count } = away(first, [
    hello("B", 70),
    clock(130),
    found(1, 1, "init", 0),
    found(61, 91),
    found(70, 129),
    found(80, 120, "dropper"),
    socket(22, "LISTEN"),
    socket(4444, "LISTEN"),
    socket(5001),
    socket(5002),
    end,
  ]);
  expect(of("process.end").map(({ process, event, stakeout }) => [process?.pid, event.reason, stakeout.unseen])).toEqual([
    [60, "ended while we were away", { "@timestamp": "lost" }],
    [62, "ended while we were away", { "@timestamp": "lost" }],
  ]);
  expect(of("process.start").map((draft) => [draft.process?.pid, draft["@timestamp"]])).toEqual([
    [70, new Date(1_700_000_000_000 + 129_000).toISOString().replace("000Z", "000000Z")],
    [80, new Date(1_700_000_000_000 + 120_000).toISOString().replace("000Z", "000000Z")],
  ]);
  expect(of("process.start")[1]?.event.reason).toMatch(/found when we came back/);
  expect(
    of("network.end").map(({ source, stakeout }) => [
      source?.port,
      (stakeout.unseen as Record<string, string> | undefined)?.["@timestamp"],
    ]),
  ).toEqual([[5000, "lost"]]);
  expect(of("network.established").map(({ source }) => source?.port)).toEqual([5002]);
  expect(of("network.listen").map(({ source }) => source?.port)).toEqual([4444]);
  expect(of("baseline.process")).toEqual([]);
  expect(of("sensor.start")).toHaveLength(1);
  expect(returned).toEqual({ rebooted: false, processes: { ended: 2, found: 2, changed: 0 }, connections: { ended: 1, found: 2 } });
  expect(count).toBe(1);
  expect([...state.pids.keys()].sort()).toEqual([1, 61, 70, 80].sort());
  expect([...state.connections.values()].filter(({ phase }) => phase !== "ended")).toHaveLength(4);
});

test("a pid that was given to another process meanwhile is another process", () => {
  const { of, state } = away(first, [hello(), clock(130), found(1, 1, "init", 0), found(60, 125, "nc"), found(61, 91), found(62, 92), end]);
  expect(of("process.end").map(({ process }) => process?.entity_id)).toEqual(["B:60:90000000000"]);
  expect(of("process.start").map(({ process }) => process?.entity_id)).toEqual(["B:60:125000000000"]);
  expect(state.pids.get(60)).toBe("B:60:125000000000");
});

test("a process that runs another program than before is told so", () => {
  const { of, returned } = away(first, [
    hello(),
    clock(130),
    found(1, 1, "init", 0),
    found(60, 90, "nc"),
    found(61, 91),
    found(62, 92),
    end,
  ]);
  expect(of("process.start").map(({ process, event }) => [process?.pid, process?.executable, event.reason])).toEqual([
    [60, "/usr/bin/nc", "it began to run another program while we were away"],
  ]);
  expect(returned?.processes.changed).toBe(1);
});

test("what came while we were away is told with the unit or container that it was put in", () => {
  const cgroup: Observation = { kind: "cgroup", pid: 80, path: text("/system.slice/dropper.service") };
  const inside: Observation = { kind: "pid-inside", pid: 80, inside: 7 };
  const { of } = away(first, [hello("B", 60), clock(130), found(1, 1, "init", 0), cgroup, inside, found(80, 120, "dropper"), end]);
  expect(of("process.start").map(({ process }) => [process?.pid, process?.cgroup, process?.vpid])).toEqual([
    [80, "/system.slice/dropper.service", 7],
  ]);
});

test("a login that came while we were away is a login, with what it runs; one that was there is not told again", () => {
  const before = [...first.slice(0, -2), found(50, 80, "sshd"), peer(50), found(51, 81, "bash", 50), end];
  const { of, state } = away(before, [
    hello(),
    clock(130),
    found(1, 1, "init", 0),
    ...[60, 61, 62].map((pid) => found(pid, pid + 30)),
    found(50, 80, "sshd"),
    found(51, 81, "bash", 50),
    peer(50),
    found(90, 120, "sshd"),
    { ...peer(90), remote: { ip: "198.51.100.4", port: 50_000 } } as Observation,
    found(91, 121, "sh", 90),
    end,
  ]);
  expect(of("login.start").map(({ source }) => source?.ip)).toEqual(["198.51.100.4"]);
  expect(state.processes.get("B:91:121000000000")?.login).toBe("B:90:120000000000");
  expect(of("login.end")).toEqual([]);
});

test("a login whose shell began in a process that we knew as sshd's is a login all the same, told before its shell", () => {
  const half = [found(1, 1, "init", 0), found(40, 2, "sshd"), found(70, 99, "sshd", 40)];
  const { since, of } = away(
    [hello(), clock(100), ...half, found(71, 99.5, "sshd", 70), peer(70), end, tick(101)],
    [hello("B", 60), clock(130), ...half, found(71, 99.5, "bash", 70), peer(70), end],
  );
  expect(of("login.start").map(({ process, source }) => [process?.pid, source?.ip])).toEqual([[70, "203.0.113.66"]]);
  const actions = since.map(({ event }) => event.action);
  expect(actions.indexOf("login.start")).toBeLessThan(actions.indexOf("process.start"));
});

test("a su that became its shell while we were away is told as one", () => {
  const { of } = away(
    [hello(), clock(100), found(1, 1, "init", 0), found(61, 91, "bash"), found(62, 92, "su", 61), end, tick(101)],
    [hello("B", 60), clock(130), found(1, 1, "init", 0), found(61, 91, "bash"), found(62, 92, "sh", 61), end],
  );
  expect(of("origin.start")).toMatchObject([{ process: { pid: 62 }, stakeout: { origin: { type: "su" } } }]);
});

test("what begins and ends while the list is made is told as it happened, and stays no ghost", () => {
  const { of, state } = away(first, [
    hello(),
    clock(130),
    found(1, 1, "init", 0),
    { kind: "fork", ts: 130.2 * S, parent: 1, pid: 95 },
    ...[60, 61, 62].map((pid) => found(pid, pid + 30)),
    found(93, 120),
    found(95, 130.2),
    { kind: "exit", ts: 130.3 * S, pid: 93 },
    { kind: "exit", ts: 130.4 * S, pid: 61 },
    end,
    tick(132),
  ]);
  expect(of("process.end").map(({ process, event }) => [process?.pid, event.reason])).toEqual([
    [61, undefined],
    [93, undefined],
  ]);
  expect(of("process.fork").map(({ process }) => process?.pid)).toEqual([95]);
  expect(state.pids.has(93)).toBe(false);
  expect(state.pids.has(95)).toBe(true);
});

test("another boot: everything of before has ended, all that is there is new, and its times are of its own clock", () => {
  const { of, state, returned } = away(first, [
    hello("C"),
    clock(5, 400),
    found(1, 0, "init", 0),
    found(60, 4),
    socket(22, "LISTEN"),
    end,
    tick(6),
  ]);
  expect(of("process.end").map(({ process, event }) => [process?.pid, event.reason])).toEqual(
    [1, 60, 61, 62].map((pid) => [pid, "the host was started anew while we were away"]),
  );
  expect(of("baseline.process").map(({ process }) => process?.entity_id)).toEqual(["C:1:0", "C:60:4000000000"]);
  expect(of("baseline.process")[1]?.["@timestamp"]).toBe("2023-11-14T22:19:59.000000Z"); // four seconds after a boot 395 s later
  expect(of("network.end")).toHaveLength(3);
  expect(returned).toMatchObject({
    rebooted: true,
    boots: { before: expect.not.stringMatching(/^C$/), now: "C" },
    processes: { ended: 4, found: 2 },
    connections: { ended: 3 },
  });
  expect(new Set(state.connections.keys()).size).toBe(4);
});

test("a list that another boot has cut off ends nothing of the boot after it", () => {
  const tier: Observation = {
    kind: "tier",
    ts: 102 * S,
    tier: "poll",
    how: "degraded",
    reason: text("gone"),
    kernelBufferBytes: 0,
    blind: [],
  };
  const { of } = away([...first, tier, found(61, 91)], [hello("C", 40), clock(20), found(1, 1, "init", 0), found(30, 5), end, end]);
  expect(of("process.end").map(({ process }) => process?.entity_id.split(":")[0])).toEqual(["B", "B", "B", "B"]);
});

test("what was lost before and after is one sum, and a test that was under way is not missed", () => {
  const { ingest, since } = away(
    [...first, tick(102, 7), { kind: "canary", ts: 103 * S, what: "program", id: 77, path: text("/bin/true") }],
    [hello(), clock(130), found(1, 1, "init", 0), end, tick(131, 0), tick(140, 2)],
  );
  expect(ingest.report).toMatchObject({ lost: 9, canaries: { sent: 0, returned: 0 } });
  expect(since.some(({ event }) => event.action === "sensor.tampered")).toBe(false);
});

test("a hello that nobody expects is not believed, even after one that was", () => {
  const { ingest, drafts } = away(first, [hello(), clock(130), found(1, 1, "init", 0), end]);
  const tampered = () => drafts.filter(({ event }) => event.action === "sensor.tampered").length;
  expect(tampered()).toBe(0);
  ingest.observe(hello("FORGED"));
  expect(tampered()).toBe(1);
});
