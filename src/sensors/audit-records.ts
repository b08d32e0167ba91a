import { decodeHostBytes, type HostString } from "#model/host-string";
import type { ProcFacts } from "#model/observation";

/** What the kernel's auditing told of one exec; texts are latin1, one character a byte. What it did not tell, or nobody can read, is missing. */
export interface AuditFacts {
  args?: string[];
  /** How many arguments there were. */
  argc?: number;
  /** Not all of `args` are there, or not whole. */
  cut: boolean;
  cwd?: string;
  executable?: string;
  deleted?: boolean;
  comm?: string;
  /** What was asked to be executed, as it was asked. */
  name?: string;
  ppid?: number;
  uid?: number;
  euid?: number;
  loginuid?: number;
  /** As field 7 of /proc/PID/stat: 0 for none. */
  tty?: number;
}

const SYSCALL = "1300";
const PATH = "1302";
const CWD = "1307";
const EXECVE = "1309";
const DELETED = " (deleted)";

/**
 * The records of one exec, divided by NUL, each its type (linux/audit.h) and its text behind the time and serial. The kernel writes what a
 * host can choose in quotes where it has no space, quote or byte beyond ASCII, else in hexadecimal, so that no value can look like a field.
 * Never throws: what is not as the kernel writes it is left out, and arguments that do not follow one another are said to be cut.
 */
export function readAudit(records: string): AuditFacts {
  const facts: AuditFacts = { cut: false };
  const list = new ArgumentList();
  for (const record of records.split("\0")) {
    const [type, ...tokens] = record.split(" ");
    if (type === EXECVE) for (const token of tokens) list.take(token);
    else if (type === SYSCALL) takeSyscall(facts, fieldsOf(tokens));
    else if (type === CWD) give(facts, "cwd", word(fieldsOf(tokens).get("cwd")));
    else if (type === PATH) give(facts, "name", word(fieldsOf(tokens).get("name")));
  }
  if (list.argc !== undefined) {
    facts.argc = list.argc;
    facts.cut = list.cut;
    if (list.args.length > 0) facts.args = list.args;
  }
  return facts;
}

/** Of a field that stands twice the first counts: what a security module adds to the end of a record is not the kernel's own. */
function fieldsOf(tokens: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const token of tokens) {
    const at = token.indexOf("=");
    if (at > 0 && !fields.has(token.slice(0, at))) fields.set(token.slice(0, at), token.slice(at + 1));
  }
  return fields;
}

function takeSyscall(facts: AuditFacts, fields: ReadonlyMap<string, string>): void {
  give(facts, "ppid", number(fields.get("ppid")));
  give(facts, "uid", number(fields.get("uid")));
  give(facts, "euid", number(fields.get("euid")));
  give(facts, "loginuid", number(fields.get("auid")));
  give(facts, "tty", terminal(fields.get("tty")));
  give(facts, "comm", word(fields.get("comm")));
  const executable = word(fields.get("exe"));
  const deleted = executable?.endsWith(DELETED) === true;
  give(facts, "executable", deleted ? executable.slice(0, -DELETED.length) : executable);
  give(facts, "deleted", deleted || undefined);
}

function give<K extends keyof AuditFacts>(facts: AuditFacts, key: K, value: AuditFacts[K] | undefined): void {
  if (value !== undefined) facts[key] = value;
}

/** At most 32 bits, as ids and pids are. */
function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= 0xffffffff ? Number(text) : undefined;
}

/** A value in quotes or hexadecimal; `(null)`, `(none)` and anything else is no value. */
function word(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const quoted = /^"([!#-~]*)"$/.exec(text);
  if (quoted) return quoted[1];
  return /^(?:[0-9A-F]{2})+$/.test(text) ? Buffer.from(text, "hex").toString("latin1") : undefined;
}

