import type { Selector, Verdict } from "#model/event";
import { effectOf } from "./effect.ts";
import { tagRoot } from "./lineage.ts";
import type { State } from "./state.ts";

/** Steps up from a process to what it came from: a forged log can have circles. */
const MOST_STEPS = 1000;

/**
 * The verdict that a tag on a login or a process begins with: our own work, unless something of it is flagged or a finding that stands
 * says that it, or what is below it, did something. Whoever was only done something to is not suspected of it.
 */
export function firstVerdict(state: State, selector: Selector): Verdict {
  const root = tagRoot({ selector });
  if (root === undefined) return "responder";
  for (const { dismissed, entities } of state.findings.values())
    if (dismissed === undefined && isBelow(state, entities[0], root)) return "suspect";
  return effectOf(state, selector, "responder").flagged > 0 ? "suspect" : "responder";
}

function isBelow(state: State, id: string | undefined, root: string): boolean {
  for (let at = id, steps = 0; at !== undefined && steps < MOST_STEPS; steps++) {
    const process = state.processes.get(at);
    if (at === root || process?.login === root) return true;
    at = process?.parent;
  }
  return false;
}
