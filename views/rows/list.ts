import type { Selection } from "#commands/command";
import type { PaneName } from "#commands/pane";
import type { Millis } from "#state/time";

/** What every row can say about itself. `key` stays the same while the thing exists, wherever it stands. */
export interface BaseRow {
  key: string;
  selection: Selection;
  /** When it last was new: what a cursor that follows the newest looks for, and what is marked as fresh for a moment. */
  at: Millis;
}

/** Place of the row with that key, -1 if there is none. `near` is where it was last: mostly it still is there. */
export function indexOfKey(rows: readonly BaseRow[], key: string, near: number): number {
  if (rows[near]?.key === key) return near;
  return rows.findIndex((row) => row.key === key);
}

/** The row that is newest; undefined in an empty list. */
export function newestRow<Row extends BaseRow>(rows: readonly Row[]): Row | undefined {
  let newest: Row | undefined;
  for (const row of rows) if (!newest || row.at > newest.at) newest = row;
  return newest;
}

/** Orders of the rows that an analyst can choose; "story" is what matters most first. */
export type Sort = "story" | "newest" | "name" | "number" | "place" | "size" | "count";

/** How an order is told in a pane's title. */
export const sortWords = (pane: PaneName, sort: Sort): string => (sort === "story" ? STORIES[pane] : undefined) ?? SORT_WORDS[sort];

/** What comes first in panes whose rows are not all of one kind. */
const STORIES: Partial<Record<PaneName, string>> = { past: "by kind, worst first", baseline: "changes first" };
export const SORT_WORDS: Record<Sort, string> = {
  story: "worst first",
  newest: "newest first",
  name: "by name",
  number: "by pid",
  place: "by country",
  size: "by size",
  count: "most first",
};

/** Names in the order in which people look for them: without a locale, so that two analysts see the same. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
