/** The way to the host while it is not there, as a screen shows it. */
export interface LinkView {
  /** `away`: it is tried again by itself. `stopped`: it is not. */
  phase: "away" | "stopped";
  /** An analyst ended all that watched; the connection may well be there. */
  halted?: true;
  /** Which try this is, from 1. */
  attempt: number;
  /** A try is under way. */
  trying: boolean;
  /** Milliseconds until the next one begins. */
  nextInMs?: number;
  /** Milliseconds since the sensor last said something. */
  seenAgoMs: number;
  why: string;
}
