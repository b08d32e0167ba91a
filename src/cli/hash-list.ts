import { open } from "node:fs/promises";
import { basename } from "node:path";
import { DigestList, type KnownFile, KnownFiles } from "#model/known-files";
import { WEAK_NAMES } from "#state/known";
import { EXIT, UserError } from "./exit.ts";

/** The national list for one family of systems; as much as half a gigabyte of memory holds. */
const MOST_DIGESTS = 8_000_000;
const LONGEST_LINE = 64 << 10;
/** Lines that one quoted field may go over. */
const MOST_JOINED = 64;
const LONGEST_WORDS = 160;

/** SHA-256, SHA-1 or MD5. */
const DIGEST = /^(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})$/i;
/** A digest alone, or with its file or a remark: as sha256sum, sha1sum and md5sum write it, or parted by a comma, semicolon or blank. */
const PLAIN = /^\\?([0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?:\s+\*?|\s*[,;]\s*|$)(.*)$/i;
/** SHA-224, SHA-384 or SHA-512, alone or with more: no host computes them for us. */
const OTHER_PLAIN = /^\\?(?:[0-9a-f]{56}|[0-9a-f]{96}|[0-9a-f]{128})(?:[\s,;]|$)/i;
/** MISP's types of attributes that are a file's digest, alone or behind its name (`filename|md5`); a sample's is an MD5. */
const LOOKED_UP = /^(?:filename\|)?(?:sha256|sha1|md5)$|^malware-sample$/;
const OTHER_TYPE =
  /^(?:filename\|)?(?:sha-?(?:224|384|512)(?:\/\d+)?|sha3-\d+|ssdeep|imphash|impfuzzy|tlsh|vhash|pehash|authentihash|cdhash|telfhash)$/;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]+/gu;

/** A list, and what it had beside the digests that are looked up. */
export interface ReadList {
  list: DigestList;
  /** Entries that have only digests of a kind which is looked up nowhere (SHA-512, ssdeep), or none. */
  otherDigests: number;
  /** MISP's attributes that are no files' digests, or are not meant for detection (to_ids 0). */
  notMeant: number;
}

/**
 * Reads lists of known files: plain (a sha256, SHA-1 or MD5 a line, as sha256sum and its kin write it, with or without more), MISP's CSV
 * of attributes, and the CSV of NSRL or any other whose first line names columns of these. Of a row with several the sha256 is taken, else
 * the SHA-1. `say` is told what the host has to compute for a list, and what of it nobody can look up.
 * @throws UserError with the line that is wrong
 */
export async function readKnownFiles(bad: readonly string[], good: readonly string[], say: (line: string) => void): Promise<KnownFiles> {
  const lists: DigestList[] = [];
  for (const [verdict, files] of [
    ["bad", bad],
    ["good", good],
  ] as const)
    for (const file of files) {
      const { list, otherDigests, notMeant } = await readHashList(file, verdict);
      const option = `--known-${verdict} ${file}`;
      const weak = (["sha1", "md5"] as const).flatMap((kind) => {
        const size = list.sizeOf(kind);
        return size === 0 ? [] : [`${size} by ${WEAK_NAMES[kind]}`];
      });
      if (weak.length > 0)
        say(`${option}: ${weak.join(" and ")}, since they have no sha256: the host computes that as well, from the same read of a file`);
      if (otherDigests > 0)
        say(`${option}: ${otherDigests} entries cannot be looked up (no sha256, SHA-1 or MD5): those files will not be told`);
      if (notMeant > 0) say(`${option}: ${notMeant} entries were passed over: no digests of files, or not meant for detection`);
      lists.push(list);
    }
  return new KnownFiles(lists);
}

/** @throws UserError with the line that is wrong */
export async function readHashList(file: string, verdict: KnownFile["verdict"]): Promise<ReadList> {
  const option = `--known-${verdict} ${file}`;
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`${option} cannot be read: ${error.message}.`, EXIT.usage);
  });
  try {
    if (!(await handle.stat()).isFile()) throw new UserError(`${option} is no file.`, EXIT.usage);
    const reader = new ListReader(basename(file), verdict, (line, why) => new UserError(`${option}, line ${line}: ${why}.`, EXIT.usage));
    for await (const line of handle.readLines()) reader.line(line);
    const read = reader.end();
    if (read.list.size === 0)
      throw new UserError(
        `${option} has no sha256, SHA-1 or MD5${read.otherDigests > 0 ? ` (${read.otherDigests} digests of another kind)` : ""}: nothing could be looked up in it.`,
        EXIT.usage,
      );
    return read;
  } finally {
    await handle.close().catch(() => {}); // the lines' end has closed it
  }
}

type Wrong = (line: number, why: string) => UserError;
/** Where what stands: `digests` with the best kind first; with `type` there is one, of the kind that its row names. */
type Columns = { digests: number[]; type?: number; words: number[]; toIds?: number };

class ListReader {
  readonly #read: ReadList;
  readonly #wrong: Wrong;
  #columns: Columns | undefined;
  #number = 0;
  /** A row whose quoted field goes on, from its first line. */
  #open: { text: string; lines: number } | undefined;

  constructor(name: string, verdict: KnownFile["verdict"], wrong: Wrong) {
    this.#read = { list: new DigestList(name, verdict), otherDigests: 0, notMeant: 0 };
    this.#wrong = wrong;
  }

