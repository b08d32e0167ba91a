import { PANES, type PaneName } from "#commands/pane";
import { suggestions } from "#state/suggestions";
import { activityRows, type Doer, spreadBuckets } from "../charts/activity.ts";
import type { WorldMap } from "../charts/world-map.ts";
import type { Rect } from "../layout.ts";
import { type RowMarks, rowMarks } from "../pair/row-marks.ts";
import type { Picture } from "../picture.ts";
import { paintRow, span } from "../row.ts";
import { activityBuckets, activityTimes } from "../rows/activity.ts";
import type { Lists } from "../rows/cache.ts";
import { sortWords } from "../rows/list.ts";
import { setUpChanges } from "../rows/past.ts";
import { locate } from "../screen-state.ts";
import type { Theme } from "../theme.ts";
import { clock, count, plural, stretch } from "../words.ts";
import { activityRow } from "./activity-row.ts";
import { binaryHead, binaryRow } from "./binary-row.ts";
import { connectionHead, connectionRow } from "./connection-row.ts";
import { lesson } from "./lesson.ts";
import { loginHead, loginRow } from "./login-row.ts";
import { pastHead, pastRow, setUpRow } from "./past-row.ts";
import { placeRow } from "./place-row.ts";
import { emptyRows, paneTitle } from "./title.ts";
import { type RowContext, treeRow } from "./tree-row.ts";

const TITLES: Partial<Record<PaneName, string>> = { binaries: "New binaries", map: "Where connections go" };
const titleOf = (name: PaneName) => TITLES[name] ?? PANES.find((pane) => pane.name === name)?.title ?? name;
const keyOf = (name: PaneName) => PANES.find((pane) => pane.name === name)?.key ?? "";

/** Where, inside of a pane, its drawing and its list are; both count from under the title. */
interface Inside {
  /** The line above the list names its columns. */
  headed?: true;
  list: { x: number; y: number; width: number; height: number };
  drawing?: { width: number; height: number };
}

/** Places that have their code beside the marker. */
const NAMED = 12;
/** A drawing needs so many rows to say anything; below that the pane is its list. */
const LEAST_DRAWN = 6;

/** Panes whose columns have names. */
const HEADS: Partial<Record<PaneName, (theme: Theme, width: number) => string>> = {
  connections: connectionHead,
  binaries: binaryHead,
  logins: loginHead,
  past: pastHead,
};
/** A line of names costs a row: only a pane that has the body for itself pays it. */
const LEAST_HEADED = 6;

function inside(name: PaneName, { width, height }: Pick<Rect, "width" | "height">, need: number, alone: boolean): Inside {
  const rows = Math.max(0, height - 1);
  if (alone && HEADS[name] && need > 0 && rows >= LEAST_HEADED) return { list: { x: 0, y: 1, width, height: rows - 1 }, headed: true };
  const whole = { x: 0, y: 0, width, height: rows };
  if (rows < LEAST_DRAWN || (name !== "map" && name !== "activity")) return { list: whole };
  if (name === "activity" && need === 0) return { list: whole }; // there is nothing to draw: the pane says what would be
  if (name === "map" && width >= 70 && rows * 3 < width) {
    const left = Math.floor(width * 0.56);
    return { list: { x: left + 1, y: 0, width: width - left - 1, height: rows }, drawing: { width: left, height: rows } };
  }
  const most = Math.max(2, Math.floor(rows * (name === "map" ? 0.35 : 0.45)));
  const list = Math.max(1, Math.min(need + (rows > 12 ? 1 : 0), most));
  return { list: { ...whole, y: rows - list, height: list }, drawing: { width, height: rows - list } };
}

/** Rows that the list of a pane of that size shows. */
export const listHeight = (name: PaneName, rect: Pick<Rect, "width" | "height">, need: number, alone: boolean): number =>
  Math.max(1, inside(name, rect, need, alone).list.height);

/** Where that list begins in its pane, counted from under the title. */
export const listPlace = (name: PaneName, rect: Pick<Rect, "width" | "height">, need: number, alone: boolean): { x: number; y: number } => {
  const { x, y } = inside(name, rect, need, alone).list;
  return { x, y };
};

