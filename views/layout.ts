import { PANES, type PaneName } from "#commands/pane";

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface Layout {
  width: number;
  height: number;
  header: Rect;
  /** The line that names the views and their keys. */
  tabs: Rect;
  /** Those that are on the screen now; the pane with the focus always is. */
  panes: Partial<Record<PaneName, Rect>>;
  detail: Rect;
  /** Details as bare lines, under a title, or as a pane with a fact a line. */
  detailAs: "strip" | "titled" | "pane";
  /** Only in a replay. */
  scrubber?: Rect;
  blind: Rect;
  footer: Rect;
  /** Rules between what stands side by side, a column wide. */
  dividers: readonly Rect[];
}
/** What is wanted of the body. */
export interface Wanted {
  focus: PaneName;
  /** The pane with the focus alone. */
  zoomed: boolean;
  /** Rows that each pane could fill. */
  need: Readonly<Record<PaneName, number>>;
  replay?: boolean;
}
type Frame = Omit<Layout, "panes" | "detail" | "detailAs" | "dividers">;
type Body = Pick<Layout, "panes" | "detail" | "detailAs" | "dividers">;

export const SMALLEST = { columns: 60, rows: 16 };
/** Beyond this nothing becomes easier to read, and a host of columns only costs time. */
export const LARGEST = { columns: 400, rows: 160 };
/** From here on two columns are better than one: each holds a row without cutting what matters. */
const TWO_COLUMNS = 150;
/** Two of the short lists stand side by side from here on. */
const SIDE_BY_SIDE = 110;
const TOP = 3;

/**
 * Where everything goes. One column below 150 columns: full-width rows are read before anything is cut, and the pane with the
 * focus grows at the cost of the others. A pane for which there is no room takes another's place while it has the focus.
 */
export function layout(columns: number, rows: number, wanted: Wanted): Layout | undefined {
  if (columns < SMALLEST.columns || rows < SMALLEST.rows) return undefined;
  const width = Math.min(columns, LARGEST.columns);
  const height = Math.min(rows, LARGEST.rows);
  const line = (y: number) => ({ x: 0, y, width, height: 1 });
  const frame: Frame = {
    width,
    height,
    header: { x: 0, y: 0, width, height: 2 },
    tabs: line(2),
    blind: line(height - 2),
    footer: line(height - 1),
    ...(wanted.replay ? { scrubber: line(height - 3) } : {}),
  };
  const body = height - TOP - (wanted.replay ? 3 : 2);
  if (width >= TWO_COLUMNS)
    return { ...frame, ...(wanted.zoomed ? oneAndDetail(width, body, wanted.focus) : twoColumns(width, body, wanted)) };
  const least = height < 20 ? 1 : height < 32 ? 2 : height < 44 ? 5 : 7;
  // one pane whose rows leave half of the body empty: all about the selected one is told there, a fact a line
  const half = Math.floor(body / 2);
  const roomy = wanted.zoomed && !drawn(wanted.focus) && half > least + 2 && wanted.need[wanted.focus] + 2 <= body - half;
  const detail = roomy ? half : least;
  const left = body - detail;
  return {
    ...frame,
    ...(wanted.zoomed
      ? { panes: { [wanted.focus]: { x: 0, y: TOP, width, height: left } }, dividers: [] }
      : oneColumn(width, left, wanted)),
    detail: { x: 0, y: TOP + left, width, height: detail },
    detailAs: roomy ? "pane" : detail > 2 ? "titled" : "strip",
  };
}

/** One pane and, beside it, all about its selected row. */
function oneAndDetail(width: number, height: number, focus: PaneName): Body {
  const right = Math.max(50, Math.floor(width * 0.3));
  const left = width - right - 1;
  return {
    panes: { [focus]: { x: 0, y: TOP, width: left, height } },
    detail: { x: left + 1, y: TOP, width: right, height },
    detailAs: "pane",
    dividers: [{ x: left, y: TOP, width: 1, height }],
  };
}

