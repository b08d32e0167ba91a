import { decodeHostBytes, type HostString } from "#model/host-string";

export interface PackageChange {
  at: number;
  /** install, upgrade, remove, purge. */
  what: string;
  name: HostString;
  version: HostString;
}

const MOST = 5000;
/** dpkg.log, deb-dpkg(1): "2024-05-01 10:00:00 install name:arch <none> 1.2", in the host's own time. */
const DPKG = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (install|upgrade|remove|purge) (\S{1,200}) (\S{1,200}) (\S{1,200})$/;
/** dnf.rpm.log: "2024-05-01T10:00:00+0000 SUBDEBUG Installed: name-1.2-3.x86_64". */
const DNF = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(Z|[+-]\d\d:?\d\d) \S{1,20} (Installed|Upgrade|Erase|Removed): (\S{1,300})$/;
/** pacman.log: "[2024-05-01T10:00:00+0000] [ALPM] installed name (1.2)". */
const PACMAN = /^\[(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)([+-]\d{4})\] \[ALPM\] (installed|upgraded|removed) (\S{1,200}) \((.{1,200})\)$/;

/** Changes of packages that a package manager's log tells, oldest first. @param zone seconds east of UTC, for dpkg's times */
export function readPackageLog(bytes: Buffer, zone: number): PackageChange[] {
  const changes: PackageChange[] = [];
  for (const line of decodeHostBytes(bytes).split("\n")) {
    const change = line.length <= 1024 ? readLine(line, zone) : undefined;
    if (change && Number.isFinite(change.at) && changes.push(change) >= MOST) break;
  }
  return changes;
}

function readLine(line: string, zone: number): PackageChange | undefined {
  const dpkg = DPKG.exec(line);
  if (dpkg) {
    const [, day, time, what, name, before, after] = dpkg as unknown as string[];
    const at = Date.parse(`${day}T${time}Z`) - zone * 1000;
    return { at, what: what as string, name: name as HostString, version: (after === "<none>" ? before : after) as HostString };
  }
  const other = DNF.exec(line) ?? PACMAN.exec(line);
  if (!other) return undefined;
  const [, time, offset, what, name, version = ""] = other as unknown as string[];
  return {
    at: Date.parse(`${time}${offset}`),
    what: (what as string).toLowerCase(),
    name: name as HostString,
    version: version as HostString,
  };
}
