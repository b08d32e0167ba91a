import type { Mount } from "#model/file-flags";
import type { HostString } from "#model/host-string";
import { Malformed, text } from "./wire.ts";

/** Longest path that the kernel takes (PATH_MAX), with every byte escaped. */
const LONGEST = 4 * 4096;
/** mountinfo writes blanks, tabs, newlines, backslashes and # as three octal digits (seq_path, fs/proc_namespace.c). */
const OCTAL = /\\(0(?:11|12|40|43)|134)/g;
const plain = (field: string): HostString =>
  field.replace(OCTAL, (_all, digits) => String.fromCharCode(Number.parseInt(digits, 8))) as HostString;

/**
 * The mount of a file as the collector tells it: `=` and a line of mountinfo up to its source where it is the root's, `+` and the line
 * elsewhere, `!` for one that is in no list. The line is: id, parent, device, root, mount point, options, optional fields, `-`, type,
 * source (proc(5)). @throws Malformed
 */
export function readMount(field: string): Mount {
  if (field === "!") return { detached: true };
  const [sign, line] = [field.slice(0, 1), text(field.slice(1))];
  if ((sign !== "=" && sign !== "+") || line.length > LONGEST) throw new Malformed("no mount");
  const fields = line.split(" ");
  const parted = fields.indexOf("-", 6);
  const [point, type, source] = [fields[4], fields[parted + 1], fields[parted + 2]];
  if (parted < 6 || !point?.startsWith("/") || type === undefined || !/^[\w.-]{1,64}$/.test(type))
    throw new Malformed("no line of mountinfo");
  return {
    point: plain(point),
    type: type as HostString,
    ...(source === undefined || source === "" ? {} : { source: plain(source) }),
    ...(sign === "=" ? { root: true as const } : {}),
  };
}
