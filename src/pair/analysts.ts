import ssh2, { type ParsedKey } from "ssh2";
import { type AuthorizedLine, readAuthorizedLine } from "./authorized-line.ts";
import { fingerprintOf, wireReader } from "./wire.ts";

/** Somebody who may join: one key of the list, and the name that the list gives it. */
export interface ListedAnalyst {
  /** Unique in the list, printable, safe on a command line. */
  name: string;
  /** The name before it was made unique: two keys of one person do not count as two people. */
  person: string;
  /** As `ssh-keygen -l` shows it. */
  fingerprint: string;
  /** May be handed the drive and may second a plan; false for somebody who is only let in to watch. */
  mayDrive: boolean;
  key: ParsedKey;
  /** The key in its wire form, base64. */
  id: string;
}

/** A text with public keys, a line each, in the format of authorized_keys; a `*.pub` file is one with a single line. */
export interface KeySource {
  /** Where it comes from, for what is said about it. */
  from: string;
  text: string;
  /** The name of its keys, in the place of their comments. */
  name?: string;
  mayDrive?: boolean;
}

/** What takes nothing away here: no forwarding is given to anybody, and nothing of sshd's start-up files is run. */
const IDLE_OPTIONS = new Set([
  "restrict",
  "agent-forwarding",
  "no-agent-forwarding",
  "port-forwarding",
  "no-port-forwarding",
  "x11-forwarding",
  "no-x11-forwarding",
  "pty",
  "user-rc",
  "no-user-rc",
  "permitopen",
  "permitlisten",
  "tunnel",
  "environment",
]);
/** Longest list that is read, lines; a call has a handful. */
const MOST_LINES = 1000;
const LEAST_RSA_BITS = 2048;

/**
 * Reads who may join. Lines that restrict a key in a way that is not kept here (`from=`, `command=`, `expiry-time=` …) are refused rather
 * than read as if the restriction were not there. `taken`: names that are given already, the analyst's at the console.
 * @returns the analysts in the order of the list, and a sentence on every line that was refused or changed
 */
export function listAnalysts(sources: readonly KeySource[], taken: readonly string[] = []): { analysts: ListedAnalyst[]; notes: string[] } {
  const analysts: ListedAnalyst[] = [];
  const notes: string[] = [];
  const names = new Map<string, string>(taken.map((name) => [plain(safeName(name)), name]));
  for (const { from, text, name: given, mayDrive = true } of sources) {
    const lines = text.split(/\r?\n/);
    if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
      notes.push(`${from} lets nobody in: it is a private key; name the public half, ${from}.pub`);
      continue;
    }
    const several = lines.filter((line) => line.trim() !== "").length > 1;
    if (lines.length > MOST_LINES) notes.push(`${from}: only the first ${MOST_LINES} lines are read`);
    for (const [index, line] of lines.slice(0, MOST_LINES).entries()) {
      const where = several ? `${from}, line ${index + 1}` : from;
      const read = readAuthorizedLine(line);
      if (read === undefined) continue;
      const key = typeof read === "string" ? read : keyOf(read);
      if (typeof read === "string" || typeof key === "string") {
        notes.push(`${where} lets nobody in: ${key}`);
        continue;
      }
      const wire = key.getPublicSSH();
      const [id, fingerprint] = [wire.toString("base64"), fingerprintOf(wire)];
      const known = analysts.find((other) => other.id === id);
      if (known) {
        notes.push(`${where} is the key of ${known.name} once more: that name stays`);
        continue;
      }
      const wanted = safeName(given ?? read.comment) || `key-${fingerprint.slice(7, 15).replace(/[^A-Za-z0-9]/g, "0")}`;
      const namesake = names.get(plain(wanted));
      const name = unique(wanted, names);
      if (namesake !== undefined)
        notes.push(
          `${where} would be called ${wanted}, as somebody else is: it is ${name} here, and both count as one person where two are needed. Give it another name in the list.`,
        );
      names.set(plain(name), wanted);
      analysts.push({ name, person: namesake ?? wanted, fingerprint, mayDrive, key, id });
    }
  }
  return { analysts, notes };
}

function keyOf({ options, type, blob }: AuthorizedLine): ParsedKey | string {
  for (const { name } of options) {
    if (name === "cert-authority") return "it names a certificate authority (cert-authority), and certificates are not taken here";
    if (!IDLE_OPTIONS.has(name)) return `its option ${name} cannot be kept here: put the bare key into a list of its own`;
  }
  if (/^sk-/.test(type)) return `keys on a security token (${type}) cannot be checked here: use another key`;
  const wire = Buffer.from(blob, "base64");
  const wrong = weakness(type, wire);
  if (wrong !== undefined) return wrong;
  const parsed: unknown = ssh2.utils.parseKey(`${type} ${blob}`);
  const key = (Array.isArray(parsed) ? parsed[0] : parsed) as ParsedKey | Error;
  if (key instanceof Error) return `it cannot be read as a key (${key.message})`;
  return key;
}

/** Why a key is not good enough, or not what its line says. */
function weakness(type: string, wire: Buffer): string | undefined {
  try {
    const fields = wireReader(wire);
    const named = fields.string().toString("latin1");
    if (named !== type) return `it says ${type} and holds something else`;
    if (type === "ssh-ed25519") return fields.string().length === 32 && fields.left === 0 ? undefined : "it is no whole key";
    if (/^ecdsa-sha2-nistp(256|384|521)$/.test(type)) return undefined;
    if (type !== "ssh-rsa") return `keys of the type ${type} are not taken: ed25519, ecdsa and rsa are`;
    fields.string(); // the exponent
    const bits = fields.string().length * 8 - 8; // a zero byte stands in front of the modulus (RFC 4251, mpint)
    return bits >= LEAST_RSA_BITS ? undefined : `an rsa key of ${bits} bits is too short: ${LEAST_RSA_BITS} are the least`;
  } catch {
    return "it is no whole key";
  }
}

/** A comment or a given name as a name: `jm@laptop` is jm. Letters and digits of any script, and ". _ -" between them; at most 24. */
export function safeName(text: string): string {
  const own = text.normalize("NFKC").replace(/^([^@\s]+)@.*$/s, "$1");
  const safe = own.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[^\p{L}\p{N}]+/u, "");
  return Array.from(safe)
    .slice(0, 24)
    .join("")
    .replace(/[._-]+$/, "");
}

const plain = (name: string) => name.toLowerCase();

function unique(name: string, names: ReadonlyMap<string, string>): string {
  for (let n = 1; ; n++) {
    const tried = n === 1 ? name : `${name}-${n}`;
    if (!names.has(plain(tried))) return tried;
  }
}
