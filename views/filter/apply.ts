import type { State } from "#state/state";
import type { TreeRow } from "../rows/tree.ts";
import { type Filter, matches } from "./parse.ts";
import { ofTree } from "./subjects.ts";

/** The folding under which a filter looks: what is folded by default must be found too. */
export class AllOpen extends Set<string> {
  override has(key: string): boolean {
    return AllOpen.foldedByDefault(key);
  }
  static foldedByDefault(key: string): boolean {
    return key === "g:kernel" || key.startsWith("r:");
  }
}

/** Rows of the tree that a filter leaves, and how many of them it asked for: rows that a match hangs under stay, to show where it is. */
export function filterTree(filter: Filter, all: readonly TreeRow[], state: State): { rows: TreeRow[]; found: number } {
  const kept: TreeRow[] = [];
  /** Rows that something kept hangs under. */
  const above = new Set<string>();
  let found = 0;
  // from the end: what hangs under a row comes after it
  for (const row of all.toReversed()) {
    // a heading is no thing of its own, and a heap of one name stands for its processes: they are what is found
    const thing = row.kind === "login" || row.kind === "process" || (row.kind === "repeat" && row.kept.length === 0);
    const asked = thing && matches(filter, ofTree(row, state));
    if (asked) found++;
    else if (!above.has(row.key)) continue;
    kept.push(row);
    if (row.parent !== undefined) above.add(row.parent);
  }
  return { rows: kept.reverse(), found };
}
