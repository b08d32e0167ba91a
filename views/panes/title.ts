import type { Millis } from "#state/time";
import { columns } from "../HostText.ts";
import { paintRow, type Span, span, wrapText } from "../row.ts";
import type { Style, Theme } from "../theme.ts";
import { age } from "../words.ts";

export interface TitleParts {
  text: string;
  /** The key that shows this pane alone. */
  key?: string;
  focused: boolean;
  /** What is counted in the title, in words. */
  counted?: string;
  /** What the pane is about, quieter than what is counted. */
  about?: string;
  /** How many rows there are; 'rows 1-18 of 212' is made of it where not all are seen. */
  total: number;
  top: number;
  shown: number;
  /** In which order the rows are, and whether the cursor follows: `must` be told, or only where there is room. */
  order?: { text: string; must: boolean };
  /** Told on the rule itself, before the position. */
  note?: { text: string; brief: string; style: Style };
}

/** A pane's title on a rule: heavy and bright for the pane that has the keys. */
export function paneTitle(theme: Theme, width: number, parts: TitleParts): string {
  const { total } = parts;
  const rule = parts.focused ? theme.glyphs.heavy : theme.glyphs.line;
  const ruleStyle: Style = parts.focused ? "focus" : "rule";
  const left: Span[] = [
    span(`${rule}${rule} `, ruleStyle),
    span(parts.key === undefined ? "" : `${parts.key} `, parts.focused ? "key" : "faint"),
    span(parts.text, parts.focused ? "focus" : "strong"),
    span(` ${parts.counted ?? ""}${parts.counted ? " " : ""}`, parts.focused ? "focus" : "soft"),
    ...(parts.about ? [span(`${parts.about} `, "soft" as const)] : []),
  ];
  const position = total > parts.shown ? `rows ${parts.top + 1}-${Math.min(total, parts.top + parts.shown)} of ${total}` : "";
  const right: Span[] = [];
  let room = width - left.reduce((sum, s) => sum + columns(s.text), 0) - 4;
  const orderRoom = parts.order?.text ? columns(parts.order.text) + 3 : 0;
  if (parts.order?.must) room -= orderRoom;
  if (parts.note) {
    const note = room >= columns(parts.note.text) + 2 ? parts.note.text : parts.note.brief;
    right.push(span(` ${note} `, parts.note.style), span(rule, ruleStyle));
    room -= columns(note) + 3;
  }
  if (parts.order?.text && (parts.order.must || room >= orderRoom)) {
    right.unshift(span(` ${parts.order.text} `, parts.order.must ? "strong" : "soft"), span(rule, ruleStyle));
    if (!parts.order.must) room -= orderRoom;
  }
  if (position && room >= position.length + 2) right.push(span(` ${position} `, "faint"), span(rule, ruleStyle));
  const used = [...left, ...right].reduce((sum, s) => sum + columns(s.text), 0);
  return paintRow(theme, width, [...left, span(rule.repeat(Math.max(0, width - used)), ruleStyle), ...right]);
}

/** What an empty pane teaches, in its middle-left, instead of nothing. */
export function emptyRows(theme: Theme, width: number, height: number, text: readonly string[]): string[] {
  const lines = text.flatMap((line, i) =>
    wrapText(line, Math.max(10, width - 4)).map((part) => ({ part, style: i === 0 ? ("soft" as const) : ("faint" as const) })),
  );
  // where it does not all fit, the last line says so by being cut
  const last = Math.max(0, height - 1);
  const tail = lines.slice(last);
  const rowText = (i: number) =>
    i === last && tail.length > 1 && tail[0]?.style === tail[1]?.style ? tail.map(({ part }) => part).join(" ") : lines[i]?.part;
  return Array.from({ length: height }, (_, i) =>
    paintRow(theme, width, [span("   "), { text: rowText(i) ?? "", style: lines[i]?.style ?? "faint", flex: true }]),
  );
}

/** So long a row that has just come is marked as new. */
const FRESH_MS = 6000;

/** What stands above those six columns, and the blank behind them. */
export const headOfAge = (text = "age"): Span[] => [{ text, style: "faint", width: 6, align: "right" }, span(" ")];

/** How long ago, in six columns; with a mark while it is new: nothing blinks, and what is new can be told without colours. */
export function ageSpans(theme: Theme, since: Millis, now: Millis, style: Style, at: Millis): Span[] {
  const fresh = now - at < FRESH_MS && at - now < FRESH_MS;
  return [
    { text: fresh ? theme.glyphs.fresh : "", style: "good", width: 2, align: "right" },
    { text: age(since, now), style: fresh ? "good" : style, width: 4, align: "right" },
  ];
}

/** A row's first column: where the cursor is, in the pane that has the keys and in those that have not. */
export const cursorSpan = (theme: Theme, selected: boolean, focused: boolean): Span =>
  selected ? { text: theme.glyphs.cursor, style: focused ? "focus" : "faint", width: 1 } : { text: " ", width: 1 };
