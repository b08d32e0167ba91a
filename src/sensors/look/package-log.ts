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
};

/** Changes of packages that a package manager's log tells, in its order. */
function readPackageLog(bytes: Buffer, clock: LogClock): PackageChange[] {
  return changesIn(bytes, (line) => readLine(line, clock));
}

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

function changesIn(bytes: Buffer, read: (line: string) => PackageChange | undefined): PackageChange[] {
  const changes: PackageChange[] = [];
  for (const line of decodeHostBytes(bytes).split("\n")) {
    const change = line.length <= 1024 ? read(line) : undefined;
    if (change && Number.isFinite(change.at) && changes.push(change) >= MOST) break;
  }
  return changes;
}

function readLine(line: string, clock: LogClock): PackageChange | undefined {
  const told = (at: number, what = "", name = "", version = ""): PackageChange => ({
    at,
    what: VERBS[what.toLowerCase()] ?? what.toLowerCase(),
    name: name as HostString,
    version: version as HostString,
    from: "package log",
  });
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
/** yum and dnf write an epoch into a package's name, "1:vim-9-1" or "vim-1:9-1", and rpm's own words have none. */
const withoutEpoch = (name: string) => name.replace(/(?<=^|-)\d{1,9}:/, "");

/** What the logs tell, and what rpm has that they do not: from before them, or that nobody logged. */
export function packagesOf(files: readonly Shipped[], clock: LogClock): PackageChange[] {
  const logged = files.filter(({ path }) => path !== RPM_TIMES).flatMap(({ bytes }) => readPackageLog(bytes, clock));
  const began = logged.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const times = new Map<string, number[]>();
  for (const { name, at } of logged) times.set(withoutEpoch(name), [...(times.get(withoutEpoch(name)) ?? []), at]);
  const alone = files
    .filter(({ path }) => path === RPM_TIMES)
    .flatMap(({ bytes }) => readRpmTimes(bytes))
    .filter(({ name, at }) => !times.get(name)?.some((time) => Math.abs(time - at) < TEN_MINUTES))
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