/** Terminals by the numbers of their devices (Documentation/admin-guide/devices.txt), packed as new_encode_dev does. */
function terminal(name: string | undefined): number | undefined {
  if (name === "(none)") return 0;
  const [, driver, digits] = /^(pts|tty|ttyS)\/?(\d{1,6})$/.exec(name ?? "") ?? [];
  if (digits === undefined) return undefined;
  const index = Number(digits);
  const [major, minor] = driver === "pts" ? [136, index] : driver === "tty" ? [4, index] : [4, 64 + index];
  return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

/** `argc=N a0="x" a1=68 a2_len=15000 a2[0]=68 a2[1]=68`, over as many records as it takes (audit_log_execve_info, kernel/auditsc.c). */
class ArgumentList {
  argc: number | undefined;
  readonly args: string[] = [];
  #broken = false;
  /** The number of pieces that the last argument has, and how long it is said to be, in the form in which it is written. */
  #pieces = 0;
  #length: number | undefined;
  #written = 0;

  take(token: string): void {
    const [, count] = /^argc=(\d{1,9})$/.exec(token) ?? [];
    if (count !== undefined) this.argc ??= Number(count);
    if (count !== undefined || this.#broken) return;
    const [, digits, of, value] = /^a(\d{1,9})(_len|\[\d{1,9}\])?=(.*)$/s.exec(token) ?? [];
    if (digits === undefined || value === undefined) return;
    const index = Number(digits);
    if (of === "_len") {
      this.#length = number(value);
      this.#written = 0;
    } else if (of === undefined) this.#add(index, value);
    else this.#append(index, Number(of.slice(1, -1)), value);
  }

  get cut(): boolean {
    return this.#broken || this.args.length !== this.argc || this.#short;
  }
  /** The last argument lacks what it is said to have. */
  get #short(): boolean {
    return this.#length !== undefined && this.#written < this.#length;
  }

  #add(index: number, value: string): void {
    const text = word(value);
    if (index !== this.args.length || text === undefined || this.#short) {
      this.#broken = true;
      return;
    }
    this.args.push(text);
    this.#pieces = 0;
    this.#length = undefined;
  }

  #append(index: number, piece: number, value: string): void {
    const text = value === "" ? "" : word(value);
    const next = piece === 0 ? this.args.length : this.args.length - 1;
    if (index !== next || text === undefined || piece !== (piece === 0 ? 0 : this.#pieces)) {
      this.#broken = true;
      return;
    }
    if (piece === 0) this.args.push(text);
    else this.args[index] += text;
    this.#pieces = piece + 1;
    this.#written += value.startsWith('"') ? text.length : value.length;
  }
}

const bytes = (latin1: string): HostString => decodeHostBytes(Buffer.from(latin1, "latin1"));

/**
 * What /proc said of an exec, with what auditing said: this is of the exec itself, /proc of whenever it was read. So folder, ids and
 * arguments are auditing's; where its list is cut and /proc has a whole one, that stays.
 */
export function withAudit(facts: ProcFacts, audit: AuditFacts): ProcFacts {
  const { uid, euid, loginuid, cwd, args, argc, cut } = audit;
  const told: ProcFacts = { ...facts };
  if (uid !== undefined) told.uid = uid;
  if (euid !== undefined) told.euid = euid;
  if (loginuid !== undefined) told.loginuid = loginuid;
  if (cwd !== undefined) told.cwd = bytes(cwd);
  if (audit.ppid !== undefined) told.ppid ??= audit.ppid;
  if (audit.tty !== undefined) told.tty ??= audit.tty;
  if (audit.comm !== undefined) told.comm ??= bytes(audit.comm);
  if (told.executable === undefined && audit.executable !== undefined) {
    told.executable = bytes(audit.executable);
    if (audit.deleted) told.deleted = true;
  }
  if (args !== undefined && (!cut || told.args === undefined || told.argsCut)) {
    const { argsCut: _cut, argc: _argc, argsVanished: _gone, ...rest } = told;
    return seen({ ...rest, args: args.map(bytes), ...(cut ? { argsCut: true, ...(argc === undefined ? {} : { argc }) } : {}) });
  }
  return seen(told);
}

/** Without the word 'unseen' on what is there. */
function seen({ unseen, ...facts }: ProcFacts): ProcFacts {
  const still = Object.entries(unseen ?? {}).filter(([name]) => facts[name as keyof typeof facts] === undefined);
  return still.length === 0 ? facts : { ...facts, unseen: Object.fromEntries(still) };
}