  line(raw: string): void {
    this.#number += 1;
    if (raw.length > LONGEST_LINE) throw this.#wrong(this.#number, "it is too long for a list of digests");
    const text = this.#number === 1 ? raw.replace(/^\uFEFF/, "") : raw;
    if (this.#open === undefined) {
      const line = text.trim();
      if (line === "") return;
      const remark = line.startsWith("#");
      if (this.#columns === undefined && this.#read.list.size === 0 && this.#read.otherDigests === 0) {
        const fields = fieldsOf(remark ? line.slice(1) : line) ?? [];
        this.#columns = remark && fields.length < 3 ? undefined : headerOf(fields); // some lists have their columns in a remark
        if (this.#columns) return;
      }
      if (remark) return;
      if (this.#columns === undefined) return this.#plain(line);
    }
    this.#row(text);
  }

  end(): ReadList {
    if (this.#open) throw this.#wrong(this.#number, "a field in quotes does not end");
    return this.#read;
  }

  #plain(line: string): void {
    const [, digest, words = ""] = PLAIN.exec(line) ?? [];
    if (digest !== undefined) return this.#add(digest, words);
    if (!OTHER_PLAIN.test(line))
      throw this.#wrong(
        this.#number,
        "it does not begin with a sha256, SHA-1 or MD5 (64, 40 or 32 digits of 0-9 and a-f), and the first line names no columns",
      );
    this.#read.otherDigests += 1;
  }

  #row(text: string): void {
    const joined = this.#open ? `${this.#open.text}\n${text}` : text;
    const lines = (this.#open?.lines ?? 0) + 1;
    const fields = fieldsOf(joined);
    if (fields === undefined) {
      if (lines >= MOST_JOINED || joined.length > LONGEST_LINE) throw this.#wrong(this.#number, "a field in quotes does not end");
      this.#open = { text: joined, lines };
      return;
    }
    this.#open = undefined;
    const { digests, type, words, toIds } = this.#columns as Columns;
    let value = digests.map((at) => (fields[at] ?? "").trim()).find((one) => one !== "") ?? "";
    let named = "";
    if (type !== undefined) {
      const kind = (fields[type] ?? "").trim().toLowerCase();
      const meant = toIds === undefined || !/^(?:0|false)?$/i.test((fields[toIds] ?? "").trim());
      if (!meant || !LOOKED_UP.test(kind)) {
        this.#read[meant && OTHER_TYPE.test(kind) ? "otherDigests" : "notMeant"] += 1;
        return;
      }
      if (kind.includes("|") || kind === "malware-sample") {
        const bar = value.lastIndexOf("|");
        [named, value] = [value.slice(0, Math.max(0, bar)), value.slice(bar + 1)];
      }
    }
    if (DIGEST.test(value))
      return this.#add(value, [named, ...words.map((at) => fields[at] ?? "")].filter((one) => one.trim() !== "").join(": "));
    if (value !== "" || digests.length === 1)
      throw this.#wrong(this.#number, `its column of digests has none: ${JSON.stringify(value.slice(0, 80))}`);
    this.#read.otherDigests += 1;
  }

  #add(digest: string, words: string): void {
    if (this.#read.list.size >= MOST_DIGESTS)
      throw this.#wrong(
        this.#number,
        `there are more than ${MOST_DIGESTS} digests: take the part of the list that is of this kind of host`,
      );
    this.#read.list.add(digest.toLowerCase(), words.replace(UNPRINTABLE, " ").trim().slice(0, LONGEST_WORDS));
  }
}

/** What the columns are, if a first line names them: MISP's attributes (type, value), or columns of digests. */
function headerOf(fields: readonly string[]): Columns | undefined {
  const names = fields.map((name) =>
    name
      .trim()
      .toLowerCase()
      .replace(/[\s_-]/g, ""),
  );
  const at = (...wanted: string[]) => {
    const found = wanted.map((name) => names.indexOf(name)).find((i) => i >= 0);
    return found === undefined ? {} : { found };
  };
  const words = (...wanted: string[]) => wanted.map((name) => names.indexOf(name)).filter((i) => i >= 0);
  const [type, value, toIds] = [at("type").found, at("value").found, at("toids").found];
  if (type !== undefined && value !== undefined)
    return { digests: [value], type, words: words("comment", "eventinfo"), ...(toIds === undefined ? {} : { toIds }) };
  const digests = ["sha256", "sha1", "md5"].flatMap((kind) => at(kind, `${kind}hash`, `file${kind}`).found ?? []);
  const rest = words("filename", "signature", "comment", "description", "name", "malware", "family").slice(0, 2);
  return digests.length === 0 ? undefined : { digests, words: rest };
}

/** The fields of a CSV row (RFC 4180); undefined while one in quotes goes on behind the line's end. */
function fieldsOf(row: string): string[] | undefined {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    const lead = /^[ \t]*"/.exec(row.slice(at, at + 8));
    if (!lead) {
      const comma = row.indexOf(",", at);
      fields.push(row.slice(at, comma < 0 ? undefined : comma));
      if (comma < 0) return fields;
      at = comma + 1;
      continue;
    }
    let text = "";
    let from = at + lead[0].length;
    for (;;) {
      const quote = row.indexOf('"', from);
      if (quote < 0) return undefined;
      text += row.slice(from, quote);
      if (row[quote + 1] !== '"') {
        at = quote + 1;
        break;
      }
      text += '"';
      from = quote + 2;
    }
    fields.push(text);
    const comma = row.indexOf(",", at);
    if (comma < 0) return fields;
    at = comma + 1;
  }
}
