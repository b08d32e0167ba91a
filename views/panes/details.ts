import type { Selection } from "#commands/command";
import type { State } from "#state/state";
import { Pace } from "../pace.ts";
import type { Theme } from "../theme.ts";
import { type DetailSize, paintDetail } from "./detail.ts";

/** One part in so many of the time goes into details: they are read, not watched. */
const SHARE = 30;

/**
 * What is told of the selected thing, kept until something may read differently. Where that takes a pass over all that the host runs,
 * what the host does may wait, so that keys do not; what an analyst does is in it at once.
 */
export class Details {
  readonly #pace: Pace;
  #known: { look: readonly unknown[]; fresh: readonly unknown[]; rows: string[] } | undefined;

  /** `again` is called when details that were put off are due; none are while nothing goes on by itself (`still`). */
  constructor(again: () => void, still?: () => boolean) {
    this.#pace = new Pace(again, still, SHARE);
  }

  /** Exactly `size.height` rows. */
  rows(theme: Theme, state: State, selection: Selection | undefined, now: number, size: DetailSize): string[] {
    const { kind, id, tag, origin } = selection ?? {};
    const claim = state.claims.get(`${kind}:${id}`);
    const look = [theme, state, kind, id, tag, origin, size.width, size.height, size.as, state.judged, state.notes.length, claim];
    const fresh = [state.sequence, state.structure, Math.floor(now / 1000)];
    const known = this.#known;
    if (known?.look.every((one, i) => one === look[i])) {
      if (known.fresh.every((one, i) => one === fresh[i]) || !this.#pace.due()) return known.rows;
    }
    const rows = this.#pace.run(() => paintDetail(theme, state, selection, now, size));
    this.#known = { look, fresh, rows };
    return rows;
  }

  /** Ends its timer. */
  close(): void {
    this.#pace.close();
  }
}
