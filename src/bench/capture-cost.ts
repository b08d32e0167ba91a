import { readFileSync } from "node:fs";
import { setPriority } from "node:os";
import type { Collect } from "#model/observation";
import { argvOnHost, type Executed, execLoad } from "#range/load";
import { exited, runLocal, startBound } from "#range/machine";
import type { Range } from "#range/range";
import { until } from "../sensors/testing/watched.ts";
import { keepAwake } from "./awake.ts";
import { COUNT, FLAT_OUT, monotonic, percent, RATE, settled, type Watching, watching } from "./capture-watch.ts";
import { type Figure, figure, quantile } from "./figure.ts";
import { NICEST } from "./giving-way.ts";
import { costOf } from "./host-cost.ts";

type Report = (figure: Figure) => void;

/** Loads whose cheapest counts: what else runs on this machine can only add to what is measured. */
const RUNS = 3;
const IDLE_MS = 5000;
const PROCESSES = 5000;
/** Of each load that is timed with the tracer and without, by turns. */
const PAIRS = 5;
const EXEC_HEAVY = "for (1 .. 1500) { my $p = fork; exec '/bin/true' unless $p; waitpid $p, 0 }";
const OPEN_HEAVY = "for (1 .. 150000) { open my $f, '<', '/etc/passwd' }";

/**
 * What watching costs the host, idle and at 200 programs a second, and how soon each is told; in the machine's own pid namespace, so that no
 * pid needs mapping. Then the same as a host far away has it, which is asked to compress: with how few bytes, and what that costs it.
 */
export async function cost(range: Range, collect: Collect, report: Report): Promise<void> {
  const awake = keepAwake();
  try {
    const near = await measured(range, collect, false);
    const far = await measured(range, collect, true);
    const { tier } = near;
    const least = (values: readonly number[]) => Math.min(...values);
    const name = (what: string) => `${what}-${tier}`;
    const runs = { n: RUNS, p: `min of ${RUNS} runs` };
    const cores = { unit: "% of a core", ...runs };
    report(figure({ name: name("host-cpu-idle"), value: least(near.idle), bar: 0.2, ...cores }));
    report(figure({ name: name("host-cpu-200-execs"), value: least(near.busy), bar: 4, ...cores }));
    report(figure({ name: name("host-cpu-200-execs-compressed"), value: least(far.busy), bar: null, ...cores }));
    report(figure({ name: name("wire-per-exec"), value: least(far.wire), unit: "B", bar: 300, ...runs }));
    report(figure({ name: name("wire-per-exec-uncompressed"), value: least(near.wire), unit: "B", bar: null, ...runs }));
    const told = { unit: "ms", n: near.delays.length };
    report(figure({ name: name("exec-to-console"), value: quantile(near.delays, 0.5), bar: 3, p: "p50", ...told }));
    report(figure({ name: name("exec-to-console"), value: quantile(near.delays, 0.95), bar: 15, p: "p95", ...told }));
    report(figure({ name: name("host-bytes-written"), value: near.written + far.written, unit: "B", bar: 0, n: 2, p: "sum" }));
    report(
      figure({
        name: name("host-rss-with-sshd"),
        value: near.after.rssKb / 1024,
        unit: "MB",
        bar: null,
        n: near.after.processes,
        p: "sum",
      }),
    );
    report(figure({ name: name("collector-rss"), value: near.rss, unit: "MB", bar: 8, n: 1, p: "sum" }));
  } finally {
    await awake();
  }
}

/** Of one line to the host: shares of a core, bytes an exec, ms from an exec until it was told. */
async function measured(range: Range, collect: Collect, far: boolean) {
  const watch = await watching(range, collect, far);
  try {
    const { tier, sshd } = watch.collector.hello;
    await new Promise((done) => setTimeout(done, 2000)); // the snapshot's own cost is not the question
    const share = async (what: () => Promise<unknown>) => {
      const [before, began] = [costOf(sshd).cpuSeconds, monotonic()];
      await what();
      return percent(costOf(sshd).cpuSeconds - before, monotonic() - began);
    };
    const { bytesWritten } = costOf(sshd);
    const [idle, busy, delays, wire]: [number[], number[], number[], number[]] = [[], [], [], []];
    for (let run = 0; run < RUNS; run++) idle.push(await share(() => new Promise((done) => setTimeout(done, IDLE_MS))));
    for (let run = 0; run < RUNS; run++) {
      const sent = await bytesSent(range);
      let executed: Executed[] = [];
      busy.push(
        await share(async () => {
          executed = await execLoad(range, { perSecond: RATE, count: COUNT });
        }),
      );
      await settled(watch, executed);
      wire.push(((await bytesSent(range)) - sent) / COUNT);
      for (const { pid, monotonic: from } of executed) {
        const came = watch.execs.get(pid);
        if (came) delays.push((came.at - from) * 1000);
      }
    }
    const after = costOf(sshd);
    return { tier, idle, busy, delays, wire, written: after.bytesWritten - bytesWritten, after, rss: rssMb(watch) };
  } finally {
    await watch.collector.stop();
  }
}

