import { columns } from "../HostText.ts";
import { paintRow, type Span, span } from "../row.ts";
import type { ReplayMark, ReplayPlace } from "../store.ts";
import type { Style, Theme } from "../theme.ts";
import { clock, count } from "../words.ts";
import { standingStyle } from "./tree-row.ts";

/** A letter can be read aloud, and stands in any font; the later of two in one cell counts less than the graver. */
const LOOKS: Record<ReplayMark["kind"], { letter: string; style: Style; weight: number; means: string }> = {
  isolate: { letter: "I", style: "isolated", weight: 6, means: "the host was isolated" },
  release: { letter: "R", style: "isolated", weight: 5, means: "it was released" },
  sensor: { letter: "S", style: "alarm", weight: 4, means: "a sensor was lost, saw less, or was tampered with" },
  finding: { letter: "F", style: "alarm", weight: 4, means: "a finding" },
  tag: { letter: "T", style: "strong", weight: 3, means: "a tag, in the colour of its verdict, or one that was taken back" },
  binary: { letter: "B", style: "warn", weight: 2, means: "a new binary" },
  login: { letter: "L", style: "place", weight: 1, means: "a login" },
};
/** What the letters mean, the gravest first. */
export const MARK_KINDS = Object.values(LOOKS);

/** Where a replay stands in its night: the time played, the marks on it, how many events, how fast. */
export function scrubberLine(theme: Theme, width: number, replay: ReplayPlace): string {
  const { left, right, size } = parts(width, replay, theme.glyphs.times);
  return paintRow(theme, width, [...left, ...bar(theme, replay, size), ...right]);
}

/** The moment that a column of the line stands for; undefined beside the bar. */
export function momentAt(width: number, replay: ReplayPlace, x: number): number | undefined {
  const { left, size } = parts(width, replay, "x");
  const cell = x - widthOf(left);
  if (cell < 0 || cell >= size) return undefined;
  return size === 1 ? replay.to : replay.from + ((replay.to - replay.from) * cell) / (size - 1);
}

const widthOf = (spans: readonly Span[]) => spans.reduce((sum, s) => sum + (s.width ?? columns(s.text)), 0);

/** What stands on both sides of the bar, and the cells that are left for it. */
function parts(width: number, replay: ReplayPlace, times: string): { left: Span[]; right: Span[]; size: number } {
  const over = replay.position >= replay.length;
  const speed = `${times}${replay.speed}`;
  const mode = replay.playing
    ? `playing ${speed}`
    : over
      ? replay.reading
        ? "reading"
        : "at the end"
      : replay.speed === 1
        ? "paused"
        : `paused ${speed}`;
  const left = [span(` ${clock(replay.from)} `, "soft")];
  const place =
    width >= 100 ? `event ${count(replay.position)} of ${count(replay.length)}` : `${count(replay.position)}/${count(replay.length)}`;
  const right: Span[] = [
    span(` ${clock(replay.to)}  `, "soft"),
    span(`${place}  `, "text"),
    // wide enough for the longest, so that the bar does not jump when it pauses
    { text: mode, style: replay.playing ? "good" : "unknown", width: 12, align: "right" },
    span(" "),
  ];
  return { left, right, size: Math.max(1, width - widthOf(left) - widthOf(right)) };
}

function bar(theme: Theme, replay: ReplayPlace, size: number): Span[] {
  const { glyphs } = theme;
  const cellOf = (at: number) => {
    const part = replay.to > replay.from ? (at - replay.from) / (replay.to - replay.from) : 1;
    return Math.round(Math.min(1, Math.max(0, part)) * (size - 1));
  };
  const knob = replay.position === 0 ? 0 : replay.position >= replay.length ? size - 1 : cellOf(replay.at);
  const marks = new Map<number, ReplayMark>();
  for (const mark of replay.marks) {
    const cell = cellOf(mark.at);
    const other = marks.get(cell);
    if (!other || LOOKS[mark.kind].weight >= LOOKS[other.kind].weight) marks.set(cell, mark);
  }
  const spans: Span[] = [];
  const push = (text: string, style: Style) => {
    const last = spans.at(-1);
    if (last?.style === style) last.text += text;
    else spans.push({ text, style });
  };
  for (let cell = 0; cell < size; cell++) {
    const mark = marks.get(cell);
    const { letter, style } = mark ? LOOKS[mark.kind] : { letter: "", style: "rule" as const };
    if (cell === knob) push(letter || glyphs.established, "replay");
    else if (mark) push(letter, mark.verdict ? standingStyle(mark.verdict) : style);
    else push(cell < knob ? glyphs.heavy : glyphs.line, cell < knob ? "unknown" : "rule");
  }
  return spans;
}
