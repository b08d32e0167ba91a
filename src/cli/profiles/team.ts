import { lookLikeOurs, suggest } from "#analysis/suggest";
import { plural } from "#draw/words";
import type { Investigation } from "#investigation/investigation";
import type { Criteria } from "#model/event";
import type { Profile, Suggestion } from "#model/profile";
import type { State } from "#state/state";
import type { HostTags } from "./files.ts";

/** Milliseconds for which suggestions are good while nobody decides anything. */
const GOOD_FOR_MS = 500;

interface Known {
  judged: number;
  at: number;
  /** What profiles say comes first, `by` of them. */
  suggestions: readonly Suggestion[];
  by: number;
}

/** What profiles and what is kept for this host say of a live session. Suggestions wait for an analyst; what was decided for this host holds. */
export class Team {
  readonly #profiles: readonly Profile[];
  readonly #kept: HostTags["tags"];
  #known: Known | undefined;
  readonly #told = new Set<string>();
  readonly #investigation: () => Investigation | undefined;

  constructor(profiles: readonly Profile[], kept: HostTags["tags"], investigation: () => Investigation | undefined) {
    this.#profiles = profiles;
    this.#kept = kept;
    this.#investigation = investigation;
  }

  /** What profiles suggest, and the logins that look like ours besides. */
  suggestions(state: State): readonly Suggestion[] {
    return this.#now(state).suggestions;
  }

  #now(state: State): Known {
    const now = performance.now();
    if (this.#known?.judged === state.judged && now - this.#known.at <= GOOD_FOR_MS) return this.#known;
    const said = suggest(state, this.#profiles, ({ info }) => info?.key);
    this.#known = { judged: state.judged, at: now, suggestions: [...said, ...lookLikeOurs(state, said)], by: said.length };
    return this.#known;
  }

  /** What a profile suggests and was not told yet, as a line for the screens: what only looks like ours is marked where it stands. */
  news(state: State, key: string): string | undefined {
    if (this.#profiles.length === 0) return undefined;
    const { suggestions, by } = this.#now(state);
    const fresh = suggestions.slice(0, by).filter((one) => !this.#told.has(one.key));
    for (const { key: one } of fresh) this.#told.add(one);
    const [first] = fresh;
    if (!first) return undefined;
    return `${fresh.length === 1 ? "Probably one of us" : `Probably ours, ${plural(fresh.length, "suggestion")}`} (${first.why}): ${key} shows it, nothing is hidden yet`;
  }

  /** Makes tags of what is suggested. @returns why it was not done */
  accept(keys: readonly string[], analyst: string): string | undefined {
    const investigation = this.#investigation();
    if (!investigation) return "the session has not begun";
    const wanted = new Set(keys);
    const chosen = this.suggestions(investigation.state).filter(({ key }) => wanted.has(key));
    if (chosen.length === 0) return "that is suggested no more";
    const said = chosen.map(({ selector, verdict, reason }) => investigation.tags.tag({ selector, verdict, reason }, analyst));
    const problems = said.filter((one) => one !== undefined);
    return problems.length === 0 ? undefined : problems.join("; ");
  }

  /** Makes the tags again that an analyst decided for this host. @returns what is to be said of it */
  apply(analyst: string): string | undefined {
    const investigation = this.#investigation();
    if (!investigation || this.#kept.length === 0) return undefined;
    for (const { selector, verdict, reason, since, analyst: by, hides_flagged: flagged } of this.#kept)
      investigation.tags.tag(
        {
          selector: selector as Criteria,
          verdict,
          reason,
          scope: "host",
          kept: { since, analyst: by },
          ...(flagged ? { hides_flagged: true as const } : {}),
        },
        analyst,
      );
    return `${plural(this.#kept.length, "tag")} that ${this.#kept.length === 1 ? "was" : "were"} kept for this host ${this.#kept.length === 1 ? "is" : "are"} made again`;
  }
}
