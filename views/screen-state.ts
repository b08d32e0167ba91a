import type { Selection } from "#commands/command";
import type { ScreenIntent, SharedIntent } from "#commands/intent";
import { PANES, type PaneName } from "#commands/pane";
import type { CardDialog, ReasonDialog } from "./asked.ts";
import { type FilterLine, noFilter } from "./filter/line.ts";
import type { Destination } from "./find.ts";
import type { CommandDialog } from "./host/dialog.ts";
import type { PairDialog } from "./pair/dialog.ts";
import { type BaseRow, indexOfKey, type Sort } from "./rows/list.ts";
import type { SavedFilter } from "./settings.ts";
import { type TagDialog, type TagsDialog, tagDialogOf } from "./tags/dialog.ts";
import type { TrustDialog } from "./trust/dialog.ts";

/** A place in a list, held by the row's key, so that rows may come and go around it. */
export interface Cursor {
  /** Undefined until a key moved it: then it stays on the first row, whatever comes on top. */
  key?: string;
  /** Where the row was last, for when it is gone. */
  index: number;
}

/** A row that the analyst marked. Not in the log: it lasts as long as this screen. */
export interface OwnMark {
  pane: PaneName;
  key: string;
  /** What was marked, for when it is gone. Host text. */
  name: string;
}

export type LocalDialog =
  /** `text` narrows it. */
  | { kind: "help"; scroll: number; text: string }
  /** The list of everything that can be done, narrowed by `text`; `at` is the entry that Enter means. */
  | { kind: "palette"; text: string; at: number }
  /** Asks under which name the filter `text` is kept. */
  | { kind: "name-filter"; name: string; text: string }
  /** Asks what the whole session of a replay is to be searched for. */
  | { kind: "search"; text: string }
  | { kind: "tour"; step: number }
  /** Everything about a thing. */
  | { kind: "about"; selection: Selection; scroll: number }
  | TagDialog
  | TagsDialog
  | CommandDialog
  /** How well this session sees. */
  | { kind: "sight"; scroll: number }
  /** What can be done to the selected thing; `at` is the one that Enter means. */
  | { kind: "measures"; selection?: Selection; at: number }
  /** Asks before leaving an isolated host alone. */
  | { kind: "leave" }
  | CardDialog
  | ReasonDialog
  | TrustDialog
  | PairDialog;

/** What is mine alone on this screen: where I am, what I folded, what I am typing. */
export interface ScreenState {
  pane: PaneName;
  /** That pane alone has the body. */
  zoomed: boolean;
  sorts: Record<PaneName, Sort>;
  /** The cursor of the pane stays on its newest row. */
  following: boolean;
  cursors: Record<PaneName, Cursor>;
  /** Rows of the tree whose folding differs from the default. */
  toggled: ReadonlySet<string>;
  showHidden: boolean;
  filter: FilterLine;
  /** In the order they were made; `markAt` is the one that was last gone to. */
  marks: readonly OwnMark[];
  markAt: number;
  dialog?: LocalDialog;
  /** What was searched for last. */
  searched?: string;
  /** First line shown of the response dialog. */
  planScroll: number;
  /** The address that is being typed there, to be let through. */
  allowing?: string;
}

/** What a key came to while a dialog was open. */
export interface Handled {
  state: ScreenState;
  intent?: SharedIntent;
  notice?: string;
  /** A filter to be kept under a name. */
  save?: SavedFilter;
  /** Goes to the analyst's clipboard. */
  copy?: string;
  /** The row that the cursor goes to. */
  goTo?: Destination;
  /** The dialog has made way: the key means what it means without it. */
  pass?: true;
}

export interface FoldableRow extends BaseRow {
  parent?: string;
  expandable?: boolean;
  expanded?: boolean;
}

/** What the reducer must know of the rows: which there are, and how many fit on the screen. */
export interface Panes {
  lists: Record<PaneName, readonly FoldableRow[]>;
  page: Record<PaneName, number>;
}

/** Orders that make sense in each pane, in which `s` goes through them. */
const SORTS: Record<PaneName, readonly [Sort, ...Sort[]]> = {
  tree: ["story", "newest", "name", "number"],
  connections: ["story", "newest", "name", "place", "count"],
  binaries: ["story", "newest", "name", "size"],
  logins: ["story", "newest", "name", "place", "count"],
  map: ["story", "newest", "name", "count"],
  activity: ["story", "newest", "name", "count"],
  past: ["story", "newest", "name", "place", "count"],
  baseline: ["story", "newest", "name"],
};
const of = <T>(each: () => T) => Object.fromEntries(PANES.map(({ name }) => [name, each()])) as Record<PaneName, T>;

export function firstScreenState(): ScreenState {
  return {
    pane: "tree",
    zoomed: false,
    sorts: of<Sort>(() => "story"),
    following: false,
    cursors: of(() => ({ index: 0 })),
    toggled: new Set(),
    showHidden: false,
    filter: noFilter(),
    marks: [],
    markAt: -1,
    planScroll: 0,
  };
}

/** Row that a cursor is on now; -1 in an empty list. */
export function locate(rows: readonly BaseRow[], cursor: Cursor): number {
  if (rows.length === 0) return -1;
  if (cursor.key === undefined) return 0;
  const at = indexOfKey(rows, cursor.key, cursor.index);
  return at >= 0 ? at : Math.min(Math.max(0, cursor.index), rows.length - 1);
}

/** What needs more than the screen's own state: the host's, the clipboard. */
export type OuterIntent = ScreenIntent & { kind: "jump" | "jump-back" | "jump-forward" | "freeze" | "mark" | "next-own-mark" | "copy" };

