import stringWidth from "string-width";
import { printable } from "#model/host-string";
import { type Grapheme, graphemes } from "./graphemes.ts";

/** Where a text that is too long loses its characters: names keep their head, paths and arguments keep both ends. */
export type Cut = "end" | "middle";

const ELLIPSIS = "…";
const MARK = "·";
/**
 * Inside of a character class: what every terminal draws one column wide. ASCII, Latin, Greek, Cyrillic, arrows, boxes, blocks,
 * shapes, check marks, braille; no combining marks.
 */
export const STEADY =
  "\\x20-\\x7e\\u00a1-\\u00ac\\u00ae-\\u02ff\\u0370-\\u0377\\u037b-\\u037f\\u0391-\\u0482\\u048a-\\u052f\\u2026\\u203a\\u2190-\\u21ff\\u2500-\\u25fc\\u25ff\\u2713\\u2717\\u2800-\\u28ff";
const ALL_STEADY = new RegExp(`^[${STEADY}]*$`);
// What `printable` leaves and a cell must not hold: lone marks, format characters, whatever a terminal shows as nothing.
const UNSTEADY = /^\p{M}|[\p{Cf}\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** Letters that join what follows into their own cluster, a blank that pads included (UAX #29, GraphemeBreakProperty.txt, Prepend but not Cf). */
const JOINS_NEXT = /[\u0d4e\u{111c2}\u{111c3}\u{113d1}\u{1193f}\u{11941}\u{11a3a}\u{11a84}-\u{11a89}\u{11d46}\u{11f02}]$/u;
/** Longest grapheme cluster that is kept whole, in UTF-16 units: a letter under a hundred accents is an attack, not a name. */
const LONGEST_CLUSTER = 12;
const CACHE_LIMIT = 8192;

const cache = new Map<string, string>();

/** Text made printable and fitted to exactly `width` terminal columns: padded with blanks, or cut with '…'. Any string is safe. */
export function cells(text: string, width: number, cut: Cut = "end"): string {
  if (width <= 0) return "";
  if (text.length <= width && ALL_STEADY.test(text)) return text.padEnd(width);
  const key = `${width}${cut}${text}`;
  const known = text.length < 512 ? cache.get(key) : undefined;
  if (known !== undefined) return known;
  const fitted = squeeze(bounded(text, width), width, cut);
  if (text.length < 512) {
    if (cache.size >= CACHE_LIMIT) cache.clear();
    cache.set(key, fitted);
  }
  return fitted;
}

/** Terminal columns that the whole text takes once it is printable; at most `limit` is ever reported. */
export function columns(text: string, limit = 10_000): number {
  if (text.length <= limit && ALL_STEADY.test(text)) return text.length;
  let width = 0;
  for (const cluster of clusters(bounded(text, limit))) width += cluster.width;
  return Math.min(width, limit);
}

/** A megabyte of arguments costs no more than what can be seen of it: its head and its tail are enough for any cut. */
function bounded(text: string, width: number): string {
  const keep = width * LONGEST_CLUSTER + 64;
  return text.length <= keep * 2 ? text : text.slice(0, keep) + text.slice(-keep);
}

function squeeze(text: string, width: number, cut: Cut): string {
  if (ALL_STEADY.test(text)) return text.length <= width ? text.padEnd(width) : cutSteady(text, width, cut);
  const all = clusters(text);
  const fitted = assemble(all, width, cut);
  // Two harmless clusters side by side can join into one; then only what is plain stays.
  return stringWidth(fitted) === width ? fitted : squeeze(text.replace(/[^\x20-\x7e]/gu, "?"), width, cut);
}

function cutSteady(text: string, width: number, cut: Cut): string {
  if (cut === "end") return text.slice(0, width - 1) + ELLIPSIS;
  const head = Math.ceil((width - 1) / 2);
  const tail = width - 1 - head;
  return text.slice(0, head) + ELLIPSIS + (tail > 0 ? text.slice(-tail) : "");
}

function clusters(text: string): Grapheme[] {
  const found: Grapheme[] = [];
  for (const one of graphemes(printable(text))) {
    const shown = one.width > 0 && one.text.length <= LONGEST_CLUSTER && !UNSTEADY.test(one.text) && !JOINS_NEXT.test(one.text);
    found.push(shown ? one : { text: MARK, width: 1 });
  }
  return found;
}

function assemble(all: readonly Grapheme[], width: number, cut: Cut): string {
  const total = all.reduce((sum, cluster) => sum + cluster.width, 0);
  if (total <= width) return all.map((cluster) => cluster.text).join("") + " ".repeat(width - total);
  const room = width - 1;
  const tailRoom = cut === "end" ? 0 : Math.floor(room / 2);
  const tail = take(all.toReversed(), tailRoom);
  const head = take(all, room - tailRoom);
  const text = head.texts.join("") + ELLIPSIS + tail.texts.reverse().join("");
  return text + " ".repeat(room - head.width - tail.width);
}

function take(from: readonly Grapheme[], room: number): { texts: string[]; width: number } {
  const texts: string[] = [];
  let width = 0;
  for (const cluster of from) {
    if (width + cluster.width > room) break;
    texts.push(cluster.text);
    width += cluster.width;
  }
  return { texts, width };
}