/** A pane with its title: exactly as many rows as it is high. */
export function paintPane(screen: Picture, theme: Theme, rect: Rect, name: PaneName): string[] {
  const lists = screen.lists();
  const list = lists[name];
  const { list: place, drawing, headed } = inside(name, rect, list.length, screen.state.zoomed);
  const top = screen.top(name, place.height);
  const focused = screen.state.pane === name;
  const note = hiddenNote(screen, name);
  const title = paneTitle(theme, rect.width, {
    key: keyOf(name),
    text: titleOf(name),
    focused,
    counted: `${counted(screen, name, rect.width)}${name === "tree" ? frozenNote(screen) : ""}`,
    total: list.length,
    top,
    shown: place.height,
    order: orderOf(screen, name, focused),
    ...(note ? { note } : {}),
    ...(name === "past"
      ? { about: rect.width >= 100 ? "what the host says of the time before us: root can forge this" : "root can forge this" }
      : {}),
    ...(name === "activity" && rect.width >= 60 ? { about: "programs started, calls out, files written" } : {}),
  });
  const suggested = name === "logins" ? { suggested: new Set(suggestions(screen.seen).map(({ login }) => login)) } : {};
  const base = { ...suggested, theme, state: screen.seen, now: screen.seenNow, width: place.width, focused };
  const at = locate(list, screen.state.cursors[name]);
  const others = rowMarks(theme, screen.store);
  const rows =
    list.length === 0
      ? emptyRows(theme, place.width, place.height, lesson(name, screen))
      : Array.from({ length: place.height }, (_, i) =>
          top + i < list.length
            ? markedRow(screen, lists, name, top + i, { ...base, selected: top + i === at }, others)
            : paintRow(theme, place.width, []),
        );
  if (!drawing) return [title, ...(headed ? [HEADS[name]?.(theme, place.width) ?? ""] : []), ...rows];
  const drawn = name === "map" ? mapRows(screen, theme, drawing) : chartRows(screen, theme, drawing);
  if (place.x === 0) return [title, ...drawn, ...rows];
  const rule = theme.paint(theme.glyphs.vertical, "rule");
  return [title, ...rows.map((row, i) => `${drawn[i] ?? ""}${rule}${row}`)];
}

/** The blank at a row's end, and the codes that close its colours. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what starts a colour
const LAST_BLANK = / ((?:\x1b\[[0-9;]*m)*)$/;

/** A row; with the analyst's own mark in its last column, if it has one. */
function markedRow(
  screen: Picture,
  lists: Lists,
  name: PaneName,
  index: number,
  context: RowContext,
  others: RowMarks | undefined,
): string {
  const row = ownMarkedRow(screen, lists, name, index, context);
  return others ? others.marked(row, lists[name][index]?.selection) : row;
}

function ownMarkedRow(screen: Picture, lists: Lists, name: PaneName, index: number, context: RowContext): string {
  const row = rowOf(lists, name, index, context);
  if (!screen.marked(name, lists[name][index]?.key ?? "")) return row;
  const mark = context.theme.paint(context.theme.glyphs.mark, "mark");
  if (LAST_BLANK.test(row)) return row.replace(LAST_BLANK, (_, codes: string) => mark + codes);
  return rowOf(lists, name, index, { ...context, width: context.width - 1 }) + mark;
}

function rowOf(lists: Lists, name: PaneName, index: number, context: RowContext): string {
  const paint = <Row>(row: Row | undefined, painter: (row: Row, context: RowContext) => string) => (row ? painter(row, context) : "");
  switch (name) {
    case "tree":
      return paint(lists.tree[index], treeRow);
    case "connections":
      return paint(lists.connections[index], connectionRow);
    case "binaries":
      return paint(lists.binaries[index], binaryRow);
    case "logins":
      return paint(lists.logins[index], loginRow);
    case "map":
      return paint(lists.map[index], placeRow);
    case "activity":
      return paint(lists.activity[index], activityRow);
    case "past":
      return paint(lists.past[index], pastRow);
    case "baseline":
      return paint(lists.baseline[index], setUpRow);
  }
}

/** The world with a marker for each far end, or why there is none. */
function mapRows(screen: Picture, theme: Theme, { width, height }: { width: number; height: number }): string[] {
  const { world } = screen;
  if (typeof world !== "object") {
    const text = world === undefined ? "The map is being drawn." : `No map can be drawn: ${world}`;
    return Array.from({ length: height }, (_, i) =>
      paintRow(theme, width, i === 1 ? [span("   "), { text, style: "faint", flex: true }] : []),
    );
  }
  // the first places are named on the map too: the list is sorted by what matters
  const markers = screen
    .lists()
    .map.flatMap(({ code, markers }, i) =>
      markers.map((marker, j) => (i < NAMED && j === 0 && code !== undefined ? { ...marker, label: code } : marker)),
    );
  const key = `${width} ${height} ${markers.map(({ lat, lon, standing, label }) => `${lat},${lon},${standing},${label ?? ""}`).join(" ")}`;
  const known = drawnMaps.get(theme);
  if (known?.key === key && known.world === world) return known.rows;
  const rows = world.draw(theme, width, height, markers);
  drawnMaps.set(theme, { key, world, rows });
  return rows;
}
/** The last map of each theme: it changes when somebody calls somewhere new, which is seldom. */
const drawnMaps = new WeakMap<Theme, { key: string; world: WorldMap; rows: string[] }>();

