import type { Standing } from "#state/state";
import { paintRow, type Span, span, spring } from "../row.ts";
import type { Style, Theme } from "../theme.ts";
import { count } from "../words.ts";

/** Who did something, as it is judged now; services are nobody's doing. */
export type Doer = Standing | "service";
/** What happened in one stretch of time, by whom. */
export type Activity = Partial<Record<Doer, number>>;

/** From the ground up: the bar of what matters most stands where it always can be seen. */
const STACK: readonly Doer[] = ["intruder", "suspect", "unknown", "responder", "known-good", "service"];
const EIGHTHS = " ▁▂▃▄▅▆▇█";
const SHADES: Record<Doer, string> = { intruder: "█", suspect: "▓", unknown: "▒", responder: "░", "known-good": "░", service: "·" };
export const doerStyle = (doer: Doer): Style => (doer === "known-good" ? "good" : doer === "service" ? "faint" : doer);
/** A glyph for each, so that nothing is told by colour alone. */
export const doerGlyph = (theme: Theme, doer: Doer): string => (doer === "service" ? theme.glyphs.dot : theme.glyphs.standing[doer]);

export interface ActivityChart {
  /** One a column, oldest first; of more than fit the newest are shown, fewer stand at the right end. */
  buckets: readonly Activity[];
  /** What the first and the last column stand for: "5m ago", "now". */
  from: string;
  to: string;
  /** What one bucket spans: "2 s". */
  each: string;
  /** Of all buckets, where one may stand in several columns; their sum when left out. */
  total?: Activity;
  /** Who is counted and not drawn: what is hidden, which would dwarf what is not. */
  hidden?: readonly Doer[];
}

/**
 * Stacked bars over time, by standing: exactly `height` rows, each exactly `width` wide; from three rows on, the last is the axis. Whatever
 * happened at all has at least an eighth of a cell, and the worst standing of a bar always has its foot: noise cannot drown an intruder.
 */
export function activityRows(theme: Theme, width: number, height: number, chart: ActivityChart): string[] {
  if (width <= 0 || height <= 0) return Array.from({ length: Math.max(0, height) }, () => "");
  const axis = height >= 3;
  const tall = axis ? height - 1 : height;
  const shown = chart.buckets.slice(-width).map((bucket) => without(bucket, chart.hidden));
  const most = Math.max(1, ...shown.map(total));
  const bars = shown.map((bucket) => barOf(bucket, most, tall));
  const pad = " ".repeat(width - bars.length);
  const rows = Array.from({ length: tall }, (_, y) => {
    const spans: Span[] = [span(pad)];
    for (const bar of bars) push(spans, ...cellOf(theme, bar, tall - 1 - y));
    return paintRow(theme, width, spans);
  });
  if (axis) rows.push(axisRow(theme, width, chart, most));
  return rows;
}

function without(bucket: Activity, hidden: readonly Doer[] = []): Activity {
  return hidden.some((doer) => bucket[doer]) ? { ...bucket, ...Object.fromEntries(hidden.map((doer) => [doer, 0])) } : bucket;
}

const total = (bucket: Activity) => STACK.reduce((sum, standing) => sum + amount(bucket, standing), 0);
const amount = (bucket: Activity, standing: Doer) => {
  const n = bucket[standing] ?? 0;
  return n > 0 ? Math.min(n, Number.MAX_SAFE_INTEGER) : 0;
};

/** The bar in eighths of a cell: how high it is, and up to where each standing reaches. */
interface Bar {
  height: number;
  upTo: { standing: Doer; to: number }[];
}

function barOf(bucket: Activity, most: number, tall: number): Bar {
  const sum = total(bucket);
  if (sum === 0) return { height: 0, upTo: [] };
  const height = Math.max(1, Math.round((sum / most) * tall * 8));
  let reached = 0;
  const upTo = STACK.filter((standing) => amount(bucket, standing) > 0).map((standing, i) => {
    reached += amount(bucket, standing);
    // The worst has the whole first cell, or what there is of it.
    return { standing, to: i === 0 ? Math.max(Math.min(8, height), (reached / sum) * height) : (reached / sum) * height };
  });
  return { height, upTo };
}

