import type { Collect, Observation } from "#model/observation";
import { type Executed, execLoad } from "#range/load";
import { runLocal } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { type Collector, startCollector } from "#sensors/collector";
import { sshRunner } from "../sensors/testing/ssh-runner.ts";
import { until } from "../sensors/testing/watched.ts";
import { keepAwake } from "./awake.ts";
import { connectionPeer, connections, scanPeer } from "./capture-peers.ts";
import { type Figure, figure, quantile } from "./figure.ts";
import { costOf } from "./host-cost.ts";

const RATE = 200;
const COUNT = 1000;
/** More than any machine starts: it goes as fast as it can. */
const FLAT_OUT = 100_000;
const monotonic = () => Number(process.hrtime.bigint()) / 1e9;

type Exec = Extract<Observation, { kind: "exec" }>;
interface Watching {
  collector: Collector;
  all: Observation[];
  /** When each exec came, by pid: seconds of CLOCK_MONOTONIC, the load's own clock. */
  execs: Map<number, { exec: Exec; at: number }>;
}

/**
 * What is seen of short lives, of their arguments and of connections, how soon, and at what price for the host; each beside a peer in the
 * same run, and checked against the load's own record. On hosts in namespaces; where cost counts, in the machine's own pid namespace.
 */
export async function bench(report: (figure: Figure) => void): Promise<void> {
  const say = (line: string) => process.stderr.write(`stakeout: ${line}\n`);
  const range = await startRange({ say, pidNamespace: false });
  try {
    for (const collect of ["standard", "full"] as const) await programs(range, collect, report);
    await connected(range, report);
  } finally {
    await range.stop();
  }
  const mapped = await startRange({ say });
  try {
    await programs(mapped, "full", report, "-mapped");
  } finally {
    await mapped.stop();
  }
}

async function watching(range: Range, collect: Collect): Promise<Watching> {
  const all: Observation[] = [];
  const execs: Watching["execs"] = new Map();
  const collector = await startCollector(sshRunner(range), {
    collect,
    onObservations: (batch) => {
      const at = monotonic();
      for (const observation of batch) {
        all.push(observation);
        if (observation.kind === "exec") execs.set(observation.pid, { exec: observation, at });
      }
    },
  });
  await until(() => all.some(({ kind }) => kind === "snapshot-end"), "the first snapshot");
  return { collector, all, execs };
}

const percent = (part: number, whole: number) => (whole === 0 ? Number.NaN : (100 * part) / whole);

async function programs(range: Range, collect: Collect, report: (figure: Figure) => void, suffix = ""): Promise<void> {
  const watch = await watching(range, collect);
  const awake = keepAwake();
  try {
    const { tier } = watch.collector.hello;
    const name = (what: string) => `${what}-${tier}${suffix}`;
    const snapshot = watch.all.find((o) => o.kind === "snapshot-end");
    if (snapshot?.kind === "snapshot-end")
      report(figure({ name: name("first-snapshot"), value: snapshot.milliseconds, unit: "ms", bar: 400, n: snapshot.processes, p: "sum" }));
    const root = watch.collector.hello.sshd;
    const measured = suffix === "" ? costOf(root) : undefined;
    const began = monotonic();
    const peer = scanPeer(range);
    const executed = await execLoad(range, { perSecond: RATE, count: COUNT });
    const scanned = await peer.seen();
    const wall = monotonic() - began;
    await settled(watch, executed);
    if (measured) {
      const cost = costOf(root);
      const cpu = percent(cost.cpuSeconds - measured.cpuSeconds, wall);
      report(
        figure({ name: name("host-cpu-200-execs"), value: cpu, unit: "% of a core", bar: collect === "full" ? 4 : 4, n: COUNT, p: "mean" }),
      );
      report(figure({ name: name("host-rss"), value: cost.rssKb / 1024, unit: "MB", bar: 40, n: cost.processes, p: "sum" }));
      report(
        figure({ name: name("host-bytes-written"), value: cost.bytesWritten - measured.bytesWritten, unit: "B", bar: 0, n: 1, p: "sum" }),
      );
    }
    const scanPercent = percent(executed.filter(({ pid }) => scanned.has(pid)).length, COUNT);
    const beside = { name: "/proc every 100 ms", value: Math.round(scanPercent * 10) / 10 };
    seen(watch, executed, name("execs-instant-200"), report, beside);
    argumentsOf(watch, executed, name("args-instant-200"), collect === "full" ? 100 : 0, report);
    const delays = executed.flatMap(({ pid, monotonic: from }) => {
      const came = watch.execs.get(pid);
      return came ? [(came.at - from) * 1000] : [];
    });
    report(figure({ name: name("exec-to-console"), value: quantile(delays, 0.5), unit: "ms", bar: 3, n: delays.length, p: "p50" }));
    report(figure({ name: name("exec-to-console"), value: quantile(delays, 0.95), unit: "ms", bar: 15, n: delays.length, p: "p95" }));
    const brief = await execLoad(range, { perSecond: RATE, count: COUNT / 2, lifeMs: 1 });
    await settled(watch, brief);
    argumentsOf(watch, brief, name("args-1ms-200"), collect === "full" ? 100 : 95, report);
    const burst = await execLoad(range, { perSecond: FLAT_OUT, count: COUNT });
    await settled(watch, burst);
    seen(watch, burst, name("execs-instant-flat-out"), report);
    argumentsOf(watch, burst, name("args-instant-flat-out"), collect === "full" ? 100 : 0, report);
  } finally {
    await awake();
    await watch.collector.stop();
  }
}

