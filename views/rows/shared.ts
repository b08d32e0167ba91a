import type { State } from "#state/state";

/** Rows as some screen made them: what for, when (milliseconds of `performance.now`), and what that cost. */
export interface SharedRows<Rows> {
  rows: Rows;
  structure: number;
  sequence: number;
  at: number;
  cost: number;
}

/** Ways to look at one state whose rows are kept: two analysts seldom have more, and rows of 10,000 processes are megabytes. */
const MOST_LOOKS = 3;

/** Rows that screens on one state have in common: who looks at it in the same way takes what another has just made. */
export class RowShelf<Rows> {
  readonly #of = new WeakMap<State, Map<string, SharedRows<Rows>>>();

  /** The rows of that look, if they are newer than `since`. */
  newer(state: State, look: string, since: number): SharedRows<Rows> | undefined {
    const found = this.#of.get(state)?.get(look);
    return found && found.at > since ? found : undefined;
  }

  put(state: State, look: string, made: SharedRows<Rows>): void {
    const looks = this.#of.get(state) ?? new Map<string, SharedRows<Rows>>();
    this.#of.set(state, looks);
    looks.delete(look);
    looks.set(look, made);
    const [oldest] = looks.keys();
    if (looks.size > MOST_LOOKS && oldest !== undefined) looks.delete(oldest);
  }
}