/** One cell of a bar, `level` cells above the ground: one colour a cell, that of whoever has its middle. */
function cellOf(theme: Theme, bar: Bar, level: number): [string, Style] {
  const inside = Math.min(8, bar.height - level * 8);
  if (inside <= 0) return [" ", "text"];
  const middle = level * 8 + inside / 2;
  const standing = (bar.upTo.find(({ to }) => middle <= to) ?? bar.upTo.at(-1))?.standing ?? "unknown";
  if (!isUnicode(theme)) return [doerGlyph(theme, standing), doerStyle(standing)];
  return [theme.level === "none" ? SHADES[standing] : (EIGHTHS[inside] as string), doerStyle(standing)];
}

const isUnicode = (theme: Theme) => theme.glyphs.branch === "├─";

/** Cells of one style go into one span: a row has a few codes, not one a column. */
function push(spans: Span[], text: string, style: Style): void {
  const last = spans.at(-1);
  if (last && last.style === style) last.text += text;
  else spans.push(span(text, style));
}

function axisRow(theme: Theme, width: number, chart: ActivityChart, most: number): string {
  const counted = chart.buckets.slice(-width);
  const sums = STACK.map((doer) => ({
    doer,
    sum: chart.total ? amount(chart.total, doer) : counted.reduce((all, bucket) => all + amount(bucket, doer), 0),
  }));
  const drawn = sums.filter(({ doer, sum }) => sum > 0 && !chart.hidden?.includes(doer));
  const legend = (words: boolean) =>
    sums.flatMap(({ doer, sum }) =>
      sum === 0
        ? []
        : [
            span(
              `${doerGlyph(theme, doer)} ${words ? `${doer === "service" ? "services" : doer} ` : ""}${count(sum)}${words && chart.hidden?.includes(doer) ? " hidden" : ""}  `,
              doerStyle(doer),
            ),
          ],
    );
  const seen = sums.some(({ sum }) => sum > 0);
  const peak = drawn.length > 0 ? `peak ${count(most)} in ${chart.each}` : seen ? "" : "nothing seen";
  const room = width - chart.from.length - chart.to.length - 4;
  const size = (spans: readonly Span[]) => spans.reduce((sum, { text }) => sum + text.length, 0);
  // who it was is worth more than how much at most
  const [told, highest] = (
    [
      [legend(true), peak],
      [legend(true), ""],
      [legend(false), peak],
      [legend(false), ""],
    ] as const
  ).find(([spans, text]) => size(spans) + text.length <= room) ?? [[], ""];
  return paintRow(theme, width, [
    span(`${chart.from}  `, "faint"),
    ...told,
    { ...spring, text: highest, style: "faint" },
    span(` ${chart.to}`, "faint"),
  ]);
}

/** Counts spread over exactly `width` columns: neighbours are summed where there are too many, shown wider where there are few. */
export function spread(counts: readonly number[], width: number): number[] {
  const each = Math.max(1, Math.ceil(counts.length / Math.max(1, width)));
  const columns: number[] = [];
  for (let i = 0; i < counts.length; i += each) columns.push(counts.slice(i, i + each).reduce((sum, n) => sum + n, 0));
  return widened(columns, width);
}

const widened = <T>(columns: readonly T[], width: number): T[] =>
  columns.length === 0 ? [] : Array.from({ length: width }, (_, i) => columns[Math.floor((i * columns.length) / width)] as T);

function added(buckets: readonly Activity[]): Activity {
  const sum: Activity = {};
  for (const bucket of buckets) for (const doer of STACK) if (bucket[doer]) sum[doer] = (sum[doer] ?? 0) + (bucket[doer] as number);
  return sum;
}

/** The same for buckets. `each` is how many went into one column. */
export function spreadBuckets(buckets: readonly Activity[], width: number): { buckets: Activity[]; each: number; total: Activity } {
  const each = Math.max(1, Math.ceil(buckets.length / Math.max(1, width)));
  const columns: Activity[] = [];
  for (let i = 0; i < buckets.length; i += each) {
    columns.push(added(buckets.slice(i, i + each)));
  }
  return { buckets: widened(columns, width), each, total: added(columns) };
}

/** Eighth blocks, newest at the right end: exactly `width` columns, scaled to `most`, or to its own peak. */
export function sparkText(theme: Theme, width: number, values: readonly number[], most?: number): string {
  if (width <= 0) return "";
  const shown = values.slice(-width).map((value) => (Number.isFinite(value) && value > 0 ? value : 0));
  const peak = Math.max(1, most ?? 0, ...shown);
  const marks = isUnicode(theme) ? EIGHTHS : " .:-=+*##";
  return shown
    .map((value) => marks[value === 0 ? 0 : Math.max(1, Math.round((value / peak) * 8))])
    .join("")
    .padStart(width);
}
