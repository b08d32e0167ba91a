import { printable } from "#model/host-string";
import { columns } from "./HostText.ts";
import type { Key } from "./keys.ts";
import { type Span, span } from "./row.ts";
import type { Theme } from "./theme.ts";

/** UTF-16 units that one character may take on average: a letter under a hundred accents is an attack, not a word. */
const LONGEST_CLUSTER = 4;

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const clusters = (text: string) => [...segmenter.segment(text)].map(({ segment }) => segment);

/** A line of text after a key, printable and of at most `longest` characters as people count them; undefined for a key that is no editing. */
export function edited(text: string, key: Key, longest: number): string | undefined {
  if (key.name === "backspace") return clusters(text).slice(0, -1).join("");
  if (key.name === "ctrl-u") return "";
  if (key.name === "ctrl-w") return text.replace(/\S*\s*$/, "");
  if (key.text === undefined) return undefined;
  return clusters(text + printable(key.text.replace(/\s+/g, " ")))
    .slice(0, longest)
    .join("")
    .slice(0, longest * LONGEST_CLUSTER);
}

/**
 * What is being typed, in at most `room` columns with the cursor behind it: of a long line its end; a hint while it is empty. A field
 * that has not the keys now has no cursor.
 */
export function fieldSpans(theme: Theme, text: string, room: number, hint = "", active = true): Span[] {
  const cursor = active ? [span(theme.glyphs.cursor, "focus")] : [];
  if (text === "") return [...cursor, { text: hint, style: "faint", width: Math.min(columns(hint), room - 1) }];
  return [span(ending(text, room - 1, theme.glyphs.cut), active ? "strong" : "text"), ...cursor];
}

/** The end of a text that fits into `width` columns, `cut` where something was left out. */
function ending(text: string, width: number, cut: string): string {
  if (columns(text) <= width) return text;
  let kept = "";
  let left = width - columns(cut);
  for (const cluster of clusters(text).toReversed()) {
    left -= columns(cluster);
    if (left < 0) break;
    kept = cluster + kept;
  }
  return `${cut}${kept}`;
}
