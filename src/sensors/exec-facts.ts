import { decodeHostBytes } from "#model/host-string";
import type { ProcFacts } from "#model/observation";
import { type AuditFacts, readAudit, withAudit } from "./audit-records.ts";
import { unseenFields } from "./proc-facts.ts";
import { compact } from "./record-fields.ts";
import { Malformed, whole } from "./wire.ts";

/** What the collector read of a process right after its exec, as it is: latin1 texts, empty what was not there any more. */
export interface Perishables {
  pid: number;
  /** /proc/PID/cmdline, its first 16,384 bytes. */
  commandLine: string;
  /** Where /proc/PID/exe points; one NUL if we may not know, two if nothing was read, since too many of its name were run at once. */
  executable: string;
  /** Of /proc/PID/stat: `(comm) state ppid session tty start`. */
  stat: string;
  cwd: string;
  /** uid, euid and loginuid, divided by tabs; empty where they could not be read or inherited. */
  credentials: string;
  /** What the kernel itself kept of the arguments, so that nothing depends on haste. */
  kept?: Kept;
  /** What its auditing told of the exec. */
  audit?: AuditFacts;
}
interface Kept {
  args: string[];
  /** undefined where the source does not tell. */
  argc: number | undefined;
  uid: number | undefined;
  cut: boolean;
  vanished: boolean;
}

const HEAD = 4 + 6 * 2;

/** A frame of a pid (four bytes), the lengths of six texts (two bytes each) and the texts. @throws Malformed */
export function readPerishables(frame: Buffer): Perishables {
  if (frame.length < HEAD) throw new Malformed("perishables of nobody");
  let end = HEAD;
  const texts = [4, 6, 8, 10, 12, 14].map((at) => {
    const start = end;
    end += frame.readUInt16LE(at);
    return frame.toString("latin1", start, end);
  });
  if (end !== frame.length) throw new Malformed("perishables of another length");
  const [commandLine, executable, stat, cwd, credentials, kept] = texts as [string, string, string, string, string, string];
  const read = { pid: frame.readUInt32LE(0), commandLine, executable, stat, cwd, credentials };
  if (kept === "") return read;
  if (isAudit(kept)) return { ...read, audit: auditOf(kept) };
  return { ...read, kept: readKept(frame.subarray(end - kept.length)) };
}

/** Behind the flags, of which 4 says it: records of the kernel's auditing (audit-records.ts); 1 when some of them were left out. */
const isAudit = (kept: string) => kept.length >= 9 && (kept.charCodeAt(8) & 4) !== 0;
function auditOf(kept: string): AuditFacts {
  const audit = readAudit(kept.slice(9));
  return (kept.charCodeAt(8) & 1) === 0 ? audit : { ...audit, cut: true };
}

/** argc and uid (four bytes each, -1 for unknown), flags (1 cut, 2 the full record vanished), arguments divided by NUL. */
function readKept(bytes: Buffer): Kept {
  if (bytes.length < 9) throw new Malformed("arguments of nobody");
  const known = (at: number) => (bytes.readInt32LE(at) < 0 ? undefined : bytes.readInt32LE(at));
  const flags = bytes.readUInt8(8);
  const args = bytes.toString("latin1", 9).split("\0");
  return { args, argc: known(0), uid: known(4), cut: (flags & 1) !== 0, vanished: (flags & 2) !== 0 };
}

const bytes = (latin1: string) => decodeHostBytes(Buffer.from(latin1, "latin1"));
const baseOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
const DELETED = " (deleted)";
const LONGEST_COMMAND_LINE = 16_384;

/**
 * What is known of a process that executed `file` (latin1) at `ts` (boot clock, ns). Whatever was gone, or belongs to another process that
 * has the pid now, or to a later exec of the same process, is left out and named as raced; what the kernel kept is of this exec alone.
 * @throws Malformed
 */
export function execFacts(read: Perishables | undefined, ts: number, file: string, ticksPerSecond: number): ProcFacts {
  const facts = procFacts(read, ts, file, ticksPerSecond);
  return read?.audit ? withAudit(facts, read.audit) : facts;
}

