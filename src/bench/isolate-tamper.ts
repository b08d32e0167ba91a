import type { Range } from "#range/range";
import type { IsolationPlan } from "#response/isolation/plan";
import { prepareIsolation } from "#response/isolation/prepare";
import { watchIsolation } from "#response/isolation/watch/watch";
import { type Beacon, startBeacon } from "../response/testing/beacon.ts";
import { clear } from "../response/testing/clear.ts";
import { connectRange } from "../response/testing/range-host.ts";
import { type Figure, figure, quantile } from "./figure.ts";

const FLUSHES = 20;
const TAMPER_SECONDS = 60;

/** What root does against the isolation, one after the other. */
const TAMPERS = [
  "nft flush ruleset",
  "nft delete table inet stakeout_isolation",
  "for p in $(grep -lse stakeout-guard /proc/[0-9]*/cmdline | cut -d/ -f3); do kill -9 $p; done 2>/dev/null",
  // a firewall's restart, as firewalld and others do it: flush, then rules of its own
  "nft -f - <<'E'\nflush ruleset\ntable inet fw {\nchain output { type filter hook output priority 0; policy accept; }\n}\nE",
  "nft insert rule inet stakeout_isolation outgoing accept",
] as const;

/** A host that is isolated and watched, with the beacon on it, for as long as `work` takes. */
async function watched(range: Range, guarded: boolean, work: (beacon: Beacon, backs: () => number) => Promise<void>): Promise<void> {
  const host = await connectRange(range);
  const beacon = await startBeacon(range);
  let putBack = 0;
  try {
    const isolate = await prepareIsolation(host.runner, { analyst: "bench", session: "bench", want: "isolate" });
    const done = await isolate.execute({ probeAccess: host.probeAccess });
    isolate.dispose();
    if (!done.ok) throw new Error(`the host was not isolated: ${done.error}`);
    const { guard, ...plan } = isolate.isolation as IsolationPlan;
    if (!guarded) await range.onHost(["sh", "-c", TAMPERS[2]]);
    let looked = false;
    const watch = await watchIsolation(host.runner, guarded && guard ? { ...plan, guard } : plan, new Date().toISOString(), {
      onStatus: (status) => {
        looked = true;
        putBack = status.putBack;
      },
      onFinding: () => {},
      onEnd: () => {},
    });
    while (!looked) await pause(20);
    await work(beacon, () => putBack);
    watch.stop();
  } finally {
    beacon.stop();
    host.vanish();
    await clear(range);
  }
}

export async function tampering(range: Range, report: (figure: Figure) => void): Promise<void> {
  for (const guarded of [false, true]) {
    const back: number[] = [];
    const out: number[] = [];
    await watched(range, guarded, async (beacon) => {
      for (let i = 0; i < FLUSHES; i++) {
        const before = total(await beacon.heard());
        // one shell on the host flushes and asks until the table stands again, by its own clock (proc(5), /proc/uptime is too coarse)
        const script = `perl -MTime::HiRes=time -e 'system "nft flush ruleset"; my $t = time; until (system("nft list table inet stakeout_isolation >/dev/null 2>&1") == 0) { exit 1 if time - $t > 5 } printf "%.3f", (time - $t) * 1000'`;
        const { code, stdout } = await range.onHost(["sh", "-c", script]);
        back.push(code === 0 ? Number(stdout) : Number.POSITIVE_INFINITY);
        await pause(300);
        out.push(total(await beacon.heard()) - before);
      }
    });
    const name = guarded ? "with-guard" : "without-guard";
    report(figure({ name: `rules-back-after-flush-${name}`, value: quantile(back, 0.5), unit: "ms", bar: 100, n: back.length, p: "p50" }));
    report(figure({ name: `rules-back-after-flush-${name}`, value: Math.max(...back), unit: "ms", bar: 100, n: back.length, p: "max" }));
    // six kinds of packet, a thousand a second each: 100 ms' worth is 600
    report(
      figure({
        name: `packets-out-per-flush-${name}`,
        value: Math.max(...out),
        unit: "packets",
        bar: guarded ? 0 : 600,
        n: out.length,
        p: "max",
      }),
    );
  }
  await watched(range, true, async (beacon) => {
    const before = total(await beacon.heard());
    const end = performance.now() + TAMPER_SECONDS * 1000;
    let rounds = 0;
    for (; performance.now() < end; rounds++) {
      await range.onHost(["sh", "-c", TAMPERS[rounds % TAMPERS.length] as string]);
      await pause(250);
    }
    await pause(1500);
    const out = total(await beacon.heard()) - before;
    report(figure({ name: `tamper-${TAMPER_SECONDS}-s-packets-out`, value: out, unit: "packets", bar: rounds * 600, n: rounds, p: "sum" }));
  });
}

const total = (heard: Awaited<ReturnType<Beacon["heard"]>>) => Object.values(heard).reduce((sum, kind) => sum + kind.count, 0);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
