import { isHidden } from "#state/lineage";
import { type BinaryState, RANDOM_LOOKING, type State } from "#state/state";
import { type BaseRow, byText, type Sort } from "./list.ts";
import { RANK } from "./standing.ts";

export interface BinaryRow extends BaseRow {
  binary: BinaryState;
  /** Its number in this session, from 1 on: short enough to be said on a call. */
  number: number;
}

/** How much speaks against a binary: it ran, it hides its name, it hides itself. */
const weight = ({ runs, random, deleted }: BinaryState) => Number(runs > 0) + Number((random ?? 0) >= RANDOM_LOOKING) + Number(deleted);

type Order = (a: BinaryRow, b: BinaryRow) => number;
const newest: Order = (a, b) => b.binary.first - a.binary.first;
const ORDERS: Partial<Record<Sort, Order>> = {
  newest,
  name: (a, b) => byText(a.binary.path, b.binary.path),
  size: (a, b) => (b.binary.size ?? -1) - (a.binary.size ?? -1),
};
/** Worst standing first, then what has most against it, then newest: the few rows of a small screen must be the right ones. */
const story: Order = (a, b) => RANK[a.binary.standing] - RANK[b.binary.standing] || weight(b.binary) - weight(a.binary) || newest(a, b);

export function buildBinaries(state: State, showHidden: boolean, sort: Sort = "story"): BinaryRow[] {
  const rows: BinaryRow[] = [];
  for (const binary of state.binaries.values()) {
    if (isHidden(binary.standing) && !showHidden) continue;
    const { path, number, standing, tag, login, writer } = binary;
    const by = writer ?? binary.runners[0];
    const selector = login !== undefined ? { login } : by !== undefined ? { process: by } : undefined;
    rows.push({
      key: `b:${path}`,
      binary,
      number,
      at: binary.first,
      selection: { kind: "binary", id: path, standing, ...(selector ? { selector } : {}), ...(tag ? { tag } : {}) },
    });
  }
  return rows.sort(ORDERS[sort] ?? story);
}
