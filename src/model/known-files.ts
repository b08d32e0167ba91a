import { DigestTable } from "./digest-table.ts";
import type { Digests } from "./file.ts";

/** What a list of the analyst's own says of a file's content. */
export interface KnownFile {
  /** `good`: it is known, which vouches for nothing that it does. */
  verdict: "bad" | "good";
  /** The list's file, as it was named. */
  list: string;
  /** What the list says beside the digest. */
  words?: string;
  /** The list has no sha256 of it: two files with one MD5 or SHA-1 can be made. */
  by?: WeakDigest;
}

/** Digests that a list may have in the place of a sha256. */
export type WeakDigest = "sha1" | "md5";
/** Bytes of each kind, the one that says most first. */
const WIDTHS = { sha256: 32, sha1: 20, md5: 16 } as const;
const KINDS = ["sha256", "sha1", "md5"] as const;

/** Contents by their digests, with what one list says of each. */
export class DigestList {
  readonly name: string;
  readonly verdict: KnownFile["verdict"];
  readonly #tables: Partial<Record<keyof typeof WIDTHS, DigestTable>> = {};

  constructor(name: string, verdict: KnownFile["verdict"]) {
    this.name = name;
    this.verdict = verdict;
  }

  get size(): number {
    return KINDS.reduce((sum, kind) => sum + this.sizeOf(kind), 0);
  }

  sizeOf(kind: keyof typeof WIDTHS): number {
    return this.#tables[kind]?.size ?? 0;
  }

  /** `digest`: hexadecimal digits, 64 of a sha256, 40 of a SHA-1, 32 of an MD5. What is there already keeps its words. */
  add(digest: string, words = ""): void {
    const kind = KINDS.find((one) => WIDTHS[one] * 2 === digest.length);
    if (kind === undefined) return;
    this.#tables[kind] ??= new DigestTable(WIDTHS[kind]);
    this.#tables[kind].add(digest, words);
  }

  find(hash: Digests): KnownFile | undefined {
    for (const kind of KINDS) {
      const digest = hash[kind];
      const words = digest === undefined ? undefined : this.#tables[kind]?.find(digest);
      if (words === undefined) continue;
      return { verdict: this.verdict, list: this.name, ...(words === "" ? {} : { words }), ...(kind === "sha256" ? {} : { by: kind }) };
    }
    return undefined;
  }
}

/** All lists that the analyst brought. What one calls bad is bad, whatever another says. */
export class KnownFiles {
  readonly #lists: readonly DigestList[];
  /** What the host has to compute beside the sha256, since a list has entries without one. */
  readonly weak: readonly WeakDigest[];

  constructor(lists: readonly DigestList[]) {
    this.#lists = lists.toSorted((a, b) => a.verdict.localeCompare(b.verdict)); // bad before good
    this.weak = (["md5", "sha1"] as const).filter((kind) => lists.some((list) => list.sizeOf(kind) > 0));
  }

  find(hash: Digests): KnownFile | undefined {
    for (const list of this.#lists) {
      const known = list.find(hash);
      if (known) return known;
    }
    return undefined;
  }

  /** What is looked up, for the log and the report: "bad: iocs.csv (1204, 7 of them md5); good: rds.txt (8000000)". */
  get source(): string {
    return this.#lists
      .map((list) => {
        const weak = (["sha1", "md5"] as const)
          .filter((kind) => list.sizeOf(kind) > 0)
          .map((kind) => `, ${list.sizeOf(kind)} of them ${kind}`);
        return `${list.verdict}: ${list.name} (${list.size}${weak.join("")})`;
      })
      .join("; ");
  }
}
