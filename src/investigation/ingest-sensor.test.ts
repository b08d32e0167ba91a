import { expect, test } from "vitest";
import { Enricher } from "#analysis/enrich";
import type { EventDraft } from "#model/event";
import type { Observation } from "#model/observation";
import { text } from "#testing/events";
import { hello } from "#testing/observed-host";
import { Ingest } from "./ingest.ts";

const S = 1e9;
const WALL = 1_700_000_000_000_000_000n;
const clock = (seconds: number, offset = 0): Observation => ({
  kind: "clock",
  boot: seconds * S,
  wallNs: WALL + BigInt(Math.round((seconds + offset) * S)),
});
const found = (pid: number, ppid = 1): Observation => ({
  kind: "process",
  pid,
  facts: { ppid, startTicks: pid, comm: text("x"), executable: text("/usr/bin/x") },
});
const tick = (seconds: number, lost = 0): Observation => ({
  kind: "tick",
  ts: seconds * S,
  lost,
  outside: 0,
  unmapped: 0,
  cpuMs: 1,
  rssKb: 1,
  queue: 12,
  undecodable: 3,
});
const ticks = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => tick(from + i));
const exec = (seconds: number, pid: number, path = "/bin/true"): Observation => ({
  kind: "exec",
  ts: seconds * S,
  pid,
  path: text(path),
  facts: { ppid: 60, startTicks: seconds * 100, args: [text(path)] },
});
const start: Observation[] = [
  hello,
  clock(100),
  found(1, 0),
  found(60),
  found(61),
  { kind: "snapshot-end", processes: 3, milliseconds: 5 },
];
const program = (seconds: number, pid: number): Observation => ({
  kind: "canary",
  ts: seconds * S,
  what: "program",
  id: pid,
  path: text("/bin/true"),
});

function run(...observations: Observation[]) {
  return runFrom(start, ...observations);
}
function runFrom(begin: readonly Observation[], ...observations: Observation[]) {
  const drafts: EventDraft[] = [];
  const ingest = new Ingest({
    enricher: new Enricher(undefined, undefined),
    emit: (draft) => drafts.push(structuredClone(draft)),
    askFileInfo: () => {},
    isOurs: () => false,
    onHost: () => {},
  });
  for (const observation of [...begin, ...observations]) ingest.observe(observation);
  const after = drafts.slice(drafts.findIndex(({ event }) => event.action === "baseline.complete") + 1);
  return { ingest, drafts, after, of: (action: string) => after.filter(({ event }) => event.action === action) };
}

test("a program that we run as a test is counted, and is nobody's activity", () => {
  const { after, ingest } = run(
    { kind: "fork", ts: 101 * S, parent: 60, pid: 70 }, // as the kernel tells it, before we could say whose it is
    program(101, 70),
    exec(101.001, 70),
    { kind: "exit", ts: 101.002 * S, pid: 70 },
    tick(102),
  );
  expect(after).toEqual([]);
  expect(ingest.report.canaries).toMatchObject({ sent: 1, returned: 1 });
});

test("where the link of a program is read, /bin/true is /usr/bin/true, or already gone", () => {
  for (const path of ["/usr/bin/true", ""]) expect(run(program(101, 70), exec(101.001, 70, path), tick(107)).after).toEqual([]);
});

test("another program of the same pid, or the same program of another's, is activity like any", () => {
  const { of } = run(program(101, 70), exec(101.1, 71), { kind: "exit", ts: 101.2 * S, pid: 71 }, exec(101.3, 70, "/tmp/evil"));
  expect(of("process.start").map(({ process }) => process?.pid)).toEqual([71, 70]);
});

test("a connection to ourselves is no connection of the host's", () => {
  const ends = { local: { ip: "127.0.0.1", port: 0 }, remote: { ip: "127.0.0.1", port: 4242 } };
  const attempt = (pid: number): Observation => ({
    kind: "socket",
    ts: 101 * S,
    sk: "9",
    pid,
    from: "CLOSE",
    to: "SYN_SENT",
    ...ends,
  });
  const canary: Observation = { kind: "canary", ts: 101 * S, what: "connection", id: 4242 };
  expect(run(canary, attempt(60)).after).toEqual([]);
  expect(run(canary, attempt(61)).of("network.start")).toHaveLength(1);
});

