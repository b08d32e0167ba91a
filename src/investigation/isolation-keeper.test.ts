import { beforeEach, expect, test } from "vitest";
import type { EventDraft, StakeoutEvent } from "#model/event";
import type { HostString } from "#model/host-string";
import type { IsolationStatus } from "#response/isolation/watch/status";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import type { State } from "#state/state";
import { IsolationKeeper } from "./isolation-keeper.ts";
import type { StartWatch, WatchEars } from "./prepared.ts";

const NOON = Date.UTC(2026, 10, 28, 12);
let state: State;
let events: StakeoutEvent[];
let clock: number;
let ears: WatchEars;
let stopped: number;
let keeper: IsolationKeeper;

const append = (draft: EventDraft) => {
  const event = {
    ...draft,
    event: { kind: "event", ...draft.event, sequence: events.length + 1, created: new Date(clock).toISOString() },
    host: { id: "h", name: "devbox" },
    stakeout: { schema: 1, session: "s", prev: "0", ...draft.stakeout },
  } as StakeoutEvent;
  events.push(event);
  reduce(state, event);
};
const start: StartWatch = async (given) => {
  ears = given;
  return { stop: () => stopped++ };
};
const status = (more: Partial<IsolationStatus> = {}): IsolationStatus => ({
  method: "nft inet+netdev",
  since: "",
  holds: true,
  wrong: [],
  lookedAt: clock - 1000,
  verifiedAt: clock - 1000,
  out: 0,
  dropped: 1312,
  guard: "up",
  putBack: 0,
  ...more,
});
const hostNow = () => new Date(clock).toISOString();
const actions = () => events.map(({ event }) => event.action);

beforeEach(() => {
  [state, events, clock, stopped] = [emptyState(), [], NOON, 0];
  keeper = new IsolationKeeper({ state, append, hostNow, offset: () => 1000, changed: () => {} });
  const response = { id: "r1", kind: "isolate" as const, method: "nft inet+netdev", verified: { access: true, cut: true } };
  append({
    "@timestamp": hostNow(),
    event: { action: "response.succeeded", category: [], type: [] },
    stakeout: { sensor: "console", tier: "analyst", analyst: "jm", response },
  });
  keeper.begin("r1", "jm", start);
});

test("each look is an event of the sensor that the watch is, and the log alone gives the same state", async () => {
  ears.status(status());
  clock += 1000;
  ears.status(status({ holds: false, wrong: ["our inet table is not in the kernel"], verifiedAt: clock - 2000, out: 3 }));
  clock += 1000;
  ears.status(status({ putBack: 1, out: 3, dropped: 1400 }));
  expect(actions().slice(1)).toEqual(["sensor.start", "sensor.degraded", "sensor.recovered"]);
  // our clock is a second behind the host's
  expect(state.isolated?.watch).toEqual({
    report: { holds: true, verified: expect.any(String), out: 3, dropped: 1400, guard: "up", put_back: 1 },
    at: clock,
    verified: clock,
    status: "running",
  });
  expect(state.sensors.size).toBe(0);
  const again = emptyState();
  for (const event of JSON.parse(JSON.stringify(events)) as StakeoutEvent[]) reduce(again, event);
  expect(again.isolated).toEqual(state.isolated);
});

test("what the watch finds is a finding, with the process of the picture where pid and name agree", () => {
  state.pids.set(812, "B:812:1");
  state.processes.set("B:812:1", { id: "B:812:1", pid: 812, name: "nft" as HostString, children: new Set() } as never);
  ears.finding({ kind: "isolation-removed", title: "Somebody removed the isolation", at: 0, by: { pid: 812, name: "nft" as HostString } });
  ears.finding({ kind: "isolation-changed", title: "Somebody changed it", at: 0, by: { pid: 812, name: "perl" as HostString } });
  expect([...state.findings.values()]).toMatchObject([
    { id: "isolation-1", level: "critical", technique: ["T1562.004"], entities: ["B:812:1"], by: { pid: 812 } },
    { id: "isolation-2", entities: [], by: { pid: 812, name: "perl" } },
  ]);
});

test("an isolation that follows the host is the same one, since the same time", () => {
  const { since } = state.isolated ?? {};
  ears.status(status({ putBack: 1 }));
  clock += 5000;
  ears.renewed({ kind: "isolate", method: "nft inet+netdev", plan: "new" }, "A new interface: extra");
  ears.status(status({ dropped: 8, putBack: 0 })); // the new rules count from nothing
  expect(state.isolated).toMatchObject({ response: "r1", since, watch: { report: { dropped: 1320, put_back: 1 } } });
  expect(state.responses.get("r1")).toMatchObject({ plan: "new", analyst: "jm" });
});

test("a watch that is lost is said to be; one that a release ends is stopped, and begins anew where the release fails", async () => {
  ears.status(status());
  ears.ended("lost");
  expect(state.isolated?.watch?.status).toBe("lost");
  keeper.begin("r1", "jm", start);
  await Promise.resolve();
  const first = ears;
  const failed = Promise.withResolvers<boolean>();
  keeper.releasing(failed.promise);
  failed.resolve(false);
  await failed.promise;
  await Promise.resolve();
  expect(ears).not.toBe(first);
  expect(stopped).toBe(2); // the one that was lost, and the one that was ended by the release
  ears.ended("lost");
  const lost = ears;
  keeper.again(); // the connection is there again
  expect(ears).not.toBe(lost);
  first.status(status()); // what an old watch says counts no more
  expect(actions().filter((action) => action === "sensor.start")).toHaveLength(1);
});

test("that it would not survive a reboot any more stands in the picture, and a host that was started anew is told to whoever keeps it", () => {
  ears.status(status({ boot: "kept" }));
  ears.finding({ kind: "boot-lost", title: "The isolation would not survive a reboot", at: clock });
  ears.status(status({ boot: "lost" }));
  expect(state.isolated?.watch?.report.boot).toBe("lost");
  expect(events.find(({ event }) => event.action === "finding.create")?.stakeout.finding).toMatchObject({
    rule: "boot-lost",
    level: "critical",
    technique: ["T1562.004"],
  });
  const told: (boolean | undefined)[] = [];
  keeper.begin("r1", "jm", async (given, restarted) => {
    told.push(restarted);
    ears = given;
    return { stop: () => {} };
  });
  ears.ended("lost");
  keeper.again(true);
  expect(told).toEqual([false, true]);
});
