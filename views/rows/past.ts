import { worstPast } from "#state/past-order";
import type { PastState, SetUpState, State } from "#state/state";
import { type BaseRow, byText, type Sort } from "./list.ts";

export interface PastRow extends BaseRow {
  past: PastState;
}
export interface SetUpRow extends BaseRow {
  thing: SetUpState;
}

type Order<Row> = (a: Row, b: Row) => number;
const newest: Order<PastRow> = (a, b) => b.past.last - a.past.last;
const PAST_ORDERS: Partial<Record<Sort, Order<PastRow>>> = {
  newest,
  name: (a, b) => byText(`${a.past.user ?? a.past.path ?? ""}`, `${b.past.user ?? b.past.path ?? ""}`) || newest(a, b),
  place: (a, b) => byText(a.past.source?.geo?.country_iso_code ?? "~", b.past.source?.geo?.country_iso_code ?? "~") || newest(a, b),
  count: (a, b) => b.past.count - a.past.count || newest(a, b),
};

/** What the host remembers: kind by kind, of each what speaks most against it first. */
export function buildPast(state: State, sort: Sort = "story"): readonly PastRow[] {
  // a tag, a login that comes or goes and an account that is there can each put a row before others
  const key = `${state.past.rows.length} ${state.judged} ${state.logins.size} ${stillIn(state)} ${state.setUp.size} ${sort}`;
  const known = pastKept.get(state);
  if (known?.key === key) return known.rows;
  const order = PAST_ORDERS[sort];
  const made = worstPast(state).map(
    (past): PastRow => ({ key: `k:${past.id}`, past, at: past.last, selection: { kind: "past", id: past.id } }),
  );
  const rows = order ? made.sort(order) : made;
  pastKept.set(state, { key, rows });
  return rows;
}

function stillIn({ logins }: State): number {
  let count = 0;
  for (const { end } of logins.values()) if (end === undefined) count++;
  return count;
}

/** They change seldom; the rest of the screen is made anew with each event. */
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
