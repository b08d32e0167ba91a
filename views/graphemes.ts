import stringWidth from "string-width";

/** What a reader takes for one character, and how many columns a terminal gives it. */
export interface Grapheme {
  text: string;
  width: number;
}

/** Longest text, in UTF-16 units, and most texts that are remembered. */
const LONGEST = 256;
const MOST_TEXTS = 1024;
const MOST_WIDTHS = 8192;

/** A cluster without anything that a terminal draws: the library that measures throws on those made of format characters (U+FFF9). */
const NOTHING_DRAWN = /^[\p{Default_Ignorable_Code_Point}\p{Control}\p{Format}\p{Mark}\p{Surrogate}]*$/u;

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
const texts = new Map<string, readonly Grapheme[]>();
const widths = new Map<string, number>();

/**
 * A text taken apart. It is remembered: each pass of a segmenter holds kilobytes outside of the heap until the next full collection,
 * and a screen makes thousands in a second where names are not ASCII.
 */
export function graphemes(text: string): readonly Grapheme[] {
  const known = texts.get(text);
  if (known) return known;
  const found: Grapheme[] = [];
  for (const { segment } of segmenter.segment(text)) found.push({ text: segment, width: widthOf(segment) });
  if (text.length <= LONGEST) remember(texts, MOST_TEXTS, text, found);
  return found;
}

function widthOf(segment: string): number {
  if (segment >= " " && segment <= "~" && segment.length === 1) return 1;
  const known = widths.get(segment);
  if (known !== undefined) return known;
  const width = NOTHING_DRAWN.test(segment) ? 0 : stringWidth(segment);
  if (segment.length <= LONGEST) remember(widths, MOST_WIDTHS, segment, width);
  return width;
}

function remember<T>(known: Map<string, T>, most: number, key: string, value: T): void {
  if (known.size >= most) known.clear();
  known.set(key, value);
}
