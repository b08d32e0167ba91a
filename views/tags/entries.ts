import type { Suggestion } from "#model/profile";
import type { TagState } from "#state/decided-state";
import type { State } from "#state/state";

/** A line of the list: what is suggested first, then the tags that stand, the newest first, then those that were taken back. */
export type Entry = { suggestion: Suggestion } | { tag: TagState };

/** Lines of the list: a forged log can hold any number of tags. */
const MOST = 1000;

export function entriesOf(state: State, suggestions: readonly Suggestion[] = []): Entry[] {
  const tags = [...state.tags.values()].filter((tag) => !isOwn(state, tag)).sort((a, b) => b.sequence - a.sequence);
  return [
    ...suggestions.map((suggestion) => ({ suggestion })),
    ...tags.filter(({ removed }) => removed === undefined).map((tag) => ({ tag })),
    ...tags.filter(({ removed }) => removed !== undefined).map((tag) => ({ tag })),
  ].slice(0, MOST);
}

/** The tag that the console has on its own login: that is told as our footprint. */
const isOwn = (state: State, { selector }: TagState): boolean => "login" in selector && state.logins.get(selector.login)?.ours === true;