test("a test of ours that does not come back is told as tampering, once, and its return as well", () => {
  const { of } = run(
    program(101, 70),
    ...ticks(103, 107),
    program(107, 71),
    ...ticks(108, 113),
    program(114, 72),
    exec(114.1, 72),
    tick(115),
  );
  expect(of("sensor.tampered").map(({ event }) => event.reason)).toEqual([
    "a program that we ran to test the sensor was not seen within 5 s: somebody may be blinding it",
  ]);
  expect(of("sensor.recovered")).toHaveLength(1);
});

test("a test that is missing while events were lost is a full buffer, not somebody's hand", () => {
  const { of } = run(program(101, 70), tick(107, 50));
  expect(of("sensor.tampered")).toEqual([]);
  expect(of("sensor.degraded").map(({ event }) => event.reason)).toEqual([
    "the kernel dropped 50 events: its buffer was full",
    "a program that we ran to test the sensor was not seen within 5 s: events were lost",
  ]);
});

const memory = (seconds: number, inode: number): Observation => ({
  kind: "canary",
  ts: seconds * S,
  what: "file",
  id: 0,
  path: text(`/dev/shm/#${inode}`),
});
const written = (seconds: number, inode: number, pid?: number): Observation => ({
  kind: "file",
  ts: seconds * S,
  change: "written",
  path: text(`/dev/shm/#${inode}`),
  nameless: "plain",
  ...(pid === undefined ? {} : { pid }),
});
const opening = (seconds: number): Observation => ({ kind: "canary", ts: seconds * S, what: "opening", id: 0, path: text("/run/utmp") });
const opened = (seconds: number, pid: number): Observation => ({ kind: "file-open", ts: seconds * S, pid, path: text("/run/utmp") });

test("a file that we make in memory and an opening of ours are nobody's activity, by a way that tells no pid as well; each proves its own way", () => {
  const { after, ingest, of } = run(
    memory(101, 7),
    written(101.01, 7, 60),
    opening(101),
    opened(101.01, 60),
    memory(102, 8),
    written(102.01, 8),
    tick(107),
  );
  expect(after).toEqual([]);
  expect(ingest.report.canaries).toMatchObject({ sent: 3, returned: 3 });
  expect(Object.keys(ingest.report.proven ?? {}).sort()).toEqual(["file", "opening"]);
  expect(of("sensor.tampered")).toEqual([]);
  const others = run(memory(101, 7), written(101.01, 7, 61), written(101.02, 9, 60), tick(107));
  expect(others.of("file.change").map(({ file }) => file?.path)).toEqual(["/dev/shm/#7", "/dev/shm/#9"]);
  expect(others.of("sensor.tampered").map(({ event }) => event.reason)).toEqual([
    "a file that we made in memory to test the sensor was not seen within 5 s: somebody may be blinding it",
  ]);
});

test("each way of seeing is missed and comes back by itself; what was proven before is not proven any more", () => {
  const { of, ingest } = run(
    ...[program(101, 70), exec(101.1, 70), memory(101, 7), written(101.1, 7, 60), memory(106, 8), tick(112)],
    ...[program(112, 71), exec(112.1, 71), tick(113)],
  );
  expect(of("sensor.tampered")).toHaveLength(1);
  expect(of("sensor.recovered")).toEqual([]); // programs were never missed
  expect(Object.keys(ingest.report.proven ?? {})).toEqual(["program"]);
  const whole = run(memory(101, 7), opening(101), tick(107), memory(108, 8), written(108.1, 8, 60), opening(109), opened(109.1, 60));
  expect(whole.of("sensor.tampered")).toHaveLength(1);
  expect(whole.of("sensor.recovered")).toHaveLength(1); // once both are seen again
});

test("a file's test that is missing after the kernel lost such events is a full queue; what the collector found tampered with is told as that", () => {
  const problem = (what: string, about: "tampered" | "files-lost"): Observation => ({
    kind: "problem",
    what: text(what),
    fatal: false,
    about,
  });
  const { of } = run(memory(101, 7), tick(104), problem("file events were lost", "files-lost"), ...ticks(105, 107));
  expect(of("sensor.tampered")).toEqual([]);
  expect(of("sensor.degraded").map(({ event }) => event.reason)).toEqual([
    "file events were lost",
    "a file that we made in memory to test the sensor was not seen within 5 s: events were lost",
  ]);
  const hands = run(problem("somebody had the kernel watch 0 of our 9 folders", "tampered"));
  expect(hands.of("sensor.tampered").map(({ event }) => event.reason)).toEqual(["somebody had the kernel watch 0 of our 9 folders"]);
});