const HIDDEN: readonly Doer[] = ["responder", "known-good"];

/** All activity over time; what tags hide is counted below it, and drawn when it is shown. */
function chartRows(screen: Picture, theme: Theme, { width, height }: { width: number; height: number }): string[] {
  const times = activityTimes(screen.seen);
  if (times.length === 0) return Array.from({ length: height }, () => paintRow(theme, width, []));
  const { buckets, each, total } = spreadBuckets(activityBuckets(screen.seen), width - 2);
  const hidden = screen.state.showHidden ? [] : HIDDEN;
  const chart = { buckets, total, hidden, from: clock(times.from), to: clock(times.to), each: stretch(times.width * each) };
  return activityRows(theme, width - 2, height, chart).map((row) => ` ${row} `);
}

const frozenNote = ({ frozenFor }: Picture) => (frozenFor === undefined ? "" : ` FROZEN, ${plural(frozenFor, "event")} since`);

function orderOf({ state, theme }: Picture, name: PaneName, focused: boolean): { text: string; must: boolean } {
  const sort = state.sorts[name];
  const words = sortWords(name, sort);
  if (focused && state.following) return { text: `following the newest ${theme.glyphs.dot} ${words}`, must: true };
  return { text: sort === "story" && !focused ? "" : words, must: sort !== "story" };
}

function counted(screen: Picture, name: PaneName, width: number): string {
  if (screen.filtered) {
    const { text } = screen.state.filter;
    const brief = [...text].length > width / 4 ? `${[...text].slice(0, width / 4).join("")}…` : text;
    return `${count(name === "tree" ? screen.found : screen.lists()[name].length)} found by /${brief}`;
  }
  if (name === "tree") return `${count(screen.live)}${width >= 100 ? " running" : ""}`;
  if (name === "map") return plural(screen.lists().map.length, "place");
  if (name === "activity") return "";
  if (name === "past" && screen.seen.past.at !== undefined && width >= 70) {
    const more = Object.values(screen.seen.past.more).reduce((sum, n) => sum + n, 0);
    return `${count(screen.lists().past.length)}${more > 0 ? ` and ${count(more)} more` : ""}`;
  }
  if (name === "baseline") {
    const { added, gone } = setUpChanges(screen.seen);
    return `${count(screen.lists().baseline.length)}, ${count(added)} new, ${count(gone)} gone`;
  }
  return count(screen.lists()[name].length);
}

/** What tags hide: of everything beside the tree; in a pane that has the body for itself, of what would be its rows. */
function hiddenNote(screen: Picture, name: PaneName): { text: string; brief: string; style: "responder" } | undefined {
  if (name !== "tree" && !screen.state.zoomed) return undefined;
  const { processes, connections, files, logins } = screen.hidden;
  const kinds: readonly [n: number, one: string, many: string, panes: readonly PaneName[]][] = [
    [processes, "process", "processes", ["tree"]],
    [connections, "connection", "connections", ["tree", "connections", "map"]],
    [files, "file", "files", ["tree", "binaries"]],
    [logins, "login", "logins", ["logins"]],
  ];
  const hidden = kinds.filter(([n, , , panes]) => n > 0 && panes.includes(name));
  if (hidden.length === 0) return undefined;
  const what = hidden.map(([n, one, many]) => plural(n, one, many)).join(", ");
  const brief =
    hidden.length === 1
      ? what
      : plural(
          hidden.reduce((sum, [n]) => sum + n, 0),
          "thing",
        );
  const key = screen.keymap.label("show-hidden");
  return screen.state.showHidden
    ? { text: `shown: ${what} (${key} hides)`, brief: `shown: ${brief} (${key} hides)`, style: "responder" }
    : { text: `hidden: ${what} (${key} shows)`, brief: `hidden: ${brief} (${key} shows)`, style: "responder" };
}
