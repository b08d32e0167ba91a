/**
 * Text that came from a suspect host. It is hostile until printed through {@link printable}: a process name may hold
 * terminal escapes, a file name may hold bytes that are not UTF-8. It is kept raw and without loss in the log.
 */
declare const hostBrand: unique symbol;
export type HostString = string & { readonly [hostBrand]: true };

const utf8 = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/**
 * Bytes of the host as text. Valid UTF-8 is decoded; every byte that is not part of valid UTF-8 becomes a lone surrogate
 * U+DC80 to U+DCFF (Python's PEP 383 "surrogateescape"), so {@link encodeHostString} gives the same bytes back.
 */
export function decodeHostBytes(bytes: Uint8Array): HostString {
  try {
    // `ignoreBOM` is not wanted here: a leading BOM is data, and the fatal decoder would swallow it.
    if (!(bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)) return utf8.decode(bytes) as HostString;
  } catch {
    // fall through to the slow, lossless path
  }
  let text = "";
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes, i);
    if (length === 0) {
      text += String.fromCharCode(0xdc00 + (bytes[i] as number));
      i += 1;
    } else {
      text += String.fromCodePoint(codePoint(bytes, i, length));
      i += length;
    }
  }
  return text as HostString;
}

/** The bytes that {@link decodeHostBytes} was given. */
export function encodeHostString(text: string): Uint8Array {
  const parts: number[] = [];
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (code >= 0xdc80 && code <= 0xdcff) parts.push(code - 0xdc00);
    else for (const byte of encoder.encode(char)) parts.push(byte);
  }
  return Uint8Array.from(parts);
}

/** Length of the valid UTF-8 sequence at `i` (1 to 4), or 0 when the byte there starts none (RFC 3629, section 4). */
function sequenceLength(b: Uint8Array, i: number): number {
  const c = b[i] as number;
  const next = (k: number, low = 0x80, high = 0xbf) => {
    const v = b[i + k];
    return v !== undefined && v >= low && v <= high;
  };
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c <= 0xdf) return next(1) ? 2 : 0;
  if (c >= 0xe0 && c <= 0xef) return next(1, c === 0xe0 ? 0xa0 : 0x80, c === 0xed ? 0x9f : 0xbf) && next(2) ? 3 : 0;
  if (c >= 0xf0 && c <= 0xf4) return next(1, c === 0xf0 ? 0x90 : 0x80, c === 0xf4 ? 0x8f : 0xbf) && next(2) && next(3) ? 4 : 0;
  return 0;
}

function codePoint(b: Uint8Array, i: number, length: number): number {
  const c = b[i] as number;
  if (length === 1) return c;
  let value = c & (0xff >> (length + 1));
  for (let k = 1; k < length; k++) value = (value << 6) | ((b[i + k] as number) & 0x3f);
  return value;
}

// Controls, lone surrogates (undecodable bytes), format characters (bidi, zero-width, tags), line and paragraph separators, and what
// Unicode calls default ignorable (fillers, variation selectors): general categories of UAX #44.
const UNSAFE = /[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;
const PLAIN = /^[\x20-\x7e]*$/;

/** Host text made safe for a terminal, a page or a line of output: every character that could steer, hide or reorder becomes '·'. */
export function printable(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNSAFE, "·");
}

// Blanks that nobody sees: of Unicode's other widths anywhere; the ordinary one where a name begins or ends, and behind another.
const SEEN = /^[\x21-\x7e]*$/;
const UNSEEN_BLANK = /[^\P{Zs} ]|(?<=^|\/| ) | (?=$|\/)/gu;

/** A path or a name of a file with what cannot be seen in it as '·': a file called " " must not look like its folder. */
export function visiblePath(path: string): string {
  return SEEN.test(path) ? path : path.replace(UNSEEN_BLANK, "·");
}
