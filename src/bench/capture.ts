import type { Collect } from "#model/observation";
import { type Executed, execLoad } from "#range/load";
import { type Range, startRange } from "#range/range";
import { until } from "../sensors/testing/watched.ts";
import { keepAwake } from "./awake.ts";
import { cost, crowded, slowdown, storm } from "./capture-cost.ts";
import { connectionPeer, connections, scanPeer } from "./capture-peers.ts";
import { COUNT, FLAT_OUT, percent, RATE, settled, type Watching, watching } from "./capture-watch.ts";
import { execPeers, PEER_PACKAGES } from "./exec-peers.ts";
import { type Figure, figure } from "./figure.ts";
import { givingWay } from "./giving-way.ts";

/**
 * What is seen of short lives, of their arguments and of connections, how soon, and at what price for the host; each beside a peer in the
 * same run, and checked against the load's own record. On hosts in namespaces; where cost counts, in the machine's own pid namespace.
 */
export async function bench(report: (figure: Figure) => void): Promise<void> {
  const say = (line: string) => process.stderr.write(`stakeout: ${line}\n`);
  const range = await startRange({ say, pidNamespace: false, packages: PEER_PACKAGES });
  try {
    for (const collect of ["standard", "full"] as const) {
      await cost(range, collect, report);
      await programs(range, collect, report);
    }
    await execPeers(range, report);
    await connected(range, report);
    await slowdown(range, report);
    await storm(range, report);
    await crowded(range, report);
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

async function programs(range: Range, collect: Collect, report: (figure: Figure) => void, suffix = ""): Promise<void> {
  const watch = await watching(range, collect);
  const awake = keepAwake();
  try {
    const { tier, pids } = watch.collector.hello;
    const load = pids === "mapped" ? { afterMs: 2500 } : {};
    const name = (what: string) => `${what}-${tier}${suffix}`;
    const snapshot = watch.all.find((o) => o.kind === "snapshot-end");
    if (snapshot?.kind === "snapshot-end")
      report(figure({ name: name("first-snapshot"), value: snapshot.milliseconds, unit: "ms", bar: 400, n: snapshot.processes, p: "sum" }));
    const peer = scanPeer(range);
    const run = (what: Parameters<typeof execLoad>[1]) => givingWay(() => execLoad(range, { ...load, ...what }));
    const executed = await run({ perSecond: RATE, count: COUNT });
    const scanned = await peer.seen();
    await settled(watch, executed);
    const scanPercent = percent(executed.filter(({ pid }) => scanned.has(pid)).length, COUNT);
    const beside = { name: "/proc every 100 ms", value: Math.round(scanPercent * 10) / 10 };
    seen(watch, executed, name("execs-instant-200"), report, beside);
    argumentsOf(watch, executed, name("args-instant-200"), collect === "full" ? 100 : 0, report);
    const brief = await run({ perSecond: RATE, count: COUNT / 2, lifeMs: 1 });
    await settled(watch, brief);
    argumentsOf(watch, brief, name("args-1ms-200"), collect === "full" ? 100 : 95, report);
    const burst = await run({ perSecond: FLAT_OUT, count: COUNT });
    await settled(watch, burst);
    seen(watch, burst, name("execs-instant-flat-out"), report);
    argumentsOf(watch, burst, name("args-instant-flat-out"), collect === "full" ? 100 : 0, report);
  } finally {
    await awake();
    await watch.collector.stop();
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
      const owners = () => new Map(attempts().flatMap((o) => (o.kind === "socket" && o.sk !== undefined ? [[o.sk, o.pid] as const] : [])));
      const seenOf = (sockets: ReadonlyMap<string, unknown>) => {
        const opened = watch.all.flatMap((o) =>
          o.kind === "socket" && o.to === "ESTABLISHED" && o.sk !== undefined && sockets.has(o.sk) ? [o.local.port] : [],
        );
        return made.ports.filter((port) => opened.includes(port)).length;
      };
      await until(() => attempts().length >= COUNT && seenOf(owners()) >= COUNT, "every connection", 5).catch(() => {});
      const sockets = owners();
      const found = seenOf(sockets);
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
    if (tick?.kind === "tick") report(figure({ name: "events-lost", value: tick.lost, unit: "events", bar: 0, n: 1, p: "sum" }));
  } finally {
    await awake();
    await watch.collector.stop();
  }
}
