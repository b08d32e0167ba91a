import { decodeHostBytes, type HostString } from "#model/host-string";
import type { Past } from "#model/past";
import type { Shipped } from "./answer.ts";
import { type LogClock, yearlessTime } from "./auth-log.ts";

export interface PackageChange {
  at: number;
  /** install, upgrade, downgrade, reinstall, remove, purge. */
  what: string;
  name: HostString;
  version: HostString;
  /** Who says so. */
  from: "package log" | "rpm's database";
}

const MOST = 5000;
/** What happens so soon after another thing of packages belongs to it. */
export const TEN_MINUTES = 600_000;
/** dpkg.log, deb-dpkg(1): "2024-05-01 10:00:00 install name:arch <none> 1.2", in the host's own time. */
const DPKG = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (install|upgrade|remove|purge) (\S{1,200}) (\S{1,200}) (\S{1,200})$/;
/** dnf.rpm.log: "2024-05-01T10:00:00+0000 SUBDEBUG Installed: name-1.2-3.x86_64"; Upgraded and its like are of what was there before. */
const DNF =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(Z|[+-]\d\d:?\d\d) \S{1,20} (Installed|Upgrade|Downgrade|Reinstall|Erased?|Removed): (\S{1,300})$/;
/** yum.log: "May 01 10:00:00 Installed: 1:name-1.2-3.x86_64", in the host's own time. */
const YUM = /^([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d) (Installed|Updated|Downgraded|Reinstalled|Erased): (\S{1,300})$/;
/** pacman.log: "[2024-05-01T10:00:00+0000] [ALPM] installed name (1.2)". */
const PACMAN =
  /^\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d{4})\] \[ALPM\] (installed|upgraded|downgraded|reinstalled|removed) (\S{1,200}) \((.{1,200})\)$/;
/**
 * apk.log (apk-tools 3; print.c and commit.c of its source): each run begins with a line "Running `apk add name` at 2024-05-01 10:00:00",
 * in UTC, and the lines of its changes have no time: "(1/3) Installing name (1.2-r0)", "( 2/13) Upgrading name@edge (1.1-r0 -> 1.2-r0)".
 */
