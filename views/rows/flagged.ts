import { binaryFlag } from "#state/flags";
import type { State } from "#state/state";

/** Logins with a new binary that something speaks against: nobody has judged them yet, and they are whom to look at first. */
export function flaggedLogins(state: State): ReadonlySet<string> {
  const flagged = new Set<string>();
  for (const binary of state.binaries.values())
    if (binary.login !== undefined && binaryFlag(binary) !== undefined) flagged.add(binary.login);
  return flagged;
}
