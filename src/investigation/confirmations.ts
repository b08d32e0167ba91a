import type { Confirmation } from "#model/response";
import { isoOfMicros } from "./clock-map.ts";

/** Who else is on the session, as far as confirming goes. */
export interface Colleagues {
  /** Why this analyst may not plan, confirm, or confirm what another planned; undefined when he may. */
  refused(analyst: string, act: "plan" | "confirm" | "second"): string | undefined;
  /** Analysts other than this one, as persons, who are here and could confirm. */
  partners(analyst: string): readonly string[];
  /** Two names can be one person, who does not count twice. */
  samePerson(one: string, other: string): boolean;
}

/** One analyst at the console, and nobody else. */
export const ALONE: Colleagues = {
  refused: () => undefined,
  partners: () => [],
  samePerson: (one, other) => one === other,
};

/** How long a first confirmation waits for the second. */
export const SECOND_WITHIN_MS = 30_000;

export type Given =
  /** Recorded, and the plan is to be carried out. */
  | { complete: true; confirmation?: Confirmation }
  /** Recorded, and one more is needed. */
  | { complete: false; confirmation: Confirmation }
  | { refused: string };

/** The confirmations of one plan: two different analysts within a time, where two are asked for. Reads no clock. */
export class Confirmations {
  #given: { by: string; until: number }[] = [];

  /** Who has confirmed and is still waited for, and until when (milliseconds, on the clock that `give` was told). */
  get waiting(): { by: string; until: number } | undefined {
    return this.#given[0];
  }

  /** `alone`: the analyst goes on without a second one, which is taken only where there is nobody who could be it. */
  give(by: string, two: boolean, alone: boolean, colleagues: Colleagues, now: number): Given {
    const refused = colleagues.refused(by, two ? "second" : "confirm");
    if (refused !== undefined) return { refused };
    if (!two) return { complete: true };
    this.lapse(now);
    const partners = colleagues.partners(by);
    if (alone) {
      if (partners.length > 0) return { refused: `${partners.join(", ")} can confirm: two are needed while somebody else is here` };
      return { complete: true, confirmation: { needed: 2, given: 1, override: "alone" } };
    }
    const first = this.#given[0];
    if (first && colleagues.samePerson(first.by, by)) return { refused: "you have confirmed: somebody else's Enter is waited for" };
    if (first) return { complete: true, confirmation: { needed: 2, given: 2 } };
    if (partners.length === 0) return { refused: "two must confirm, and nobody else is here who could: go on alone, and the log says so" };
    const until = now + SECOND_WITHIN_MS;
    this.#given = [{ by, until }];
    return { complete: false, confirmation: { needed: 2, given: 1, until: isoOfMicros(until * 1000) } };
  }

  /** Drops what waited for too long. @returns whether there was anything */
  lapse(now: number): boolean {
    const before = this.#given.length;
    this.#given = this.#given.filter(({ until }) => now < until);
    return this.#given.length < before;
  }

  /** Drops what this analyst gave: he is gone. @returns whether there was anything */
  withdraw(by: string): boolean {
    const before = this.#given.length;
    this.#given = this.#given.filter((given) => given.by !== by);
    return this.#given.length < before;
  }
}
