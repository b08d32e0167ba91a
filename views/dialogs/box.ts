import { columns } from "../HostText.ts";
import { paintRow, type Span, span } from "../row.ts";
import type { Ground, Style, Theme } from "../theme.ts";

/** A dialog ready to be laid over the screen. */
export interface Overlay {
  width: number;
  rows: string[];
  /** Highest useful scroll offset of its body. */
  maxScroll: number;
}

/** A line of a dialog; on a ground of its own where it is the chosen one. */
export type BoxLine = readonly Span[] | { spans: readonly Span[]; ground: Ground };

export interface BoxParts {
  title: string;
  style: Style;
  body: readonly BoxLine[];
  /** Always seen, under the body. */
  foot: readonly (readonly Span[])[];
  width: number;
  /** Largest height, frame included. */
  height: number;
  scroll?: number;
}

/** A framed dialog; a body that is too long scrolls, and says so on the frame. */
export function box(theme: Theme, parts: BoxParts): Overlay {
  const { width, style, foot } = parts;
  // a frame of solid colour is a frame already; lines in it would only be noise
  const solid = theme.solid(style);
  const [nw, ne, sw, se] = solid ? [" ", " ", " ", " "] : theme.glyphs.corner;
  const [across, down] = solid ? [" ", " "] : [theme.glyphs.line, theme.glyphs.vertical];
  const inner = width - 4;
  const room = Math.max(1, parts.height - 2 - foot.length - (foot.length > 0 ? 1 : 0));
  const maxScroll = Math.max(0, parts.body.length - room);
  const top = Math.min(parts.scroll ?? 0, maxScroll);
  const shown = parts.body.slice(top, top + room);
  const line = (text: string) => theme.paint(text, style);
  const side = line(down);
  const framed = (line: BoxLine) => {
    const { spans, ground } = "spans" in line ? line : { spans: line, ground: undefined };
    return `${side} ${paintRow(theme, inner, spans, ground)} ${side}`;
  };
  const title = ` ${parts.title} `;
  const first = paintRow(theme, width, [
    span(nw + across, style),
    { text: title, style, width: Math.min(columns(title), width - 4) },
    span(across.repeat(Math.max(0, width - 3 - Math.min(columns(title), width - 4))) + ne, style),
  ]);
  const place = maxScroll > 0 ? ` ${top + 1}-${top + shown.length} of ${parts.body.length} ${theme.glyphs.dot} arrows, PgDn ` : "";
  const middle = paintRow(theme, width, [
    span(down, style),
    span(theme.glyphs.line.repeat(Math.max(0, width - 2 - place.length - 1)), "rule"),
    span(place, "warn"),
    span(theme.glyphs.line, "rule"),
    span(down, style),
  ]);
  const last = line(sw + across.repeat(width - 2) + se);
  return {
    width,
    rows: [first, ...shown.map(framed), ...(foot.length > 0 ? [middle, ...foot.map(framed)] : []), last],
    maxScroll,
  };
}

/** A key and what it does, as a dialog's last line shows them. */
export const keyHint = (key: string, does: string, ready = true): Span[] => [
  span(` ${key} `, ready ? "button" : "faint"),
  span(` ${does}   `, ready ? "strong" : "faint"),
];
