import type { StakeoutEvent } from "#model/event";
import { spread } from "./decisions.ts";
import type { State } from "./state.ts";
import type { Millis } from "./time.ts";

/** Findings that are kept, and things that they brought back: the log has them all. So many findings go at once. */
const MOST_FINDINGS = 5000;
const GO_AT_ONCE = 250;
const MOST_EXPOSED = 20_000;

/** A rule found something; what of it a tag had hidden comes back into view. */
export function found(state: State, event: StakeoutEvent, at: Millis): void {
  const { finding } = event.stakeout;
  if (!finding) return;
  state.counts.findings += 1;
  state.findings.set(finding.id, { ...finding, at, sequence: event.event.sequence });
  if (state.findings.size > MOST_FINDINGS) letFindingsGo(state, finding.id);
  const exposed = (finding.exposes ?? []).slice(0, 1000);
  for (const id of exposed) if (state.exposed.size < MOST_EXPOSED || state.exposed.has(id)) state.exposed.set(id, finding.id);
  state.structure += 1;
  if (exposed.length > 0) spread(state, exposed);
}

/**
 * Whoever can make one rule find something without end must not keep what others find, or he himself does next, from being known: the rule
 * that found most gives way with its oldest; what keeps something in view, and `but`, is not asked to.
 */
function letFindingsGo(state: State, but: string): void {
  const all = [...state.findings.values()].filter(({ id }) => id !== but);
  const free = all.filter(({ exposes = [], dismissed }) => exposes.length === 0 || dismissed !== undefined);
  const byRule = Map.groupBy(free.length >= GO_AT_ONCE ? free : all, ({ rule }) => rule);
  const [most = []] = [...byRule.values()].sort((a, b) => b.length - a.length);
  for (const { id, exposes = [] } of most.slice(0, GO_AT_ONCE)) {
    state.findings.delete(id);
    for (const one of exposes) if (state.exposed.get(one) === id) state.exposed.delete(one);
  }
}

/** An analyst dismissed a finding: what it brought back is as its tag says again. Or he brought the finding back, and with it that. */
export function exposedOrNot(state: State, event: StakeoutEvent, at: Millis): void {
  const known = state.findings.get(event.stakeout.finding?.id ?? "");
  const dismisses = event.event.action === "finding.dismiss";
  if (!known || (known.dismissed !== undefined) === dismisses) return;
  if (dismisses) known.dismissed = { at, analyst: event.stakeout.analyst ?? "unknown", reason: event.event.reason ?? "" };
  else delete known.dismissed;
  spread(state, known.exposes ?? []);
}

/**
 * The same for two findings whose evidence belongs to the same people: each process stands for its login, and for itself where it has none.
 * `entities` are entity_ids; one that is no longer in the picture is its own.
 */
export const samePair = (state: State, entities: readonly string[]): string =>
  entities.map((id) => state.processes.get(id)?.login ?? id).join(" ");
