import { isIP } from "node:net";
import { decodeHostBytes, type HostString } from "#model/host-string";
import { plainAddress } from "./utmp.ts";

/** What one line of the authentication log says. Any account can write such lines (logger(1)), and root can take them out. */
export interface AuthLine {
  /** Milliseconds since the epoch. */
  at: number;
  what: "accepted" | "failed" | "sudo" | "su" | "account";
  user: HostString;
  /** Whom sudo or su made of the user. */
  effective?: HostString;
  ip?: string;
  port?: number;
  /** publickey, password, keyboard-interactive/pam, … as sshd says it. */
  method?: string;
  /** Fingerprint of the key, "SHA256:…". */
  key?: string;
  /** The pid of who wrote the line, as it says. */
  pid?: number;
  /** The command of sudo, or what was done to an account. */
  text?: HostString;
  tty?: HostString;
}
/** How a log's times are to be read. */
export interface LogClock {
  /** The host's now, milliseconds since the epoch: lines without a year are not younger. */
  now: number;
  /** Of the host's zone east of UTC, seconds. */
  zone: number;
}

const LONGEST_LINE = 4096;
const MOST_LINES = 60_000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/** RFC 3164's time, or RFC 3339's; the host; busybox adds facility and level; who says it. */
const LINE =
  /^(?:([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:?\d\d)) \S{1,255} (?:[a-z0-9]{1,12}\.[a-z]{1,8} )?([^\s:[]{1,64})(?:\[(\d{1,10})\])?: (.*)$/;

/** What a log is called where its word is quoted: "auth.log" for /var/log/auth.log and what was rotated out of it. */
export const logName = (path: string): string => path.slice(path.lastIndexOf("/") + 1).replace(/\.1$/, "");

/** The lines of a log with what they say, and the times of all its lines, for the gaps. `at` of a line without one is not in `times`. */
export function readAuthLog(bytes: Buffer, whole: boolean, clock: LogClock): { lines: AuthLine[]; times: number[] } {
  const lines: AuthLine[] = [];
  const times: number[] = [];
  let at = whole ? 0 : bytes.indexOf(10) + 1; // a tail begins in the middle of a line
  for (let n = 0; at < bytes.length && n < MOST_LINES; n++) {
    const end = bytes.indexOf(10, at);
    const stop = end < 0 ? bytes.length : end;
    const read = stop - at <= LONGEST_LINE ? readLine(decodeHostBytes(bytes.subarray(at, stop)), clock) : undefined;
    if (read) times.push(read.at);
    if (read?.line) lines.push(read.line);
    at = stop + 1;
  }
  return { lines, times };
}

function readLine(text: string, clock: LogClock): { at: number; line?: AuthLine } | undefined {
  const match = LINE.exec(text);
  if (!match) return undefined;
  const at = match[6] === undefined ? yearlessTime(match.slice(1, 6), clock) : Date.parse(`${match[6]}${match[7]}`);
  if (!Number.isFinite(at)) return undefined;
  const said = saying(match[8] as string, match[10] as string);
  const pid = match[9] === undefined ? {} : { pid: Number(match[9]) };
  return said ? { at, line: { at, ...pid, ...said } } : { at };
}

/** The time of a line without a year, "May  1 10:00:00", in parts: the last such one that is not in the future; a day's grace for clocks that were set. */
export function yearlessTime([name = "", ...rest]: readonly string[], { now, zone }: LogClock): number {
  const month = MONTHS.indexOf(name);
  if (month < 0) return Number.NaN;
  const [day, hour, minute, second] = rest.map(Number) as [number, number, number, number];
  const year = new Date(now).getUTCFullYear();
  const at = (y: number) => Date.UTC(y, month, day, hour, minute, second) - zone * 1000;
  return at(year) > now + 86_400_000 ? at(year - 1) : at(year);
}

type Said = Omit<AuthLine, "at" | "pid">;
const host = (text: string) => text as HostString;

/**
 * A user's name is the far end's own choice and may hold " from 192.0.2.1 port 1": so what sshd itself adds is read from the line's end.
 * After the port come "ssh2" and, for a key, its kind and fingerprint (sshd, auth.c, auth_log()).
 */
const LOGIN =
  /^(Accepted|Failed) (\S{1,64}) for (invalid user )?(.*) from (\S{1,64}) port (\d{1,5})(?: ssh2)?(?:: (\S{1,64}) (SHA256:[A-Za-z0-9+/]{43}|MD5:[0-9a-f:]{47})(?:[ ,].*)?)?$/;
const INVALID = /^Invalid user (.*) from (\S{1,64})(?: port (\d{1,5}))?$/;
/** sudo(8), "Log file": USER : TTY=… ; PWD=… ; USER=… ; COMMAND=… */
const SUDO =
  /^ *(\S.{0,255}?) : (?:(.{1,128}?) ; )?TTY=(\S{1,64}) ; PWD=.{0,1024}? ; (?:GROUP=\S{1,64} ; )?USER=(\S{1,256}) ; (?:GROUP=\S{1,64} ; )?(?:TSID=\S{1,64} ; )?(?:ENV=.{0,256}? ; )?COMMAND=(.*)$/;
/** util-linux ("(to root) alice on pts/0") and shadow ("Successful su for root by alice"). */
const SU = /^\(to (\S{1,256})\) (\S{1,256}) on (\S{1,64})$/;
const SU_SHADOW = /^Successful su for (\S{1,256}) by (\S{1,256})$/;
const SSHD = new Set(["sshd", "sshd-session", "sshd-auth", "dropbear"]);
const ACCOUNTS = new Set(["useradd", "usermod", "userdel", "groupadd", "gpasswd", "passwd", "chpasswd", "chage", "adduser"]);

function saying(tag: string, text: string): Said | undefined {
  if (SSHD.has(tag)) return sshdSays(text);
  if (tag === "sudo") return sudoSays(text);
  if (tag === "su") {
    const [, effective, user, tty] = SU.exec(text) ?? [];
    if (effective !== undefined && user !== undefined && tty !== undefined)
      return { what: "su", user: host(user), effective: host(effective), tty: host(tty) };
    const [, to, by] = SU_SHADOW.exec(text) ?? [];
    return to === undefined || by === undefined ? undefined : { what: "su", user: host(by), effective: host(to) };
  }
  if (!ACCOUNTS.has(tag) || /^pam_unix.*session (?:opened|closed)/.test(text)) return undefined;
  return {
    what: "account",
    user: host(/\bname=([^,\s]{1,256})|'([^']{1,256})'/.exec(text)?.slice(1).find(Boolean) ?? ""),
    text: host(`${tag}: ${text}`),
  };
}

function sshdSays(text: string): Said | undefined {
  const match = LOGIN.exec(text);
  if (match) {
    const [, verb, method, , user = "", from = "", port, , key] = match;
    return {
      what: verb === "Accepted" ? "accepted" : "failed",
      user: host(user),
      ...address(from),
      port: Number(port),
      method: method as string,
      ...(key === undefined ? {} : { key }),
    };
  }
  const [, user, from, port] = INVALID.exec(text) ?? [];
  if (user === undefined || from === undefined) return undefined;
  return { what: "failed", user: host(user), ...address(from), ...(port === undefined ? {} : { port: Number(port) }) };
}

function sudoSays(text: string): Said | undefined {
  const [, user, why, tty, effective, command] = SUDO.exec(text) ?? [];
  if (user === undefined || effective === undefined) return undefined;
  const refused = why === undefined ? "" : ` (${why})`;
  return { what: "sudo", user: host(user), effective: host(effective), tty: host(tty ?? ""), text: host(`${command ?? ""}${refused}`) };
}

const address = (text: string): { ip?: string } => (isIP(text) === 0 ? {} : { ip: plainAddress(text) });