test("another tier is told with its name and what it cannot see; who went while nobody watched has ended", () => {
  const { of, after } = run(
    {
      kind: "tier",
      ts: 105 * S,
      tier: "cn_proc",
      how: "tampered",
      reason: text("somebody changed x/tracing_on"),
      kernelBufferBytes: 0,
      blind: ["much"],
    },
    found(1, 0),
    found(60),
    found(65),
    { kind: "fork", ts: 105.19 * S, parent: 60, pid: 66 }, // after the list was made
    { kind: "snapshot-end", processes: 3, milliseconds: 1 },
    exec(105.2, 66),
  );
  expect(of("sensor.tampered")[0]?.stakeout).toMatchObject({ tier: "cn_proc", report: { blind: ["much"], kernel_buffer: 0 } });
  expect(of("process.end").map(({ process, stakeout }) => [process?.pid, stakeout.unseen])).toEqual([[61, { "@timestamp": "lost" }]]);
  expect(of("process.start").map(({ process }) => process?.pid)).toEqual([65, 66]);
  expect(after.at(-1)?.stakeout.tier).toBe("cn_proc");
});

test("the blind-spot figures are in the log every ten seconds", () => {
  const { of } = run(exec(100.5, 61), ...ticks(101, 121), tick(121.5));
  expect(of("sensor.report")).toHaveLength(2);
  expect(of("sensor.report")[0]?.stakeout.report).toMatchObject({
    lost: 0,
    raced: 0,
    queue: 12,
    undecodable: 3,
    last_seen: new Date(Number((WALL + 100_500_000_000n) / 1_000_000n)).toISOString().replace("Z", "000Z"),
  });
});

test("nothing is reported of a sensor before it has started, and nothing was seen last before anything was", () => {
  const { drafts } = runFrom([hello, clock(100), tick(111), found(1, 0), { kind: "snapshot-end", processes: 1, milliseconds: 5 }]);
  expect(drafts[0]).toMatchObject({ event: { action: "sensor.start" } });
  expect(drafts[0]?.stakeout.report).not.toHaveProperty("last_seen");
});

test("one record from the far future spoils no time that follows", () => {
  const { after } = run(tick(101), { ...exec(0, 80), ts: 4e18 } as Observation, exec(102, 81), { kind: "exit", ts: 103 * S, pid: 81 });
  const times = after.map((draft) => draft["@timestamp"]);
  expect(times).toEqual([...times].sort());
  expect(after.filter(({ process }) => process?.pid === 81).every((draft) => draft["@timestamp"].startsWith("2023"))).toBe(true);
  expect(after.find(({ process }) => process?.pid === 80)?.["@timestamp"].startsWith("2023")).toBe(true);
});

test("a host that slept is not taken for a liar: its clock is believed when it goes on from there", () => {
  const { after } = run(tick(101), tick(5000), tick(5001), exec(5001.5, 81));
  expect(after.at(-1)?.["@timestamp"].slice(0, 16)).toBe(new Date(Number(WALL / 1_000_000n) + 5_001_500).toISOString().slice(0, 16));
});

test("a clock that is set is told with how far, once it is confirmed; one odd record changes nothing", () => {
  const set = run(clock(110), clock(120, 3600), clock(130, 3600), exec(131, 81));
  expect(set.of("sensor.clock").map(({ event }) => event.reason)).toEqual(["the host's clock was set forward by 3600.0 s"]);
  expect(set.after.at(-1)?.["@timestamp"]).toBe(new Date(Number(WALL / 1_000_000n) + 3_731_000).toISOString().replace("Z", "000Z"));
  const odd = run(clock(110), clock(120, 3e9), clock(130), exec(131, 81));
  expect(odd.of("sensor.clock")).toEqual([]);
  expect(odd.after.at(-1)?.["@timestamp"].slice(0, 4)).toBe("2023");
});

test("a sensor that stood still is said to have; a test that was on its way then is waited for as much longer, and no more", () => {
  const still = [program(101, 70), tick(101.5), tick(113)] as const; // 11.5 s, of which one is what a tick takes
  const { of } = run(...still, tick(114), tick(115), exec(115.5, 70), tick(116));
  expect(of("sensor.degraded").map(({ event }) => event.reason)).toEqual([
    "the sensor stood still for 12 s: what began and ended meanwhile came late, and without what only a living process shows",
  ]);
  expect(of("sensor.tampered")).toEqual([]);
  const never = run(...still, tick(114), tick(115), tick(116), tick(117));
  expect(never.of("sensor.tampered").map(({ event }) => event.reason)).toEqual([
    "a program that we ran to test the sensor was not seen within 5 s: somebody may be blinding it",
  ]);
});