/** Waits until the last of them has come, or until nothing comes any more. */
async function settled({ execs, all }: Watching, executed: readonly Executed[]): Promise<void> {
  let before = -1;
  for (let quiet = 0; quiet < 10 && executed.some(({ pid }) => !execs.has(pid)); quiet = all.length === before ? quiet + 1 : 0) {
    before = all.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

function seen(watch: Watching, executed: readonly Executed[], name: string, report: (figure: Figure) => void, peer?: Figure["peer"]): void {
  const found = executed.filter(({ pid, args }) => watch.execs.get(pid)?.exec.path === args[0]).length;
  const value = percent(found, executed.length);
  report(figure({ name, value, unit: "%", bar: 100, better: "higher", n: executed.length, p: "sum", ...(peer ? { peer } : {}) }));
}

/** How many have every argument right; one with another's arguments is a fault of its own figure. */
function argumentsOf(watch: Watching, executed: readonly Executed[], name: string, bar: number, report: (figure: Figure) => void): void {
  let [right, wrong] = [0, 0];
  for (const { pid, args } of executed) {
    const told = watch.execs.get(pid)?.exec.facts;
    if (told?.args === undefined) continue;
    if (!told.argsCut && JSON.stringify(told.args) === JSON.stringify(args)) right += 1;
    else wrong += 1;
  }
  const n = executed.length;
  report(figure({ name, value: percent(right, n), unit: "%", bar, better: "higher", n, p: "sum" }));
  report(figure({ name: `${name}-wrong`, value: wrong, unit: "programs", bar: 0, n, p: "sum" }));
}

async function connected(range: Range, report: (figure: Figure) => void): Promise<void> {
  const watch = await watching(range, "standard");
  const awake = keepAwake();
  try {
    for (const [rate, label] of [
      [RATE, "200"],
      [FLAT_OUT, "flat-out"],
    ] as const) {
      const peer = connectionPeer(range);
      const made = await connections(range, rate, COUNT);
      const polled = await peer.seen();
      const attempts = () => watch.all.filter((o) => o.kind === "socket" && o.to === "SYN_SENT" && o.remote.port === made.port);
      await until(() => attempts().length >= COUNT, "every connection", 5).catch(() => {});
      const sockets = new Map(attempts().flatMap((o) => (o.kind === "socket" && o.sk !== undefined ? [[o.sk, o.pid] as const] : [])));
      const opened = watch.all.flatMap((o) =>
        o.kind === "socket" && o.to === "ESTABLISHED" && o.sk !== undefined && sockets.has(o.sk) ? [o.local.port] : [],
      );
      const found = made.ports.filter((port) => opened.includes(port)).length;
      const owned = [...sockets.values()].filter((pid) => pid === made.pid).length;
      const beside = {
        name: "ss -tnH every second",
        value: Math.round(percent(made.ports.filter((port) => polled.has(port)).length, COUNT) * 10) / 10,
      };
      const percentage = { unit: "%", bar: 100, better: "higher", n: COUNT, p: "sum" } as const;
      report(figure({ name: `connections-${label}`, value: percent(found, COUNT), ...percentage, peer: beside }));
      report(figure({ name: `connections-owner-${label}`, value: percent(owned, COUNT), ...percentage }));
    }
    await until(() => watch.all.some(({ kind }) => kind === "tick"), "a tick");
    const tick = watch.all.findLast((o) => o.kind === "tick");
    const outside = await runLocal(["cat", `/proc/${watch.collector.hello.self}/status`]);
    const rss = Number(/^VmRSS:\s+(\d+)/m.exec(outside.stdout.toString())?.[1] ?? Number.NaN);
    report(figure({ name: "collector-rss", value: rss / 1024, unit: "MB", bar: 8, n: 1, p: "sum" }));
    if (tick?.kind === "tick") report(figure({ name: "events-lost", value: tick.lost, unit: "events", bar: 0, n: 1, p: "sum" }));
  } finally {
    await awake();
    await watch.collector.stop();
  }
}
