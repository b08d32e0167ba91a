import type { Presence } from "#model/presence";
import type { ResponseProgress } from "#model/response-progress";
import type { SensorState, State } from "#state/state";
import { sparkText, spread } from "../charts/activity.ts";
import { columns } from "../HostText.ts";
import { peopleSpans } from "../pair/people-spans.ts";
import { paintRow, type Span, span, spring } from "../row.ts";
import { activityBuckets } from "../rows/activity.ts";
import type { ViewMeta } from "../store.ts";
import type { Style, Theme } from "../theme.ts";
import { foundSpans } from "../trust/found.ts";
import { clock, count } from "../words.ts";
import { type IsolationWords, isolationBanner, isolationWords } from "./isolation.ts";

/**
 * Two lines that answer: which host, is it isolated, what time is it there, how well do we see, and was anything found. `findingsKey` is
 * the key that shows what.
 */
export function header(
  theme: Theme,
  width: number,
  state: State,
  meta: ViewMeta,
  now: number,
  {
    presence,
    findingsKey = "X",
    running,
  }: { presence?: Presence | undefined; findingsKey?: string; running?: ResponseProgress | undefined } = {},
): string[] {
  const isolated = isolationWords(theme, state, now, running);
  const { text, rest } = first(theme, width, state, meta, now, presence, isolated);
  return [text, second(theme, width, state, meta, rest, findingsKey)];
}

function first(
  theme: Theme,
  width: number,
  state: State,
  meta: ViewMeta,
  now: number,
  presence: Presence | undefined,
  isolated: IsolationWords | undefined,
): { text: string; rest: Span[][] } {
  const named = state.host.id !== "unknown" || state.host.name !== "unknown"; // before the first event only what was typed is known
  const host = !named
    ? meta.hostLabel
    : meta.hostLabel === state.host.name || (isolated && width < 100)
      ? state.host.name
      : `${state.host.name}  ${meta.hostLabel}`;
  // which host it is, and that it is isolated, go before our own name and the time
  const cramped = isolated !== undefined && width < 80;
  const time = cramped ? "" : `${clock(now)} UTC `;
  const replay: Span[] = meta.mode === "replay" ? [span("  "), span(" REPLAY ", "replay")] : [];
  const left: Span[] = [
    ...(cramped ? [span(" ")] : [span(" STAKEOUT ", "brand"), span("  ")]),
    { text: host, style: "strong", flex: true, cut: "middle" },
    ...replay,
    span("  "),
  ];
  const fixed = left.reduce((sum, s) => sum + (s.flex ? Math.min(columns(host), 16) : columns(s.text)), 0) + time.length + 3;
  if (!isolated) {
    const people = peopleSpans(presence, width - fixed - 12);
    return { text: paintRow(theme, width, [...left, ...people, span("not isolated", "soft"), span("   "), span(time, "soft")]), rest: [] };
  }
  const { spans, rest } = isolationBanner(theme, isolated, width - fixed);
  const room = width - fixed - spans.reduce((sum, s) => sum + columns(s.text), 0) - 3;
  const row = [...left, ...peopleSpans(presence, room), ...spans, span("   "), span(time, "strong")];
  return { text: paintRow(theme, width, row, isolated.well ? "isolated" : "alarm"), rest };
}

/** `ways`: how to say what of the isolation found no room in the first line, the longest first; what fits nowhere is cut. */
function second(theme: Theme, width: number, state: State, meta: ViewMeta, ways: readonly Span[][], findingsKey: string): string {
  const crowded = ways.length > 0 && width < 110;
  const gaps = crowded ? [2, 1] : [3];
  const sights = gaps.map((gap) => sightSpans(state, theme, { gap, brief: crowded, findingsKey }));
  const tries = (ways.length > 0 ? ways : [[]]).flatMap((isolation) => sights.map((spans) => ({ spans, isolation })));
  const { spans, isolation } =
    tries.find((one) => size(one.spans) + size(one.isolation) <= width) ?? (tries.at(-1) as (typeof tries)[number]);
  const used = size(spans);
  // what does not fit is left out: a ticket without its end, or half a word of the scope, says nothing
  const scope = scopeSpans(theme, state, width).find((variant) => size(variant) + size(isolation) + 1 <= width - used) ?? [];
  const scoped = size(scope);
  const lately = isolation.length > 0 ? [...isolation, span(" ")] : activitySpans(theme, state, width - used - scoped - 2);
  const left = width - used - scoped - size(lately);
  const analyst = state.card?.analyst ?? meta.analyst;
  const parted = scope.length > 0 ? ` ${theme.glyphs.dot}  ` : "";
  const path = `${parted}${analyst ? `${analyst} ${theme.glyphs.dot} ` : ""}${meta.sessionPath} `;
  const right: Span[] = width >= 110 && columns(path) + 3 <= left ? [span(path, "faint")] : [];
  const far = right.length > 0 || scope.length > 0;
  return paintRow(theme, width, [...spans, ...(far ? [...lately, spring] : [spring, ...lately]), ...scope, ...right]);
}

