import { type Cut, cells, columns } from "./HostText.ts";
import type { Ground, Style, Theme } from "./theme.ts";

/** A run of text of one style. `text` may be raw host text: it is made safe here. */
export interface Span {
  text: string;
  style?: Style;
  /** Columns to fill; the text's own width when left out. */
  width?: number;
  align?: "left" | "right";
  cut?: Cut;
  /** Takes what the other spans leave; at most one in a row. */
  flex?: true;
}

export const span = (text: string, style: Style = "text"): Span => ({ text, style });
/** A column of fixed width. */
export const column = (text: string, width: number, style: Style = "text", more: Pick<Span, "align" | "cut"> = {}): Span => ({
  text,
  style,
  width,
  ...more,
});
export const spring: Span = { text: "", flex: true };

/** One row of exactly `width` columns. What does not fit is cut from the right, spans with `flex` first. */
export function paintRow(theme: Theme, width: number, spans: readonly Span[], ground?: Ground): string {
  const widths = spans.map((s) => (s.flex ? 0 : (s.width ?? columns(s.text, width))));
  const fixed = widths.reduce((sum, w) => sum + w, 0);
  const flex = spans.findIndex((s) => s.flex);
  if (flex >= 0) widths[flex] = Math.max(0, width - fixed);
  const plain = ground !== undefined && theme.plainOn(ground);
  let left = width;
  let row = "";
  for (const [i, s] of spans.entries()) {
    const room = Math.min(left, widths[i] as number);
    if (room <= 0) continue;
    // blanks that find no room are no loss: no mark says that something was cut
    const whole = room < (widths[i] as number) && s.width === undefined ? s.text.trimEnd() : s.text;
    const text = s.align === "right" ? right(whole, room, s.cut) : cells(whole, room, s.cut);
    row += plain || !s.style ? text : theme.paint(text, s.style);
    left -= room;
  }
  row += " ".repeat(left);
  return ground ? theme.ground(row, ground) : row;
}

function right(text: string, width: number, cut: Cut | undefined): string {
  const own = columns(text, width + 1);
  return own >= width ? cells(text, width, cut) : " ".repeat(width - own) + cells(text, own);
}

/** Text as lines of at most `width` columns, broken at blanks where there are any. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const word of text.split(" ")) {
    let rest = word;
    let size = columns(rest);
    if (line && used + 1 + size > width) {
      lines.push(line);
      line = "";
    }
    while (size > width && width > 0) {
      // a word longer than the line is broken where the line ends
      const head = headOf(rest, line ? width - used - 1 : width);
      lines.push((line ? `${line} ` : "") + head);
      rest = rest.slice(head.length);
      size = columns(rest);
      line = "";
      if (lines.length > 500) return lines;
    }
    used = line ? used + 1 + size : size;
    line = line ? `${line} ${rest}` : rest;
  }
  return [...lines, line];
}

/** As much of the text as fits into so many columns: at least a character, never half of one. */
function headOf(text: string, width: number): string {
  let head = "";
  let used = 0;
  for (const char of text) {
    used += columns(char);
    if (used > width && head !== "") break;
    head += char;
    if (used > width) break;
  }
  return head;
}

/** Text broken every `width` columns and nowhere else: for what must be read exactly as it is, blanks included. */
export function hardWrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let rest = text;
  while (columns(rest) > width && width > 0 && lines.length < 500) {
    let end = Math.min(rest.length, width);
    while (end > 1 && columns(rest.slice(0, end)) > width) end--;
    lines.push(rest.slice(0, end));
    rest = rest.slice(end);
  }
  return [...lines, rest];
}
