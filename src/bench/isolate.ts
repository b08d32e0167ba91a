import type { Range } from "#range/range";
import { startRange } from "#range/range";
import { prepareIsolation } from "#response/isolation/prepare";
import { Shell } from "#response/isolation/shell";
import { type Beacon, type Kind, startBeacon } from "../response/testing/beacon.ts";
import { clear } from "../response/testing/clear.ts";
import { connectRange, type RangeHost } from "../response/testing/range-host.ts";
import { type Figure, figure, quantile } from "./figure.ts";
import { console_ } from "./isolate-console.ts";
import { matrix } from "./isolate-matrix.ts";
import { tampering } from "./isolate-tamper.ts";

const TRIES = 20;
/** The raw command beside it needs no proof of its own. */
const RAW_TRIES = 5;
const IP_KINDS: readonly Kind[] = ["tcp", "udp", "udp6", "icmp"];
/** What each method claims to stop. */
const METHODS: Readonly<Record<string, readonly Kind[]>> = {
  "nft inet+netdev": [...IP_KINDS, "raw", "bypass"],
  "nft inet": IP_KINDS,
  "iptables-nft": IP_KINDS,
  "iptables-legacy": IP_KINDS,
  routes: IP_KINDS,
};

/**
 * Isolation's figures, on hosts in namespaces: Enter to the last hostile packet of each kind at a thousand a second, each method's raw
 * command beside it; how soon it is proven; from the beacon on the screen to the proven cut, through the program itself; what root wins by
 * tampering; and whether any analyst is locked out. STAKEOUT_BENCH_PART names parts to run alone.
 */
export async function bench(report: (figure: Figure) => void): Promise<void> {
  const range = await startRange({ say: (line) => process.stderr.write(`stakeout: ${line}\n`) });
  const wanted = process.env["STAKEOUT_BENCH_PART"]?.split(",");
  const part = async (name: string, run: () => Promise<void>) => {
    if (wanted && !wanted.includes(name)) return;
    const began = performance.now();
    await run();
    process.stderr.write(`stakeout: ${name} took ${Math.round((performance.now() - began) / 1000)} s\n`);
  };
  try {
    const rtt = await roundTrip(range);
    report(figure({ name: "ssh-round-trip", value: rtt, unit: "ms", bar: 20, n: 50, p: "p50" }));
    for (const [method, kinds] of Object.entries(METHODS)) await part(idOf(method), () => cuts(range, method, kinds, rtt, report));
    await part("console", () => console_(range, report));
    await part("tamper", () => tampering(range, report));
    await part("matrix", () => matrix(range, report));
  } finally {
    await range.stop();
  }
}

const idOf = (method: string) => method.replaceAll(/[ +]/g, "-");

async function roundTrip(range: Range): Promise<number> {
  const host = await connectRange(range);
  const shell = await Shell.open(host.runner);
  const taken: number[] = [];
  for (let i = 0; i < 50; i++) taken.push((await shell.run("true", 10_000)).milliseconds);
  shell.close();
  host.vanish();
  return quantile(taken, 0.5);
}

/** What was measured of one method. */
class Measured {
  readonly ours = new Map<Kind, number[]>();
  readonly raw = new Map<Kind, number[]>();
  readonly proven: number[] = [];
  readonly whole: number[] = [];
  failed = 0;
}

/** One method: our Enter, then its raw command, each under a beacon of its own: one that was cut comes back only by its own retries. */
async function cuts(range: Range, method: string, kinds: readonly Kind[], rtt: number, report: (figure: Figure) => void): Promise<void> {
  const measured = new Measured();
  const host = await connectRange(range);
  let apply = "";
  try {
    for (let i = 0; i < TRIES + RAW_TRIES; i++) {
      const raw = i >= TRIES;
      await underBeacon(range, async (beacon) => {
        if (raw) await rawTry(host, beacon, apply, kinds, measured.raw);
        else apply = await ourTry(host, beacon, method, kinds, measured);
      }).catch((error: Error) => {
        if (!raw) measured.failed += 1;
        process.stderr.write(`stakeout: ${method}, try ${i + 1}: ${error.message.slice(0, 500)}\n`);
      });
    }
  } finally {
    host.vanish();
  }
  tell(idOf(method), method, kinds, rtt, measured, report);
}