/** How well we see, and how much was found. How many events came is the least of it where there is little room (`brief`). */
function sightSpans(
  state: State,
  theme: Theme,
  { gap: blanks, brief, findingsKey }: { gap: number; brief: boolean; findingsKey: string },
): Span[] {
  const gap = " ".repeat(blanks);
  const sensors = [...state.sensors.values()].slice(0, 2);
  const found = foundSpans(state, findingsKey, brief);
  return [
    span(" "),
    ...(sensors.length === 0 ? [span("no sensor has started yet   ", "warn")] : []),
    ...sensors.flatMap((sensor) => [...sensorSpans(theme, sensor, brief, gap), span(gap)]),
    ...(found.length > 0 ? [...found, span(gap)] : []),
  ];
}

/** What others did over time, and what our own did, each at its own scale: one of ours is not to flatten what an intruder does. As much of it as there is room for. */
function activitySpans(theme: Theme, state: State, room: number): Span[] {
  const buckets = activityBuckets(state);
  if (buckets.length === 0) return [];
  const both = room >= 50;
  const wide = Math.min(24, both ? Math.floor((room - 22) / 2) : room - 12);
  if (wide < 6) return [];
  const theirs = spread(
    buckets.map((b) => (b.intruder ?? 0) + (b.suspect ?? 0) + (b.unknown ?? 0)),
    wide,
  );
  const ours = spread(
    buckets.map((b) => (b.responder ?? 0) + (b["known-good"] ?? 0)),
    wide,
  );
  const worst = buckets.some(({ intruder }) => intruder) ? "intruder" : buckets.some(({ suspect }) => suspect) ? "suspect" : "unknown";
  const spark = (counts: readonly number[], style: Style) => span(sparkText(theme, wide, counts), style);
  return [
    span("not ours ", "faint"),
    spark(theirs, worst),
    ...(both ? [span("   ours ", "faint"), spark(ours, "responder")] : []),
    span(" "),
  ];
}

const size = (spans: readonly Span[]): number => spans.reduce((sum, s) => sum + (s.width ?? columns(s.text)), 0);

/** How far this session may go, and the ticket that says so, the longest first; nothing where nobody said. */
function scopeSpans(theme: Theme, { card }: State, width: number): Span[][] {
  if (!card) return [];
  const beyond = card.scope?.includes("contain") ? "text" : "soft";
  const ticket = card.ticket
    ? [{ text: card.ticket, style: "text" as const, width: Math.min(columns(card.ticket), width >= 110 ? 24 : 12) }]
    : [];
  const scope = card.scope ? [span(scopeBrief(card.scope), beyond)] : [];
  const dot = ticket.length > 0 && scope.length > 0 ? [span(` ${theme.glyphs.dot} `, "faint")] : [];
  return [[...ticket, ...dot, ...scope], scope, ticket].filter((variant) => variant.length > 0).map((variant) => [...variant, span(" ")]);
}

/** What the scope allows beyond looking, which it always does. */
const scopeBrief = (scope: readonly string[]) => (scope.length > 1 ? scope.filter((word) => word !== "observe").join("+") : "observe only");

function sensorSpans(theme: Theme, sensor: SensorState, brief: boolean, gap: string): Span[] {
  const { report, status } = sensor;
  const well = status === "running";
  const number = (n: number | undefined, alarm: Style): Style => (n === undefined ? "faint" : n > 0 ? alarm : "soft");
  const told = (n: number | undefined) => (n === undefined ? "?" : count(n));
  return [
    span(`${well ? theme.glyphs.established : theme.glyphs.no} `, well ? "good" : "alarm"),
    span(sensor.tier, "text"),
    ...(well ? [] : [span(" "), span(` ${status.toUpperCase()} `, "alarm")]),
    ...(brief ? [] : [span(`${gap}${told(report.received)} ${report.received === 1 ? "event" : "events"}`, "soft")]),
    span(`${gap}lost ${told(report.lost)}`, number(report.lost, "bad")),
    span(`${gap}raced ${told(report.raced)}`, number(report.raced, "warn")),
  ];
}
