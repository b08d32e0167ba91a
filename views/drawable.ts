import type { Frame } from "./frame.ts";
import type { Key } from "./keys.ts";

/** What can be drawn on a terminal and takes its keys: the console's screen, or the list of sessions. */
export interface Drawable {
  readonly subscribe: (listener: () => void) => () => void;
  /** Changes when something may look different. */
  readonly getSnapshot: () => string;
  frame(): Frame;
  keys(keys: readonly Key[]): void;
  resize(columns: number, rows: number): void;
  /** Told when the newest frame has reached the terminal. */
  painted(): void;
  /** Ends its timers. */
  close(): void;
}
