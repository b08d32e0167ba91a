import { FrameWriter } from "./frame-writer.ts";
import { graphemes } from "./graphemes.ts";

const PLAIN = /^\p{ASCII}*$/u;
/** What we ourselves write, in the nearest of ASCII, each one column wide. */
const NEAREST: Record<string, string> = {
  "…": "~",
  "·": ".",
  "›": ">",
  "×": "x",
  "→": ">",
  "←": "<",
  "█": "#",
  "░": ".",
  "–": "-",
  "—": "-",
};

/** Text for a terminal that shows ASCII alone: as many columns as before, '?' for each column that has no letter there. */
export function ascii(text: string): string {
  if (PLAIN.test(text)) return text;
  let out = "";
  for (const { text: segment, width } of graphemes(text)) out += PLAIN.test(segment) ? segment : (NEAREST[segment] ?? "?".repeat(width));
  return out;
}

/** The frame writer of a terminal whose locale is not UTF-8: bytes above 126 would be shown as garbage, and shift what follows. */
export class AsciiWriter extends FrameWriter {
  override write(frame: string | Uint8Array, encoding?: unknown, done?: () => void): boolean {
    return super.write(ascii(String(frame)), encoding, done);
  }
}
