import { binaryFlag } from "./flags.ts";
import { unnote } from "./folding.ts";
import type { BinaryState, State } from "./state.ts";

/** Files that are kept; the log has them all. Any account can make and delete some without end. */
const MOST_FILES = 20_000;
/** So many go at once: to find those that matter least, all are looked at. */
const GO_AT_ONCE = 2000;

/** What came and went and nobody ran goes first, and last what something speaks against, or whose content is not what it was. */
function weight(binary: BinaryState): number {
  const { standing, rewritten, runs, elf, deleted } = binary;
  if (standing === "intruder" || standing === "suspect" || rewritten === true || binaryFlag(binary) !== undefined) return 4;
  return runs > 0 ? 3 : elf === true ? 2 : deleted ? 0 : 1;
}

/** Lets files go where there are too many, the oldest of those that matter least; `but` has just been seen. */
export function letFilesGo(state: State, but: BinaryState): void {
  if (state.binaries.size <= MOST_FILES) return;
  const byWeight: BinaryState[][] = [[], [], [], [], []];
  for (const binary of state.binaries.values()) if (binary !== but) byWeight[weight(binary)]?.push(binary);
  for (const { path, writers } of byWeight.flat().slice(0, GO_AT_ONCE)) {
    state.binaries.delete(path);
    state.counts.let_go += 1;
    for (const writer of writers) unnote(state, writer);
  }
}
