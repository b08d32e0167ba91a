import type { StakeoutEvent } from "#model/event";
import type { AddressNames, State } from "./state.ts";
import type { Millis } from "./time.ts";

const MOST_NAMED = 10_000;

/** Somebody asked for the names of an address. */
export function namesTold(state: State, { destination, stakeout }: StakeoutEvent, at: Millis): void {
  if (!destination || !stakeout.names || (state.names.size >= MOST_NAMED && !state.names.has(destination.ip))) return;
  state.names.set(destination.ip, { ...stakeout.names, at, analyst: stakeout.analyst ?? "somebody" });
}

/** What was answered, in words: that nobody asked is not that there is no name. Holds text of whoever owns the address. */
export function namesWords(names: AddressNames | undefined): string {
  if (!names) return "not asked for";
  const { items, why, analyst } = names;
  if (why !== undefined) return `not known: ${why}`;
  return items.length === 0 ? `none (asked by ${analyst})` : `${items.join(", ")} (by whoever owns the address; asked by ${analyst})`;
}
