import { isIP } from "node:net";
import { decodeHostBytes, type HostString } from "#model/host-string";
import type { Past, PastKind } from "#model/past";
import type { Answer, ChangedFile, Shipped } from "./answer.ts";
import { type AuthLine, logName, readAuthLog } from "./auth-log.ts";
import { gapsIn } from "./gaps.ts";
import { type PackageChange, packageRows, packagesOf, TEN_MINUTES } from "./package-log.ts";
import { plainAddress, readLastlog, readUtmp, type Stay, UTMP, type UtmpRecord, utmpSize } from "./utmp.ts";

/** Rows of each kind that are kept, the newest, of refusals first those of an address that was let in; how many there were is told. */
const MOST_PAST: Record<PastKind, number> = {
  login: 300,
  failed: 200,
  elevation: 200,
  account: 100,
  file: 300,
  package: 150,
  gap: 60,
  shell: 200,
};
/** Lines of a history that are kept: its tail. */
const HISTORY_LINES = 15;
const MOST_OF_A_PLACE = 40;
const SAME_LOGIN_MS = 120_000;
const WEEK = 7 * 86_400_000;

export interface LookBack {
  /** By kind in the order of PAST_KINDS, in each as it is kept. */
  rows: Past[];
  /** Of a kind, how many more rows there were than are kept. */
  more: Partial<Record<PastKind, number>>;
  /** What could not be read, a sentence each. */
  blind: string[];
}

/** What the host remembers, from what a look shipped: equal things are one row, told by all that tell it. Pure. */
export function lookBackOf(answer: Answer): LookBack {
  const size = utmpSize(answer.arch);
  const of = (kind: string) => answer.files.filter((file) => file.kind === kind);
  const records = (kind: string) => of(kind).map((file) => ({ file, records: readUtmp(file.bytes, file.from, size) }));
  const wtmp = records("wtmp");
  const logs = of("auth").map((file) => ({ file, ...readAuthLog(file.bytes, file.from === 0, { now: answer.now, zone: answer.zone }) }));
  const packages = packagesOf(of("package"), { now: answer.now, zone: answer.zone });
  const lines = logs.flatMap((log) => log.lines.map((line): AuthLine & { log: string } => ({ ...line, log: logName(log.file.path) })));

  const rows = new Rows();
  for (const line of lines) rows.line(line);
  const seen = wtmp.flatMap((each) => each.records);
  const stays = loginsOf(seen);
  for (const stay of stays) rows.stay(stay, "wtmp");
  for (const { records: now } of records("utmp")) for (const stay of loginsOf(now)) rows.stay(stay, "utmp");
  for (const { records: refused } of records("btmp"))
    for (const record of refused) if (!record.wiped && record.at > 0) rows.stay({ record, open: false }, "btmp", "failed");
  for (const file of of("lastlog")) {
    const last = readLastlog(file.bytes);
    if (last) rows.lastlog(file.path, last);
  }
  const gaps = gapsIn({ wtmp, logs, absent: answer.absent, stays, lines, sameLoginMs: SAME_LOGIN_MS, now: answer.now });
  const all = [
    ...rows.values(),
    ...packageRows(packages),
    ...answer.changed.filter((file) => worthTelling(file, packages, answer.now)).map(fileRow),
    ...gaps,
    ...of("shell").flatMap(historyRows),
  ];
  return { ...kept(all), blind: blindOf(answer) };
}

/** Logins of a wtmp, each with whether its end follows: by a dead process of that line, or a boot. */
function loginsOf(records: readonly UtmpRecord[]): Stay[] {
  const stays: Stay[] = [];
  const open = new Map<string, Stay>();
  for (const record of records) {
    if (record.type === UTMP.user && record.user !== "") {
      const stay = { record, open: true };
      stays.push(stay);
      const before = open.get(record.line);
      if (before) before.open = false;
      open.set(record.line, stay);
    } else if (record.type === UTMP.boot) {
      for (const stay of open.values()) stay.open = false;
      open.clear();
    } else if (record.type === UTMP.dead) {
      const stay = open.get(record.line);
      if (stay) stay.open = false;
      open.delete(record.line);
    }
  }
  return stays;
}

