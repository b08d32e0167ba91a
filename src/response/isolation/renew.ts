import type { HostRunner } from "#host/runner";
import { bootFunctions } from "./boot/script.ts";
import { SURVIVE_MS } from "./enter/execute.ts";
import { SURVIVE } from "./enter/script.ts";
import { collectFacts } from "./facts/collect.ts";
import { guardFunctions } from "./guard.ts";
import { METHODS } from "./methods/methods.ts";
import { PREAMBLE } from "./methods/shell-words.ts";
import { type IsolationPlan, planIsolation } from "./plan.ts";
import { endWatches } from "./processes.ts";
import { ResponseRefused } from "./refused.ts";
import { Shell } from "./shell.ts";

/** Without a word from us for this long after the new rules, the host takes the old ones again. */
const BACK_SECONDS = 20;

/**
 * Makes the isolation anew for the host as it is now (a new interface, address or route), under the same mark: nobody more is let in,
 * and nothing is let out in between, since each table is replaced in one transaction while the other stands. The host takes the old rules
 * again if we are not heard any more. The watch must have been stopped, or it would put the old ones back.
 * @returns the plan that stands now. Rejects where it could not be made: then the old one stands.
 */
export async function renewIsolation(runner: HostRunner, plan: IsolationPlan): Promise<IsolationPlan> {
  const shell = await Shell.open(runner);
  try {
    const partners = plan.allowed;
    const facts = await collectFacts(shell, [...partners, ...plan.servers.map((s) => s.ip)]);
    // released meanwhile, or taken away: that is for people to decide, and the watch says that it does not stand
    if (!facts.isolation) throw new ResponseRefused("The host shows no isolation any more.", "Isolate it again, if it is to be.");
    if (facts.isolation.nonce !== undefined && facts.isolation.nonce !== plan.nonce)
      throw new ResponseRefused("Another console has isolated the host anew.", "Its plan holds: look at who it is.");
    const method = METHODS.find(({ id }) => id === plan.method);
    if (!method) throw new Error(`There is no method '${plan.method}'.`);
    const next = planIsolation(facts, { ...plan.request, partners }, method);
    if (next instanceof ResponseRefused) throw next;
    const put = async () => shell.run(renewScript(plan, next), 30_000);
    const { code, output } = await put();
    if (code !== 0) throw new ResponseRefused(`The host refused the new rules: ${output.trim().slice(0, 300)}`, "The old ones stand.");
    const stood = await shell.run(`kill $renewing 2>/dev/null; ${next.stands}`, 10_000);
    if (stood.code !== 0) throw new ResponseRefused("The new rules do not stand.", "Look at the host: release, and isolate again.");
    // where it fails, the watch finds that the files are not there and says so
    if (next.boot) await shell.run(`${bootFunctions(next.boot)}\n{ ${PREAMBLE}; boot_stands; } || ${SURVIVE}`, SURVIVE_MS);
    return next;
  } finally {
    shell.close();
  }
}

function renewScript(old: IsolationPlan, next: IsolationPlan): string {
  const guarded = (plan: IsolationPlan) => (plan.guard ? `${guardFunctions(plan.guard)}\nguard_up` : ":");
  return `${PREAMBLE}
( ${endWatches(old.nonce)} ) 2>/dev/null
( trap '' HUP; sleep ${BACK_SECONDS}
${old.reapply}
${guarded(old)} ) </dev/null >/dev/null 2>&1 &
renewing=$!
${next.reapply}
code=$?
[ $code = 0 ] && { ${guarded(next)}
}
(exit $code)`;
}
