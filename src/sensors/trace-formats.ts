import { Malformed, text } from "./wire.ts";

/** Of each event that is followed: the fields that are read, in the order of kernel-pages.ts. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  e: ["filename", "pid", "old_pid"],
  x: ["pid", "group_dead"],
  n: ["common_pid", "pid", "clone_flags"],
  s: ["common_flags", "common_pid", "skaddr", "oldstate", "newstate", "family", "sport", "dport", "saddr", "daddr", "saddr_v6", "daddr_v6"],
  g: ["common_pid", "sig", "pid"],
  t: ["common_pid", "pid"],
};
/** The only field that not every kernel has (6.16 brought it). */
const OPTIONAL = new Set(["group_dead"]);
const LONGEST = 16_384;
const FIELD = /^\tfield:[^;\t]*?(\w+)(?:\[\w*\])?;\toffset:(\d{1,4});\tsize:(\d{1,4});/;

/** Lines of a file of tracefs, as a shell sends them: parted by 0x1f, escaped as a field. @throws Malformed */
function linesOf(field: string): string[] {
  if (field.length > LONGEST) throw new Malformed("a format too long");
  return text(field).split("\x1f");
}

/** Where the named fields lie. @throws Malformed where one is named twice */
function placesOf(lines: readonly string[]): Map<string, { offset: string; size: string }> {
  const places = new Map<string, { offset: string; size: string }>();
  for (const line of lines) {
    const [, name, offset, size] = FIELD.exec(line) ?? [];
    if (name === undefined || offset === undefined || size === undefined) continue;
    if (places.has(name)) throw new Malformed("a format that names a field twice");
    places.set(name, { offset, size });
  }
  return places;
}

/**
 * The kernel's `format` file of an event as the record that PageFormat learns. `letter`: which event it is.
 * @throws Malformed where a field is missing that every kernel has
 */
export function formatRecord(letter: string, field: string): string[] {
  const wanted = Object.hasOwn(FIELDS, letter) ? FIELDS[letter] : undefined;
  if (wanted === undefined) throw new Malformed("an event we do not know");
  const lines = linesOf(field);
  const ids = lines.flatMap((line) => /^ID: (\d{1,5})$/.exec(line)?.[1] ?? []);
  const places = placesOf(lines);
  const type = places.get("common_type");
  if (ids.length !== 1 || type?.offset !== "0" || type.size !== "2") throw new Malformed("not the format of an event");
  const told = wanted.map((name) => {
    const place = places.get(name);
    if (place === undefined && !OPTIONAL.has(name)) throw new Malformed("a format that lacks a field");
    return place === undefined ? "" : `${place.offset}:${place.size}`;
  });
  return ["D", letter, ids[0] as string, "16", ...told];
}

/** Whether pages are as we read them: a time stamp, a commit, and events from byte 16 to 4096. @throws Malformed */
export function knownPages(field: string): boolean {
  const places = placesOf(linesOf(field).filter((line) => !line.includes(" overwrite;")));
  const is = (name: string, offset: string, size: string) => places.get(name)?.offset === offset && places.get(name)?.size === size;
  return is("timestamp", "0", "8") && is("commit", "8", "8") && is("data", "16", "4080");
}