async function underBeacon(range: Range, work: (beacon: Beacon) => Promise<void>): Promise<void> {
  const beacon = await startBeacon(range);
  try {
    await work(beacon);
  } finally {
    beacon.stop();
    await clear(range);
  }
}

/** @returns the method's own command, to be run raw */
async function ourTry(host: RangeHost, beacon: Beacon, method: string, kinds: readonly Kind[], measured: Measured): Promise<string> {
  const began = performance.now();
  const plan = await prepareIsolation(host.runner, { analyst: "bench", session: "bench", method, want: "isolate" });
  try {
    const enter = now();
    const done = await plan.execute({ probeAccess: host.probeAccess });
    if (!done.ok) throw new Error(done.error);
    measured.whole.push(performance.now() - began);
    const cutAt = (done.steps ?? [])
      .filter((step) => step.name === "armed" || step.name === "cut")
      .reduce((sum, step) => sum + step.milliseconds, 0);
    measured.proven.push(done.durationNs / 1e6 - cutAt);
    await note(beacon, kinds, enter, measured.ours);
    const apply = plan.isolation?.apply ?? "";
    return typeof apply === "string" ? apply : `${apply.reads} <<'rules'\n${apply.rules}rules`;
  } finally {
    plan.dispose();
  }
}

/** The same rules by nothing but their tool, over a shell that is open already. */
async function rawTry(host: RangeHost, beacon: Beacon, apply: string, kinds: readonly Kind[], into: Map<Kind, number[]>): Promise<void> {
  const shell = await Shell.open(host.runner);
  try {
    const sent = now();
    const { code, output } = await shell.run(`PATH=$PATH:/usr/sbin:/sbin\n${apply}`, 15_000);
    if (code !== 0) throw new Error(`the raw command failed: ${output}`);
    await note(beacon, kinds, sent, into);
  } finally {
    shell.close();
  }
}

/** When the last packet of each kind came, behind `since`; a kind that still comes counts as a second. */
async function note(beacon: Beacon, kinds: readonly Kind[], since: number, into: Map<Kind, number[]>): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 150)); // what still flows is seen to flow
  const heard = await beacon.heard();
  const at = now();
  for (const kind of kinds) {
    const leaks = at - heard[kind].last < 50;
    into.set(kind, [...(into.get(kind) ?? []), leaks ? 1000 : Math.max(0, heard[kind].last - since)]);
  }
}

function tell(
  id: string,
  method: string,
  kinds: readonly Kind[],
  rtt: number,
  { ours, raw, proven, whole, failed }: Measured,
  report: (figure: Figure) => void,
): void {
  const most = (values: readonly number[]) => (values.length === 0 ? Number.NaN : Math.max(...values));
  for (const kind of kinds) {
    const mine = ours.get(kind) ?? [];
    const name = `last-${kind}-${id}`;
    const beside = (p: number) => {
      const value = quantile(raw.get(kind) ?? [], p);
      return { name: `raw ${method}`, value: Number.isFinite(value) ? Math.round(value * 10) / 10 : null };
    };
    const median = { value: quantile(mine, 0.5), bar: Math.round(rtt + 10), p: "p50", peer: beside(0.5) };
    report(figure({ name, unit: "ms", n: mine.length, ...median }));
    report(figure({ name, unit: "ms", n: mine.length, value: most(mine), bar: 50, p: "max", peer: beside(1) }));
  }
  report(figure({ name: `cut-not-proven-${id}`, value: failed, unit: "tries", bar: 0, n: TRIES, p: "sum" }));
  report(figure({ name: `verification-${id}`, value: quantile(proven, 0.5), unit: "ms", bar: 1000, n: proven.length, p: "p50" }));
  report(figure({ name: `planned-to-verified-${id}`, value: most(whole) / 1000, unit: "s", bar: 30, n: whole.length, p: "max" }));
}

const now = () => performance.timeOrigin + performance.now();