/** The next state after an intent; pure. `leave` is not decided here: it depends on the host. */
export function reduceScreen(state: ScreenState, intent: Exclude<ScreenIntent, OuterIntent>, panes: Panes): ScreenState {
  const list = panes.lists[state.pane];
  const at = locate(list, state.cursors[state.pane]);
  const row = list[at];
  switch (intent.kind) {
    case "move": {
      const step = intent.by === "row" ? 1 : intent.by === "page" ? Math.max(1, panes.page[state.pane] - 1) : list.length;
      return { ...moveTo(state, list, at + intent.direction * step), following: false };
    }
    case "pane": {
      const now = PANES.findIndex(({ name }) => name === state.pane);
      return { ...state, pane: (PANES[(now + intent.step + PANES.length) % PANES.length] ?? PANES[0])?.name ?? state.pane };
    }
    case "view":
      return intent.pane === "all" ? { ...state, zoomed: false } : { ...state, pane: intent.pane, zoomed: true };
    case "zoom":
      return { ...state, zoomed: !state.zoomed };
    case "sort": {
      const orders = SORTS[state.pane];
      const next = orders[(orders.indexOf(state.sorts[state.pane]) + 1) % orders.length] ?? orders[0];
      return { ...holding(state, list, at), sorts: { ...state.sorts, [state.pane]: next } };
    }
    case "follow":
      return { ...state, following: !state.following };
    case "details":
      return row ? { ...state, dialog: { kind: "about", selection: row.selection, scroll: 0 } } : state;
    case "expand":
      if (!row?.expandable) return state;
      return row.expanded ? { ...moveTo(state, list, at + 1), following: false } : toggle(state, list, at, row);
    case "fold": {
      if (row?.expandable && row.expanded) return toggle(state, list, at, row);
      const parent = row?.parent === undefined ? -1 : indexOfKey(list, row.parent, at - 1);
      return parent < 0 ? state : { ...moveTo(state, list, parent), following: false };
    }
    case "toggle-fold":
      return row?.expandable ? toggle(state, list, at, row) : state;
    case "show-hidden":
      return { ...holding(state, list, at), showHidden: !state.showHidden };
    case "help":
      return { ...state, dialog: { kind: "help", scroll: 0, text: "" } };
    case "sight":
      return { ...state, dialog: { kind: "sight", scroll: 0 } };
    case "palette":
      return { ...state, dialog: { kind: "palette", text: "", at: 0 } };
    case "tour":
      return { ...state, dialog: { kind: "tour", step: 0 } };
    case "filter":
      return { ...state, filter: { ...state.filter, typing: true, at: state.filter.history.length } };
    case "clear-filter":
      return { ...state, filter: { ...state.filter, text: "", typing: false } };
    case "compose-tag":
      return { ...state, dialog: tagDialogOf(intent) };
    case "tags":
      return { ...state, dialog: { kind: "tags", at: 0 } };
    case "footprint":
      return { ...state, dialog: { kind: "footprint", scroll: 0 } };
    case "compose-command":
      return { ...state, dialog: { kind: "compose-command", text: "" } };
    case "commands":
      return { ...state, dialog: { kind: "commands", back: 0, scroll: 0 } };
    case "search":
      return { ...state, dialog: { kind: "search", text: state.searched ?? "" } };
    case "leave":
      return { ...state, dialog: { kind: "leave" } };
    case "measures":
      return { ...state, dialog: { kind: "measures", at: 0, ...(row ? { selection: row.selection } : {}) } };
    case "people":
      return { ...state, dialog: { kind: "people", scroll: 0 } };
    case "findings":
      return { ...state, dialog: { kind: "findings" } };
    case "rotate":
    case "sockets":
      return { ...state, dialog: { kind: intent.kind, scroll: 0 } };
    case "who-did-what":
      return { ...state, dialog: { kind: "who-did-what", scroll: 0 } };
    case "compose":
      return { ...state, dialog: { ...intent, kind: "compose", text: "" } };
  }
}

/** The cursor of any pane a few rows on; the focus stays where it is. */
export function scrollPane(state: ScreenState, pane: PaneName, rows: number, panes: Panes): ScreenState {
  const list = panes.lists[pane];
  return { ...moveTo({ ...state, pane }, list, locate(list, state.cursors[pane]) + rows), pane: state.pane };
}

/** The cursor and the focus on a row of a pane; on the pane alone where there is no such row. */
export function pointAt(state: ScreenState, pane: PaneName, index: number, panes: Panes): ScreenState {
  const focused = { ...state, pane };
  return index < 0 || index >= panes.lists[pane].length ? focused : moveTo(focused, panes.lists[pane], index);
}

function moveTo(state: ScreenState, list: readonly BaseRow[], target: number): ScreenState {
  if (list.length === 0) return state;
  const index = Math.min(Math.max(0, target), list.length - 1);
  return { ...state, cursors: { ...state.cursors, [state.pane]: { key: (list[index] as BaseRow).key, index } } };
}

/** From here on the cursor belongs to this row, even if it was only the first one until now. */
const holding = (state: ScreenState, list: readonly BaseRow[], at: number) => (at < 0 ? state : moveTo(state, list, at));

function toggle(state: ScreenState, list: readonly BaseRow[], at: number, row: BaseRow): ScreenState {
  const toggled = new Set(state.toggled);
  if (!toggled.delete(row.key)) toggled.add(row.key);
  return { ...holding(state, list, at), toggled };
}

/**
 * First row to show so that the cursor is seen, moved as little as possible from `top`. A row of context is kept on either
 * side where the pane is tall enough.
 */
export function scrollTop(top: number, cursor: number, height: number, total: number): number {
  const context = height >= 6 ? 1 : 0;
  const highest = Math.max(0, total - height);
  const wanted = Math.max(Math.min(top, cursor - context), cursor + context - height + 1);
  return Math.min(Math.max(0, wanted), highest);
}
