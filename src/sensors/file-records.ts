import type { Digests } from "#model/file";
import type { HostString } from "#model/host-string";
import { type Observation, SECRET_KINDS } from "#model/observation";
import type { ProgramFacts } from "#model/program";
import { readMount } from "./mountinfo.ts";
import { amount, ascii, blob, compact, field, given, list, oneOf, type Records } from "./record-fields.ts";
import { bootTime, Malformed, pid, text, whole, wideNumber } from "./wire.ts";

const CHANGES = { c: "created", m: "moved-in", w: "written", o: "deleted", d: "deleted" } as const;

/** What is told of files: changes, openings, secrets, facts, packages. */
export const FILE_RECORDS: Records<Observation> = {
  W: {
    fields: 6,
    least: 5,
    read: (f) => {
      const nameless = f[2] === "n" ? ("plain" as const) : f[2] === "x" ? ("executable" as const) : undefined;
      const known = Object.hasOwn(CHANGES, field(f, 2)) ? CHANGES[f[2] as keyof typeof CHANGES] : undefined;
      const change = nameless ? "written" : known;
      if (change === undefined) throw new Malformed("not a change");
      const writer = given(field(f, 4), pid);
      return {
        kind: "file",
        ts: bootTime(f[1]),
        change,
        path: text(field(f, 3)),
        ...(writer === undefined ? {} : { pid: writer }),
        ...(nameless ? { nameless } : {}),
        ...(f[2] === "o" ? { away: true as const } : {}),
        ...(f[2] === "m" && f[5] ? { from: text(f[5]) } : {}),
      };
    },
  },
  V: {
    fields: 5,
    read: (f) => {
      const held = oneOf(field(f, 3), ["o", "h"]) === "h";
      return { kind: "file-open", ts: bootTime(f[1]), pid: pid(f[2]), path: text(field(f, 4)), ...(held ? { held } : {}) };
    },
  },
  "=": {
    fields: 10,
    read: (f) =>
      compact<Extract<Observation, { kind: "secret" }>>({
        kind: "secret",
        path: text(field(f, 1)),
        what: oneOf(field(f, 2), SECRET_KINDS),
        uid: whole(f[3]),
        gid: whole(f[4]),
        mode: whole(f[5]),
        size: whole(f[6]),
        publicKey: given(field(f, 7), blob),
        cipher: given(field(f, 8), text),
        hosts: given(field(f, 9), list),
      }),
  },
  I: {
    fields: 12,
    least: 11,
    read: (f) =>
      compact<Extract<Observation, { kind: "file-info" }>>({
        kind: "file-info",
        path: text(field(f, 1)),
        size: given(field(f, 2), whole),
        mode: given(field(f, 3), whole),
        uid: given(field(f, 4), whole),
        mtimeNs: given(field(f, 5), wideNumber),
        inode: given(field(f, 6), (value) => wideNumber(value).toString()),
        ...(f[7] === "-" ? { unhashable: true as const } : digests(field(f, 7))),
        elf: given(field(f, 8), (value) => value === "1"),
        program: given(field(f, 9), program),
        error: given(field(f, 10), text),
        mount: given(f[11] ?? "", readMount),
      }),
  },
  w: {
    fields: 10,
    read: (f) =>
      compact<Extract<Observation, { kind: "file-owner" }>>({
        kind: "file-owner",
        path: text(field(f, 1)),
        file: given(field(f, 2), text),
        manager: given(field(f, 3), (value) => oneOf(value, ["dpkg", "rpm"] as const)),
        package: given(field(f, 4), packageWord),
        version: given(field(f, 5), packageWord),
        found: oneFound(field(f, 6)),
        ...digests(field(f, 7)),
        stamp: given(field(f, 8), ascii),
        why: given(field(f, 9), text),
      }),
  },
};

const FOUND = { s: "same", d: "differs", u: "undigested", n: "none", "=": "unchanged", "?": "unknown" } as const;
function oneFound(value: string): (typeof FOUND)[keyof typeof FOUND] {
  if (!Object.hasOwn(FOUND, value)) throw new Malformed("not a word we know");
  return FOUND[value as keyof typeof FOUND];
}
/** Names and versions of packages as dpkg and rpm allow them: nothing that a screen or a report would have to be guarded against. */
function packageWord(value: string): HostString {
  if (!/^[\w.+:~^-]{1,200}$/.test(value)) throw new Malformed("no package's name or version");
  return value as HostString;
}
/** What elf.ts tells, name=value. @throws Malformed */
function program(value: string): ProgramFacts {
  const told = new Map(
    value.split("\x1f", 16).map((one) => {
      const at = one.indexOf("=");
      return [one.slice(0, Math.max(0, at)), one.slice(at + 1)];
    }),
  );
  const is = (name: string) => told.get(name) === "1";
  const interpreter = told.get("interpreter");
  const [bits, type, id, entropy] = [told.get("bits"), told.get("type"), told.get("id"), told.get("entropy")];
  if (bits !== "32" && bits !== "64") throw new Malformed("no program's facts");
  if (id !== undefined && !/^(?:[0-9a-f]{2}){8,64}$/.test(id)) throw new Malformed("not a build id");
  const hundredths = entropy === undefined ? undefined : amount(entropy);
  if (hundredths !== undefined && hundredths > 800) throw new Malformed("not an entropy");
  const made = told.get("made");
  return compact<ProgramFacts>({
    bits: bits === "32" ? 32 : 64,
    // ET_EXEC (2) without a loader is static; ET_DYN (3) without one is a library or a static program that can be anywhere
    linked: interpreter !== undefined ? "dynamic" : type === "2" ? "static" : type === "3" ? "library" : undefined,
    interpreter: interpreter === undefined ? undefined : text(interpreter),
    stripped: !is("symbols"),
    sections: is("sections"),
    build_id: id,
    made_by: made === "go" || made === "rust" ? made : undefined,
    packer: told.get("packer") === "upx" ? "upx" : undefined,
    entropy: hundredths === undefined ? undefined : hundredths / 100,
  });
}
/** A file's digests, told apart by their length; nothing for an empty field. @throws Malformed */
function digests(value: string): Partial<Digests> {
  const found: Partial<Digests> = {};
  if (value === "") return found;
  for (const one of value.split("\x1f")) {
    const kind = ({ 64: "sha256", 40: "sha1", 32: "md5" } as const)[one.length];
    if (kind === undefined || found[kind] !== undefined || !/^[0-9a-f]+$/.test(one)) throw new Malformed("not a digest");
    found[kind] = one;
  }
  if (found.sha256 === undefined) throw new Malformed("no sha256 among the digests");
  return found;
}