/** Rows by what makes two of them the same thing. */
class Rows {
  readonly #rows = new Map<string, Past & { times: number[] }>();

  line(line: AuthLine & { log: string }): void {
    const { what, user, ip, port, method, key, effective, text, tty, at, log } = line;
    if (what === "accepted" || what === "failed") {
      const kind = what === "accepted" ? "login" : "failed";
      const row = this.#row(kind, `${user} ${ip ?? ""}`, at, log);
      Object.assign(row, { user, ...(ip === undefined ? {} : { ip }), ...(port === undefined ? {} : { port }) });
      if (method !== undefined) row.methods = added(row.methods, method);
      if (key !== undefined) row.keys = added(row.keys, key);
    } else {
      const kind = what === "account" ? "account" : "elevation";
      const row = this.#row(kind, `${what} ${user} ${effective ?? ""} ${text ?? ""}`, at, log);
      Object.assign(row, { user, methods: [what], ...(effective === undefined ? {} : { effective }), ...(tty ? { tty } : {}) });
      if (text !== undefined) row.text = text;
    }
  }

  stay({ record, open }: Stay, from: string, kind: "login" | "failed" = "login"): void {
    const ip = record.ip ?? (isIP(record.host) ? plainAddress(record.host) : undefined);
    const row = this.#row(kind, `${record.user} ${ip ?? ""}`, record.at, from);
    row.user = record.user;
    if (ip !== undefined) row.ip = ip;
    else if (record.host !== "") row.text = record.host;
    if (record.line !== "" && kind === "login") row.tty = record.line;
    if (open && kind === "login") row.open = true;
  }

  /** The last login of an account: it says no more than wtmp does, unless wtmp is silent. */
  lastlog(user: HostString, { at, host, line }: { at: number; host: HostString; line: HostString }): void {
    const ip = isIP(host) ? plainAddress(host) : undefined;
    const row = this.#row("login", `${user} ${ip ?? ""}`, at, "lastlog");
    Object.assign(row, { user, ...(ip === undefined ? {} : { ip }), ...(line === "" ? {} : { tty: line }) });
  }

  /** The row of a thing. What another source tells of the same moment is the same login, and is not counted again. */
  #row(kind: PastKind, key: string, at: number, from: string): Past {
    const known = this.#rows.get(`${kind} ${key}`);
    if (!known) {
      const row = { kind, from: [from], first: at, last: at, count: 1, times: [at] };
      if (this.#rows.size < 20_000) this.#rows.set(`${kind} ${key}`, row);
      return row;
    }
    const again = !known.from.includes(from) || known.from[0] !== from;
    const same = again && known.times.some((time) => Math.abs(time - at) < SAME_LOGIN_MS);
    if (!known.from.includes(from)) known.from.push(from);
    if (!same) {
      known.count += 1;
      if (known.times.length < 1000) known.times.push(at);
    }
    if (at > 0 && (at < known.first || known.first === 0)) known.first = at;
    if (at > known.last) known.last = at;
    return known;
  }