/** What was told, reports of the passing time left out. */
const actions = ({ after }: ReturnType<typeof run>) =>
  after.map(({ event }) => event.action).filter((action) => action !== "sensor.report");

test("a program of ours that the host gives no time is no tampering: its time begins when it does, and after half a minute it is said to prove nothing", () => {
  const waits = (until: number) => Array.from({ length: until - 101 }, (_, i) => [tick(102 + i), program(102 + i, 70)]).flat();
  const slow = run(program(101, 70), ...waits(120), tick(121), exec(121.5, 70), tick(122));
  expect(actions(slow)).toEqual([]);
  expect(slow.ingest.report.canaries).toMatchObject({ sent: 1, returned: 1 });
  const held = run(program(101, 70), ...waits(140));
  expect(held.of("sensor.degraded").map(({ event }) => event.reason)).toEqual([
    "a program of ours that tests the sensor has not begun for 30 s: the host has no time for it, or somebody holds it up; that programs are still shown to us is not proven",
  ]);
  expect(held.ingest.report.proven?.program).toBeUndefined();
  const begun = run(program(101, 70), ...waits(140), exec(140.5, 70), tick(141));
  expect(begun.of("sensor.recovered")).toHaveLength(1);
  expect(run(program(101, 70), ...waits(120), ...ticks(121, 127)).of("sensor.tampered")).toHaveLength(1); // it began, and was not shown
});

test("while so much waits for the line that the kernel's buffers are not read, no test of ours can come back", () => {
  const stuck = (until: number) => ticks(102, until).map((t) => ({ ...t, queue: 5 << 20 }) as Observation);
  expect(actions(run(program(101, 70), ...stuck(120), tick(121), exec(101.1, 70), tick(122)))).toEqual([]);
  expect(run(program(101, 70), ...stuck(120), ...ticks(121, 128)).of("sensor.tampered")).toHaveLength(1);
});

test("a sensor that is stopped again and again, each time for less than is told, is said to be; one that only works long is not", () => {
  const slowly = (each: number, cpuMs: number) =>
    run(
      tick(101),
      ...Array.from({ length: 12 }, (_, i): Observation => ({ ...tick(101 + each * (i + 1)), cpuMs: cpuMs * i }) as Observation),
    );
  const told = slowly(4.9, 20).of("sensor.degraded");
  expect(told.length).toBeGreaterThan(5); // it is not said to have passed in between
  expect(told[0]?.event.reason).toMatch(/^the sensor stood still for 5 s, again and again: /);
  expect(slowly(4.9, 20).of("sensor.recovered")).toEqual([]);
  expect(slowly(4.9, 4500).of("sensor.degraded")).toEqual([]);
  expect(slowly(2, 0).of("sensor.degraded")).toEqual([]);
  const twice = [tick(101), tick(105.9), ...ticks(107, 160), tick(164.9), ...ticks(166, 170)];
  expect(run(...twice).of("sensor.degraded")).toEqual([]);
});

test("what passes by itself is over when it has not come again for ten seconds; what lasts is not", () => {
  const passed = run(tick(101), tick(102, 5), ...ticks(103, 111).map((t) => ({ ...t, lost: 5 }) as Observation));
  expect(passed.of("sensor.recovered")).toEqual([]);
  const over = run(tick(101), tick(102, 5), ...ticks(103, 113).map((t) => ({ ...t, lost: 5 }) as Observation));
  expect(over.of("sensor.recovered").map(({ event }) => event.reason)).toEqual([
    "for 10 s nothing more was lost or late; what was lost before stays counted",
  ]);
  for (const about of ["passing", "files-lost"] as const) {
    const spared = run(tick(101), { kind: "problem", what: text("too much at once"), fatal: false, about }, ...ticks(102, 113));
    expect(spared.of("sensor.degraded").map(({ event }) => event.reason)).toEqual(["too much at once"]);
    expect(spared.of("sensor.recovered")).toHaveLength(1);
  }
  const lasts = run(
    { kind: "problem", what: text("a folder is gone"), fatal: false },
    tick(101),
    tick(102, 5),
    ...ticks(103, 120).map((t) => ({ ...t, lost: 5 }) as Observation),
  );
  expect(lasts.of("sensor.recovered")).toEqual([]);
});