const APK_RUN = /^Running `.*` at (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/;
const APK = /^\( {0,8}\d{1,8}\/\d{1,8}\) (Installing|Upgrading|Downgrading|Reinstalling|Replacing|Purging) (\S{1,200}) \((\S.{0,200})\)$/;
/** What the look asks rpm for: seconds, name, version and architecture. */
const RPM = /^(\d{9,11})\t([\w.+-]{1,200})\t([\w.+:~^-]{1,200})\t(\w{1,32})$/;

/** One word for what each of them calls by its own. */
const VERBS: Record<string, string> = {
  installed: "install",
  reinstalled: "reinstall",
  updated: "upgrade",
  upgraded: "upgrade",
  downgraded: "downgrade",
  erase: "remove",
  erased: "remove",
  removed: "remove",
  installing: "install",
  upgrading: "upgrade",
  downgrading: "downgrade",
  reinstalling: "reinstall",
  replacing: "reinstall",
  purging: "remove",
};

/** Changes of packages that a package manager's log tells, in its order. */
function readPackageLog(bytes: Buffer, clock: LogClock): PackageChange[] {
  return changesIn(bytes, (line) => readLine(line, clock));
}

/** The same of apk's log. Its tail alone is shipped: changes whose run began before it have no time, and are left out. */
function readApkLog(bytes: Buffer): PackageChange[] {
  let at = Number.NaN;
  const read = (line: string): PackageChange | undefined => {
    if (line.startsWith("Running `")) {
      const [, day, time] = APK_RUN.exec(line) ?? [];
      at = Date.parse(`${day}T${time}Z`);
    }
    const [, what, name, version] = APK.exec(line) ?? [];
    return what === undefined ? undefined : told(at, what, name, version);
  };
  // a run's line names all that it was asked for: one that was left out would give its changes the time of the run before
  return changesIn(bytes, read, bytes.length);
}

const told = (at: number, what = "", name = "", version = ""): PackageChange => ({
  at,
  what: VERBS[what.toLowerCase()] ?? what.toLowerCase(),
  name: name as HostString,
  version: version as HostString,
  from: "package log",
});

/** What rpm says of when each of its packages was installed, oldest first: what was removed since is not in it. */
function readRpmTimes(bytes: Buffer): PackageChange[] {
  const changes = changesIn(bytes, (line): PackageChange | undefined => {
    const [, seconds, name, version, arch] = RPM.exec(line) ?? [];
    if (seconds === undefined) return undefined;
    const label = `${name}-${version}.${arch}` as HostString;
    return { at: Number(seconds) * 1000, what: "install", name: label, version: "" as HostString, from: "rpm's database" };
  });
  return changes.sort((a, b) => a.at - b.at);
}

function changesIn(bytes: Buffer, read: (line: string) => PackageChange | undefined, longest = 1024): PackageChange[] {
  const changes: PackageChange[] = [];
  for (const line of decodeHostBytes(bytes).split("\n")) {
    const change = line.length <= longest ? read(line) : undefined;
    if (change && Number.isFinite(change.at)) changes.push(change);
  }
  return changes.slice(-MOST);
}

function readLine(line: string, clock: LogClock): PackageChange | undefined {
  const dpkg = DPKG.exec(line);
  if (dpkg) {
    const [, day, time, what, name, before, after] = dpkg;
    return told(Date.parse(`${day}T${time}Z`) - clock.zone * 1000, what, name, after === "<none>" ? before : after);
  }
  const yum = YUM.exec(line);
  if (yum) return told(yearlessTime(yum.slice(1, 6), clock), yum[6], yum[7]);
  const other = DNF.exec(line) ?? PACMAN.exec(line);
  if (!other) return undefined;
  const [, time, offset, what, name, version] = other;
  return told(Date.parse(`${time}${offset}`), what, name, version);
}

/** Where the look puts what rpm itself says. */
const RPM_TIMES = "rpm";
const APK_LOG = "/var/log/apk.log";
/** yum and dnf write an epoch into a package's name, "1:vim-9-1" or "vim-1:9-1", and rpm's own words have none. */
const withoutEpoch = (name: string) => name.replace(/(?<=^|-)\d{1,9}:/, "");

/** When what was told of, by tens of minutes: a log can name one thing a hundred thousand times, and is asked about it as often. */
class Occasions {
  readonly #spans = new Map<string, { first: number; last: number }>();

  add(name: string, at: number): void {
    const key = `${Math.floor(at / TEN_MINUTES)} ${name}`;
    const span = this.#spans.get(key);
    if (!span) this.#spans.set(key, { first: at, last: at });
    else {
      span.first = Math.min(span.first, at);
      span.last = Math.max(span.last, at);
    }
  }

  /** Whether it was told within ten minutes of that moment. */
  near(name: string, at: number): boolean {
    const ten = Math.floor(at / TEN_MINUTES);
    const [before, after] = [this.#spans.get(`${ten - 1} ${name}`), this.#spans.get(`${ten + 1} ${name}`)];
    return (
      this.#spans.has(`${ten} ${name}`) ||
      (before !== undefined && at - before.last < TEN_MINUTES) ||
      (after !== undefined && after.first - at < TEN_MINUTES)
    );
  }
}

/** What the logs tell, and what rpm has that they do not: from before them, or that nobody logged. */
export function packagesOf(files: readonly Shipped[], clock: LogClock): PackageChange[] {
  const logged = files
    .filter(({ path }) => path !== RPM_TIMES)
    .flatMap(({ path, bytes }) => (path === APK_LOG ? readApkLog(bytes) : readPackageLog(bytes, clock)));
  const began = logged.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const told = new Occasions();
  for (const { name, at } of logged) told.add(withoutEpoch(name), at);
  const alone = files
    .filter(({ path }) => path === RPM_TIMES)
    .flatMap(({ bytes }) => readRpmTimes(bytes))
    .filter(({ name, at }) => !told.near(name, at))
    .map((change) => (change.at > began + TEN_MINUTES ? { ...change, what: "install, in no package log" } : change));
  return [...logged, ...alone];
}

/** An update of hundreds of packages is one row with how many there were; a package alone is named. */
export function packageRows(changes: readonly PackageChange[]): Past[] {
  const rows: Past[] = [];
  for (const { at, what, name, version, from } of changes) {
    const last = rows.at(-1);
    const text = version === "" ? name : `${name} ${version}`;
    if (last && last.from[0] === from && last.methods?.[0] === what && at - last.last < TEN_MINUTES && at >= last.last) {
      last.last = at;
      last.count += 1;
      if (last.count <= 8) last.text = `${last.text}, ${text}` as HostString;
    } else rows.push({ kind: "package", from: [from], first: at, last: at, count: 1, methods: [what], text: text as HostString });
  }
  return rows;
}
