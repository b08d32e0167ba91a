import type { KnownFile, WeakDigest } from "#model/known-files";

/** The rule of a file whose content is on a list of known-bad files. */
export const KNOWN_BAD = "known-bad-file";

export const WEAK_NAMES: Readonly<Record<WeakDigest, string>> = { sha1: "SHA-1", md5: "MD5" };

/** How a digest came about where the host has nothing that computes one; "" where the host said it. */
export const hashedWords = (hashed: { bytes: number; size?: number } | undefined): string =>
  hashed === undefined
    ? ""
    : ` (made here, of ${hashed.bytes} bytes that were read over the line${hashed.size === undefined ? "" : `; it had ${hashed.size} when it was looked at, so it changed meanwhile`})`;

/** What a list says of a file, in words; never that it is harmless: an intruder uses known programs, too. */
export function knownWords({ verdict, list, words, by }: KnownFile): string {
  const weak =
    by === undefined
      ? ""
      : ` and its ${WEAK_NAMES[by] ?? "digest"} alone${verdict === "good" ? ", which another file can be made to have" : ""}`;
  return `${verdict === "bad" ? "KNOWN BAD" : "known"} by the list ${list}${weak}${words === undefined ? "" : `: ${words}`}${verdict === "good" ? " (which does not say who uses it, or for what)" : ""}`;
}
