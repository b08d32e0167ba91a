import type { HostRunner } from "#host/runner";
import type { WatchEars } from "#investigation/prepared";
import type { DeadMan } from "#response/isolation/enter/dead-man";
import { keepLease } from "#response/isolation/enter/lease";
import type { IsolationPlan } from "#response/isolation/plan";
import { renewIsolation } from "#response/isolation/renew";
import { type Watch, watchIsolation } from "#response/isolation/watch/watch";

/** A host whose interfaces come and go without end must not keep us making plans. */
const RENEW_EACH_MS = 5000;

const RESTARTED = "the host was started anew and came up isolated; its interfaces are hooked again";

/**
 * Watches an isolation and follows the host: where an interface, an address or a route is new, the plan is made anew under the same mark and
 * the watch goes on with that. Beats for a host that is to revert when we vanish. Of a host that
 * was `restarted` and came up isolated the plan is made anew at once: a boot cannot hook interfaces.
 */
export async function keepIsolation(
  runner: HostRunner,
  plan: IsolationPlan,
  man: DeadMan | undefined,
  ears: WatchEars,
  onPlan: (plan: IsolationPlan) => void,
  restarted = false,
) {
  let stopped = false;
  let renewing = false;
  let again = false;
  let renewed = Number.NEGATIVE_INFINITY;
  let watch: Watch | undefined;
  const lease = man && (await keepLease(runner, man));
  const begin = async (of: IsolationPlan) => {
    const begun = await watchIsolation(runner, of, plan.request.since, {
      onStatus: (status) => stopped || ears.status(status),
      onFinding: (finding) => {
        if (stopped) return;
        ears.finding(finding);
        if (finding.replan && finding.kind !== "not-put-back") void renew(of, finding.title);
      },
      onEnd: (why) => {
        lease?.stop();
        if (!stopped) ears.ended(why);
      },
    });
    watch = begun;
    if (stopped) begun.stop();
  };
  const renew = async (of: IsolationPlan, because: string): Promise<void> => {
    if (renewing) {
      again = true; // what came meanwhile may not be in the facts that are being read
      return;
    }
    renewing = true;
    const early = RENEW_EACH_MS - (performance.now() - renewed);
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    renewed = performance.now();
    if (stopped) return;
    watch?.stop();
    let next = of;
    try {
      next = await renewIsolation(runner, of);
      onPlan(next);
      const { method, script, sha256, leaks, undo, keeps, boot } = next;
      const onDisk = boot ? { on_disk: [boot.unit.path, boot.rules.path] } : {};
      ears.renewed({ kind: "isolate", method, plan: script, plan_sha256: sha256, leaks, undo, keeps, ...onDisk }, because);
    } catch (error) {
      ears.finding({ kind: "not-put-back", title: `The isolation could not follow the host: ${(error as Error).message}`, at: Date.now() });
    }
    renewing = false;
    if (stopped) return;
    if (again) {
      again = false;
      return renew(next, because);
    }
    await begin(next).catch(() => ears.ended("lost"));
  };
  if (restarted) await renew(plan, RESTARTED);
  else await begin(plan);
  return {
    stop() {
      stopped = true;
      lease?.stop();
      watch?.stop();
    },
  };
}