/** Bands from the top: the tree, the connections, and what else fits. */
function oneColumn(width: number, height: number, { focus, need }: Wanted): Pick<Body, "panes" | "dividers"> {
  const pair = width >= SIDE_BY_SIDE && height >= 22;
  const extra = focus === "map" || focus === "activity" || onCall(focus) || (focus === "logins" && !pair);
  const last: PaneName[] = extra ? [focus] : pair ? ["binaries", "logins"] : ["binaries"];
  const tall = height >= 25;
  const share = (panes: readonly PaneName[], rest: number) => {
    const focused = panes.includes(focus) && focus !== "tree";
    const wanted = Math.max(...panes.map((pane) => (drawn(pane) ? 99 : need[pane] + 1)));
    return Math.max(3, Math.min(wanted, focused ? Math.floor(height * 0.52) : rest));
  };
  const lower = Math.min(share(last, tall ? Math.floor(height * 0.22) : 3), height - 6);
  const middle = Math.min(share(["connections"], tall ? Math.floor(height * 0.3) : 4), height - lower - 3);
  const upper = height - lower - middle;
  const band = (y: number, h: number) => ({ x: 0, y: TOP + y, width, height: h });
  const [first, second] = last as [PaneName, PaneName?];
  const left = second === undefined ? width : Math.floor(width * 0.56);
  const y = TOP + upper + middle;
  return {
    panes: {
      tree: band(0, upper),
      connections: band(upper, middle),
      [first]: { x: 0, y, width: left, height: lower },
      ...(second === undefined ? {} : { [second]: { x: left + 1, y, width: width - left - 1, height: lower } }),
    },
    dividers: second === undefined ? [] : [{ x: left, y, width: 1, height: lower }],
  };
}

/** Panes that are on the screen only while they have the focus: they tell of the past, and the others of now. */
const onCall = (pane: PaneName) => pane === "past" || pane === "baseline";

/** Panes with a drawing can fill any height. */
const drawn = (pane: PaneName) => pane === "map" || pane === "activity";

/** The tree and, below it, the activity; beside them the lists, the map where there is room, and all about the selected row. */
function twoColumns(width: number, height: number, { focus, need }: Wanted): Body {
  const left = Math.max(80, Math.floor(width * 0.47)); // 80 columns hold what the tree's title has to say
  const x = left + 1;
  const [short, low] = [height < 34, height < 20];
  const detail = low ? 2 : short ? 5 : 9;
  const activity =
    focus === "activity" ? Math.min(height - 3, Math.max(8, Math.floor(height * 0.4))) : height >= 38 ? Math.floor(height * 0.2) : 0;
  const map =
    focus === "map" ? Math.min(height - 3 - detail, Math.max(8, Math.floor(height * 0.45))) : height >= 42 ? Math.floor(height * 0.29) : 0;
  // a drawing that is called for on a short screen takes the place of the short lists; what is asked for once comes in their place
  const lists: PaneName[] = onCall(focus)
    ? ["connections", focus]
    : focus === "map" && short
      ? ["connections"]
      : low
        ? ["connections", focus === "logins" ? "logins" : "binaries"]
        : ["connections", "binaries", "logins"];
  const heights = shares(lists, need, focus, height - map - detail);
  const panes: Layout["panes"] = { tree: { x: 0, y: TOP, width: left, height: height - activity } };
  if (activity > 0) panes.activity = { x: 0, y: TOP + height - activity, width: left, height: activity };
  let y = TOP;
  const place = (pane: PaneName, h: number) => {
    panes[pane] = { x, y, width: width - x, height: h };
    y += h;
  };
  for (const [i, pane] of lists.entries()) place(pane, heights[i] as number);
  if (map > 0) place("map", map);
  return {
    panes,
    detail: { x, y, width: width - x, height: TOP + height - y },
    detailAs: "pane",
    dividers: [{ x: left, y: TOP, width: 1, height }],
  };
}

/** Heights of lists that share a column: each its need with a blank line, the one with the focus first; none below three rows. */
function shares(lists: readonly PaneName[], need: Wanted["need"], focus: PaneName, room: number): number[] {
  const least = 3;
  const order = PANES.map(({ name }) => name)
    .filter((name) => lists.includes(name))
    .sort((a, b) => Number(b === focus) - Number(a === focus));
  const heights = new Map<PaneName, number>();
  let left = room;
  for (const [i, pane] of order.entries()) {
    const others = order.length - i - 1;
    const most = others === 0 ? left : Math.max(least, Math.floor(left * (pane === focus ? 0.6 : 0.5)));
    const height = Math.max(least, Math.min(need[pane] + 2, most, left - others * least));
    heights.set(pane, height);
    left -= height;
  }
  return lists.map((pane) => heights.get(pane) as number);
}
