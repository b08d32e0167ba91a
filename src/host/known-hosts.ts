import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { HostError } from "./errors.ts";
import { keyTypeOf } from "./host-key.ts";
import { matchesPatternList } from "./host-pattern.ts";

/** One usable line of a known_hosts file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). */
interface KnownHost {
  file: string;
  /** Counted from 1. */
  line: number;
  marker?: "revoked" | "cert-authority";
  /** Either the patterns as written, or one hashed name. */
  names: string[] | { salt: Buffer; hash: Buffer };
  keyType: string;
  /** The key in its wire form (RFC 4253, section 6.6). */
  key: Buffer;
}
export interface KnownHosts {
  entries: KnownHost[];
  /** Lines that are no entry: skipped, as ssh does, but counted. */
  badLines: number;
}
export type HostKeyVerdict =
  | { kind: "known"; entry: KnownHost }
  /** No line names this host at all. */
  | { kind: "unknown"; certAuthority?: KnownHost }
  /** Lines name this host and none holds this key; `entry` is the one of the same type, if there is one. */
  | { kind: "changed"; entry: KnownHost; sameType: boolean }
  | { kind: "revoked"; entry: KnownHost };

/** Reads the entries of one known_hosts text; what is no entry is counted and skipped. */
export function parseKnownHosts(text: string, file: string): KnownHosts {
  const entries: KnownHost[] = [];
  let badLines = 0;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    const entry = parseLine(line, file, index + 1);
    if (entry) entries.push(entry);
    else badLines++;
  }
  return { entries, badLines };
}

function parseLine(line: string, file: string, number: number): KnownHost | undefined {
  const words = line.split(/[ \t]+/);
  const markerWord = words[0]?.startsWith("@") ? words.shift() : undefined;
  if (markerWord !== undefined && markerWord !== "@revoked" && markerWord !== "@cert-authority") return undefined;
  const [nameWord, keyType, base64] = words;
  if (!nameWord || !keyType || !base64 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const key = Buffer.from(base64, "base64");
  if (keyTypeOf(key) !== keyType) return undefined; // the type stands in the key too: a line where they differ is damaged
  const names = nameWord.startsWith("|") ? parseHashed(nameWord) : nameWord.split(",").filter((name) => name !== "");
  if (names === undefined || (Array.isArray(names) && names.length === 0)) return undefined;
  const entry: KnownHost = { file, line: number, names, keyType, key };
  if (markerWord) entry.marker = markerWord === "@revoked" ? "revoked" : "cert-authority";
  return entry;
}

/** `|1|salt|hash`: HMAC-SHA1 of the name under the salt, both in base64 (OpenSSH hostfile.c; ssh-keygen(1), -H). */
function parseHashed(word: string): KnownHost["names"] | undefined {
  const parts = word.split("|");
  if (parts.length !== 4 || parts[1] !== "1") return undefined;
  const salt = Buffer.from(parts[2] as string, "base64");
  const hash = Buffer.from(parts[3] as string, "base64");
  return salt.length === 20 && hash.length === 20 ? { salt, hash } : undefined;
}

/** The name a host has in known_hosts: lower case, and `[host]:port` unless the port is 22. */
export function knownHostsName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

function namesHost(entry: KnownHost, name: string): boolean {
  if (Array.isArray(entry.names)) return matchesPatternList(entry.names, name);
  return createHmac("sha1", entry.names.salt).update(name).digest().equals(entry.names.hash);
}

/** Reads `files` in order; one that does not exist holds nothing. @throws HostError `config` for one that cannot be read */
export function readKnownHosts(files: readonly string[]): KnownHosts {
  const all: KnownHosts = { entries: [], badLines: 0 };
  for (const file of files) {
    try {
      const { entries, badLines } = parseKnownHosts(readFileSync(file, "utf8"), file);
      all.entries.push(...entries);
      all.badLines += badLines;
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code;
      if (code === "ENOENT" || code === "ENOTDIR") continue;
      throw new HostError(
        "config",
        `The known hosts in ${file} cannot be read (${code})`,
        "Make it readable for you, or name another file.",
        { cause },
      );
    }
  }
  return all;
}

/**
 * What we know of `key` for `name` (see {@link knownHostsName}). A revoked key is refused wherever a line revokes it for this host.
 * A host that is known by other key types only, and now shows a new type, is `changed` with `sameType` false.
 */
export function judgeHostKey(known: KnownHosts, name: string, key: Buffer): HostKeyVerdict {
  const keyType = keyTypeOf(key);
  let match: KnownHost | undefined;
  let other: KnownHost | undefined;
  let certAuthority: KnownHost | undefined;
  for (const entry of known.entries) {
    if (!namesHost(entry, name)) continue;
    if (entry.marker === "revoked") {
      if (entry.key.equals(key)) return { kind: "revoked", entry };
    } else if (entry.marker === "cert-authority") certAuthority ??= entry;
    else if (entry.key.equals(key)) match ??= entry;
    else if (other === undefined || (other.keyType !== keyType && entry.keyType === keyType)) other = entry;
  }
  if (match) return { kind: "known", entry: match };
  if (other) return { kind: "changed", entry: other, sameType: other.keyType === keyType };
  return certAuthority ? { kind: "unknown", certAuthority } : { kind: "unknown" };
}

/** The host key algorithms that go with a key type: an RSA key signs in three ways (RFC 8332). */
const ALGORITHMS: Record<string, readonly string[]> = { "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"] };

/** `algorithms` with those first for which we hold a key of `name`, so that a host of many keys shows the one we know, as ssh asks. */
export function preferKnown<T extends string>(algorithms: readonly T[], known: KnownHosts, name: string): T[] {
  const wanted = new Set<string>();
  for (const entry of known.entries) {
    if (entry.marker === undefined && namesHost(entry, name)) for (const a of ALGORITHMS[entry.keyType] ?? [entry.keyType]) wanted.add(a);
  }
  return [...algorithms.filter((a) => wanted.has(a)), ...algorithms.filter((a) => !wanted.has(a))];
}
