import type { ScreenState } from "./screen-state.ts";

/** Where an analyst is on the screen. */
export type Place = Pick<ScreenState, "pane" | "cursors" | "zoomed">;
export const placeOf = ({ pane, cursors, zoomed }: ScreenState): Place => ({ pane, cursors, zoomed });

const LONGEST = 100;

/** Where jumps began, the last one last, and where steps back began. */
export class Trail {
  readonly #behind: Place[] = [];
  #ahead: Place[] = [];

  /** A jump began here. */
  left(place: Place): void {
    this.#behind.push(place);
    if (this.#behind.length > LONGEST) this.#behind.shift();
    this.#ahead = [];
  }

  /** Where the last jump began; `here` is where a step forward leads from there. Undefined where there was none. */
  back(here: Place): Place | undefined {
    return step(this.#behind, this.#ahead, here);
  }

  /** The same the other way. */
  forward(here: Place): Place | undefined {
    return step(this.#ahead, this.#behind, here);
  }
}

function step(from: Place[], to: Place[], here: Place): Place | undefined {
  const place = from.pop();
  if (place) to.push(here);
  return place;
}