const rssMb = ({ collector }: Watching) =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${collector.hello.self}/status`, "latin1"))?.[1] ?? Number.NaN) / 1024;

/** Bytes that the host has sent over its link so far, headers included. */
async function bytesSent(range: Range): Promise<number> {
  const { stdout } = await runLocal(range.inNetns(range.netns.host, ["cat", "/proc/net/dev"]));
  let sum = 0;
  for (const line of stdout.toString().split("\n")) {
    const [device, numbers] = line.split(":");
    if (numbers !== undefined && device?.trim() !== "lo") sum += Number(numbers.trim().split(/\s+/)[8]); // proc(5): the ninth is bytes sent
  }
  return sum;
}

/**
 * How much slower loads of the host's own are while it is watched: shown beside the time that they take alone. The console and its ssh client
 * give way to everything else meanwhile: what is asked is what the host feels.
 */
export async function slowdown(range: Range, report: Report): Promise<void> {
  setPriority(NICEST);
  try {
    await timeLoads(range, report);
  } finally {
    setPriority(0);
  }
}

async function timeLoads(range: Range, report: Report): Promise<void> {
  for (const [name, script] of [
    ["exec-heavy", EXEC_HEAVY],
    ["open-heavy", OPEN_HEAVY],
  ] as const) {
    const [alone, watched]: [number[], number[]] = [[], []];
    const timed = async (into: number[]) => {
      const began = monotonic();
      const { code } = await runLocal(argvOnHost(range, ["nice", "-n", String(-NICEST), "perl", "-e", script])); // nice(1) adds
      if (code !== 0) throw new Error(`the ${name} load ended with exit ${code}`);
      into.push(monotonic() - began);
    };
    for (let pair = 0; pair < PAIRS; pair++) {
      await timed(alone);
      const { collector } = await watching(range, "standard");
      await timed(watched);
      await collector.stop();
    }
    const value = percent(Math.min(...watched) - Math.min(...alone), Math.min(...alone));
    report(figure({ name: `slowdown-${name}`, value, unit: "%", bar: 5, n: PAIRS, p: "min against min" }));
  }
}

/** The first snapshot of a host with thousands of processes. */
export async function crowded(range: Range, report: Report): Promise<void> {
  const script = `$| = 1; my @p; for (1 .. ${PROCESSES}) { my $p = fork; if (!$p) { sleep 3600; exit } push @p, $p } print "there\\n"; <STDIN>; kill 'KILL', @p`;
  const crowd = startBound(argvOnHost(range, ["perl", "-e", script]), ["pipe", "pipe", "ignore"]);
  const ended = exited(crowd);
  try {
    await new Promise((done) => crowd.stdout?.once("data", done));
    const watch = await watching(range, "standard");
    const end = watch.all.find((o) => o.kind === "snapshot-end");
    await watch.collector.stop();
    const [value, n] = end?.kind === "snapshot-end" ? [end.milliseconds, end.processes] : [Number.NaN, 0];
    report(figure({ name: "first-snapshot-5000-processes", value, unit: "ms", bar: 700, n, p: "sum" }));
  } finally {
    crowd.stdin?.end();
    await ended;
  }
}

/** As many programs as the machine starts: all are seen, or what was lost is told. */
export async function storm(range: Range, report: Report): Promise<void> {
  const watch = await watching(range, "standard");
  try {
    const of = (kind: "exec" | "fork" | "exit") => watch.all.filter((o) => o.kind === kind).length;
    const ticks = () => watch.all.flatMap((o) => (o.kind === "tick" ? [o] : []));
    await until(() => ticks().length > 0, "a tick");
    const [lost, seen, began] = [ticks().at(-1)?.lost ?? 0, of("exec") + of("fork") + of("exit"), monotonic()];
    const loads = await Promise.all([0, 1].map(() => execLoad(range, { perSecond: FLAT_OUT, count: 10_000 })));
    const seconds = monotonic() - began;
    const executed = loads.flat();
    await settled(watch, executed);
    const last = ticks().length;
    await until(() => ticks().length > last + 1, "two more ticks");
    const truth = executed.length * 3; // each is begun, executed and ended
    const missing = truth - (of("exec") + of("fork") + of("exit") - seen);
    const said = (ticks().at(-1)?.lost ?? 0) - lost;
    const n = executed.length;
    report(figure({ name: "storm", value: n / seconds, unit: "execs/s", bar: null, n, p: "mean" }));
    report(figure({ name: "storm-lost", value: percent(said, truth), unit: "% of events", bar: null, n: truth, p: "sum" }));
    const error = percent(Math.abs(Math.max(0, missing) - said), truth);
    report(figure({ name: "storm-loss-told-wrong", value: error, unit: "% of events", bar: 2, n: truth, p: "sum" }));
    report(figure({ name: "storm-collector-rss", value: rssMb(watch), unit: "MB", bar: 40, n: 1, p: "sum" }));
  } finally {
    await watch.collector.stop();
  }
}
