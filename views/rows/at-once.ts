import { isHidden } from "#state/lineage";
import type { ProcessState } from "#state/state";
import type { BinaryRow } from "./binaries.ts";
import type { ConnectionRow } from "./connections.ts";
import type { LoginsRow } from "./logins.ts";
import type { TreeRow } from "./tree.ts";

/** Rows of the tree from which on a judgement is seen in the rows that are there first, and in rows made for it right after. */
const MANY = 1000;

/** Of the rows of all panes, those that a tag hides. */
interface Hideable {
  tree: readonly TreeRow[];
  connections: readonly ConnectionRow[];
  binaries: readonly BinaryRow[];
  logins: readonly LoginsRow[];
}

/**
 * The rows that were shown, without what is hidden by now: to make thousands anew takes longer than an analyst's decision may take to be
 * seen. Their order, their number and what stands under them come with the picture after this one. Undefined where that is not worth it.
 */
export function atOnce<Lists extends Hideable>(lists: Lists, showHidden: boolean): Lists | undefined {
  if (lists.tree.length < MANY) return undefined;
  if (showHidden) return { ...lists };
  return {
    ...lists,
    tree: lists.tree.filter(inSight),
    connections: lists.connections.filter(({ latest }) => !isHidden(latest.standing)),
    binaries: lists.binaries.filter(({ binary }) => !isHidden(binary.standing)),
    logins: lists.logins.filter((row) => row.kind !== "login" || !isHidden(row.login.standing)),
  };
}

function inSight(row: TreeRow): boolean {
  if (row.kind === "process") return !isHidden(row.process.standing);
  if (row.kind === "login") return !isHidden(row.login.standing);
  return row.kind === "group" || row.kept.length === 0 || row.kept.some((process: ProcessState) => !isHidden(process.standing));
}