function procFacts(read: Perishables | undefined, ts: number, file: string, ticksPerSecond: number): ProcFacts {
  const kept = read?.kept;
  const gone = (letters: string) => {
    const { args, uid, ...rest } = keptFacts(kept);
    const left = [...letters].filter((letter) => !(letter === "a" && args) && !(letter === "u" && uid !== undefined)).join("");
    return compact<ProcFacts>({ ...rest, args, uid, unseen: unseenFields(left, read?.executable === "\0\0" ? "lost" : "raced") });
  };
  const { stat = "", commandLine = "" } = read ?? {};
  const open = stat.indexOf("(");
  if (read === undefined || open < 0) return gone("sauxc");
  const close = stat.lastIndexOf(") ");
  const comm = stat.slice(open + 1, close);
  const fields = stat.slice(close + 2).split(" ");
  const [state, startTicks] = [fields[0], whole(fields[4])];
  // the pid was given to another process since
  if (startTicks > (ts * ticksPerSecond) / 1e9 + 2) return gone("sauxc");
  const known = { ppid: whole(fields[1]), startTicks, session: whole(fields[2]), tty: whole(fields[3]) };
  const denied = read.executable === "\0";
  const deleted = read.executable.endsWith(DELETED);
  const executable = denied ? "" : deleted ? read.executable.slice(0, -DELETED.length) : read.executable;
  // comm is the base name of what was executed; another comm and another executable mean that it has exec'd again
  const base = baseOf(file);
  if (comm !== base.slice(0, 15) && !file.startsWith("/dev/fd/") && (executable === "" || baseOf(executable) !== base))
    return { ...known, ...gone("auxc") };
  const [uid = "", euid = "", loginuid = ""] = read.credentials.split("\t");
  const number = (text: string) => (text === "" ? undefined : whole(text));
  const fromProc = state !== "Z" && (commandLine !== "" || (kept === undefined && (executable !== "" || denied)));
  const args = kept && (!kept.cut || !fromProc) ? keptFacts(kept) : fromProc ? procArguments(commandLine, kept) : {};
  const ids = { uid: number(uid) ?? kept?.uid, euid: number(euid), loginuid: number(loginuid) };
  const unseen = [
    denied ? "X" : executable === "" ? "x" : "",
    ids.uid === undefined ? "u" : "",
    args.args ? "" : "a",
    read.cwd !== "" ? "" : denied ? "C" : "c",
  ];
  return {
    ...known,
    ...compact<ProcFacts>({
      ...args,
      ...ids,
      comm: bytes(comm),
      executable: executable === "" ? undefined : bytes(executable),
      deleted: deleted || undefined,
      cwd: read.cwd === "" ? undefined : bytes(read.cwd),
      unseen: unseenFields(unseen.join("")),
    }),
  };
}

type Arguments = { [K in "args" | "argsCut" | "argc" | "argsVanished" | "uid"]?: ProcFacts[K] | undefined };
function keptFacts(kept: Kept | undefined): Arguments {
  if (kept === undefined) return {};
  const { args, argc, uid, cut, vanished } = kept;
  return { args: args.map(bytes), uid, ...(cut ? { argsCut: true, argc } : {}), ...(vanished ? { argsVanished: true } : {}) };
}
/** Arguments by /proc, where `kept` is only a part of them. */
function procArguments(commandLine: string, kept: Kept | undefined): Arguments {
  const cut = commandLine.length === LONGEST_COMMAND_LINE;
  return {
    args: argumentsOf(commandLine).map(bytes),
    ...(cut ? { argsCut: true, argc: kept?.argc } : {}),
    ...(kept?.vanished ? { argsVanished: true } : {}),
  };
}

/** One NUL ends the last argument; a row of them is what a program left that wrote its title over its arguments. */
function argumentsOf(commandLine: string): string[] {
  if (!commandLine.endsWith("\0\0\0")) return (commandLine.endsWith("\0") ? commandLine.slice(0, -1) : commandLine).split("\0");
  let end = commandLine.length;
  while (end > 0 && commandLine.charCodeAt(end - 1) === 0) end--;
  return commandLine.slice(0, end).split("\0");
}
