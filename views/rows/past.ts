import { PAST_KINDS, type PastKind } from "#model/past";
import type { PastState, SetUpState, State } from "#state/state";
import { type BaseRow, byText, type Sort } from "./list.ts";

export interface PastRow extends BaseRow {
  past: PastState;
}
export interface SetUpRow extends BaseRow {
  thing: SetUpState;
}

/** What is missing comes first: it says how far the rest can be believed. */
const KIND_ORDER = Object.fromEntries(["gap", ...PAST_KINDS.filter((kind) => kind !== "gap")].map((kind, i) => [kind, i])) as Record<
  PastKind,
  number
>;
type Order<Row> = (a: Row, b: Row) => number;
const newest: Order<PastRow> = (a, b) => b.past.last - a.past.last;
const PAST_ORDERS: Partial<Record<Sort, Order<PastRow>>> = {
  newest,
  name: (a, b) => byText(`${a.past.user ?? a.past.path ?? ""}`, `${b.past.user ?? b.past.path ?? ""}`) || newest(a, b),
  place: (a, b) => byText(a.past.source?.geo?.country_iso_code ?? "~", b.past.source?.geo?.country_iso_code ?? "~") || newest(a, b),
  count: (a, b) => b.past.count - a.past.count || newest(a, b),
};
const pastStory: Order<PastRow> = (a, b) => KIND_ORDER[a.past.kind] - KIND_ORDER[b.past.kind];

/** What the host remembers. Rows of one kind keep the order of the look: newest first, a history as it was typed. */
export function buildPast(state: State, sort: Sort = "story"): readonly PastRow[] {
  const key = `${state.past.rows.length} ${sort}`;
  const known = pastKept.get(state);
  if (known?.key === key) return known.rows;
  const rows = state.past.rows
    .map((past): PastRow => ({ key: `k:${past.id}`, past, at: past.last, selection: { kind: "past", id: past.id } }))
    .sort(PAST_ORDERS[sort] ?? pastStory);
  pastKept.set(state, { key, rows });
  return rows;
}
/** They change only while the look back comes in; the rest of the screen is made anew with each event. */
const pastKept = new WeakMap<State, { key: string; rows: readonly PastRow[] }>();
const setUpKept = new WeakMap<State, { key: string; rows: readonly SetUpRow[] }>();

const STATUS_ORDER = { new: 0, gone: 1, here: 2 } as const;
const setUpStory: Order<SetUpRow> = (a, b) =>
  STATUS_ORDER[a.thing.status] - STATUS_ORDER[b.thing.status] || (a.thing.status === "here" ? byCategory(a, b) : b.at - a.at);
const byCategory: Order<SetUpRow> = (a, b) => byText(a.thing.category, b.thing.category) || byText(a.thing.name, b.thing.name);
const SET_UP_ORDERS: Partial<Record<Sort, Order<SetUpRow>>> = {
  newest: (a, b) => b.at - a.at || byCategory(a, b),
  name: (a, b) => byText(a.thing.name, b.thing.name),
};

/** How the host is set up: what is new or gone since we came first. */
export function buildSetUp(state: State, sort: Sort = "story"): readonly SetUpRow[] {
  const { added, gone, latest } = setUpChanges(state);
  const key = `${state.setUp.size} ${added} ${gone} ${latest} ${sort}`;
  const known = setUpKept.get(state);
  if (known?.key === key) return known.rows;
  const rows = [...state.setUp.values()]
    .map((thing): SetUpRow => ({ key: `i:${thing.id}`, thing, at: thing.at, selection: { kind: "set-up", id: thing.id } }))
    .sort(SET_UP_ORDERS[sort] ?? setUpStory);
  setUpKept.set(state, { key, rows });
  return rows;
}

/** What changed since we came. */
export function setUpChanges(state: State): { added: number; gone: number; latest: number } {
  let [added, gone, latest] = [0, 0, 0];
  for (const { status, at } of state.setUp.values()) {
    if (at > latest) latest = at;
    if (status === "new") added++;
    else if (status === "gone") gone++;
  }
  return { added, gone, latest };
}