  *values(): Generator<Past> {
    for (const { times: _, ...row } of this.#rows.values()) yield row;
  }
}

const added = (list: string[] | undefined, value: string): string[] =>
  list?.includes(value) ? list : [...(list ?? []), value].slice(0, 20);

/** Folders that packages fill: there a file whose status changed while a package was unpacked is that package's. */
const PACKAGED = /^\/(?:usr\/(?!local\/)|s?bin\/|lib(?:32|64)?\/|boot\/|etc\/)/;

function worthTelling({ path, mtime, ctime }: ChangedFile, packages: readonly PackageChange[], now: number): boolean {
  if (!PACKAGED.test(path)) return true;
  const unpacked = packages.some(({ at }) => Math.abs(ctime - at) < TEN_MINUTES);
  if (unpacked) return false;
  return now - mtime < WEEK || packages.length > 0; // without a package log nobody knows what an old time under a new status means
}

/** Its content's time and its status's time say different things: the first can be set by anybody who owns it (touch(1)), the second not. */
function fileRow({ path, mtime, ctime, size, mode }: ChangedFile): Past {
  const stamped = ctime - mtime > 86_400_000;
  const marks = [
    `${size} bytes`,
    (mode & 0o6000) !== 0 ? `set-${(mode & 0o4000) !== 0 ? "user" : "group"}-id` : "",
    (mode & 0o170000) === 0o120000 ? "a link" : "",
    stamped ? `says that its content is of ${new Date(mtime).toISOString().slice(0, 10)}` : "",
  ];
  return {
    kind: "file",
    from: ["file times"],
    first: Math.min(mtime, ctime),
    last: Math.max(ctime, mtime),
    count: 1,
    path,
    text: marks.filter((mark) => mark !== "").join(", ") as HostString,
  };
}

/** The tail of a shell's history; bash and zsh write the time of a command before it where they were told to. */
function historyRows({ path, bytes, mtime, from }: Shipped): Past[] {
  const lines = decodeHostBytes(bytes).split("\n");
  if (from > 0) lines.shift(); // the tail begins in the middle of a line
  const rows: Past[] = [];
  let time = 0;
  for (const line of lines) {
    const stamp = /^#(\d{9,11})$/.exec(line);
    const zsh = /^: (\d{9,11}):\d{1,9};(.*)$/.exec(line);
    if (stamp) time = Number(stamp[1]) * 1000;
    else if (line !== "") {
      const at = zsh ? Number(zsh[1]) * 1000 : time;
      const text = (zsh ? (zsh[2] as string) : line).slice(0, 512) as HostString;
      rows.push({ kind: "shell", from: ["history"], first: at, last: at, count: 1, path, text });
      time = 0;
    }
  }
  const tail = rows.slice(-HISTORY_LINES);
  const last = tail.at(-1);
  if (last && last.last === 0) last.last = mtime; // it was written when the file last was
  return tail;
}

function kept(all: readonly Past[]): Pick<LookBack, "rows" | "more"> {
  const rows: Past[] = [];
  const more: LookBack["more"] = {};
  const letIn = new Set(all.flatMap(({ kind, ip }) => (kind === "login" && ip !== undefined ? [ip] : [])));
  // the noise of a day of guessing must not push out whose guess was right
  const cameIn = ({ kind, ip = "" }: Past) => Number(kind === "failed" && letIn.has(ip));
  for (const kind of Object.keys(MOST_PAST) as PastKind[]) {
    const those = all.filter((row) => row.kind === kind);
    // histories keep the order in which they were typed
    if (kind !== "shell") those.sort((a, b) => cameIn(b) - cameIn(a) || b.last - a.last);
    const some = (kind === "file" ? fewOfEach(those) : those).slice(0, MOST_PAST[kind]);
    rows.push(...some);
    if (those.length > some.length) more[kind] = those.length - some.length;
  }
  return { rows, more };
}

/** One busy folder must not leave the others without a row. */
function fewOfEach(rows: readonly Past[]): Past[] {
  const times = new Map<string, number>();
  return rows.filter(({ path = "" }) => {
    const place = path.split("/").slice(0, 3).join("/");
    const n = (times.get(place) ?? 0) + 1;
    times.set(place, n);
    return n <= MOST_OF_A_PLACE;
  });
}

function blindOf({ absent, root, complete, undecodable }: Answer): string[] {
  const blind: string[] = [];
  if (!root) blind.push("without root the logs, btmp and other accounts' histories are mostly closed to us");
  for (const { kind, path, why, to } of absent)
    if (why !== "link" && kind !== "shell" && kind !== "utmp") blind.push(`${path}: ${why}${to === undefined ? "" : ` (${to})`}`);
  if (undecodable > 0) blind.push(`${undecodable} lines of the look could not be read`);
  if (!complete) blind.push("the look did not come to its end: what is here is what came");
  return blind.slice(0, 40);
}
