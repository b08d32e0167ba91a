import { readdirSync, readFileSync } from "node:fs";
import { runLocal } from "#range/machine";
import type { Range } from "#range/range";

/** What the console's own subtree on the suspect host has used so far, read from the machine outside. */
export interface HostCost {
  /** Seconds on a core since the processes began, of those alive and of their children that they waited for. */
  cpuSeconds: number;
  /** Bytes that went to a block device (/proc/PID/io, write_bytes). */
  bytesWritten: number;
  rssKb: number;
  processes: number;
}

/** Machine-global pid of the sshd that serves the connection from `port` of the analyst's side. */
export async function sshdOf(range: Range, port: number): Promise<number> {
  const { stdout } = await runLocal([
    "ip",
    "netns",
    "exec",
    range.netns.host,
    "ss",
    "-Htnp",
    "state",
    "established",
    `( sport = :22 and dport = :${port} )`,
  ]);
  const pids = [...stdout.matchAll(/pid=(\d+)/g)].map((match) => Number(match[1]));
  // A login of an unprivileged user has two sshds on one socket: the older is the root of the subtree.
  const [oldest] = pids.sort((a, b) => a - b);
  if (oldest === undefined) throw new Error(`no sshd of the host serves a connection from port ${port}`);
  return oldest;
}

/** Everything below `root`, itself included, as the machine sees it. */
function subtree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = read(`/proc/${name}/stat`);
    parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const found = [root];
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child);
  return found;
}

export function costOf(root: number): HostCost {
  const cost: HostCost = { cpuSeconds: 0, bytesWritten: 0, rssKb: 0, processes: 0 };
  for (const pid of subtree(root)) {
    const nanoseconds = Number(read(`/proc/${pid}/schedstat`).split(" ")[0] || 0);
    const stat = read(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // utime and stime of children that were waited for, clock ticks (proc(5), fields 16 and 17).
    const children = (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) / 100;
    cost.cpuSeconds += nanoseconds / 1e9 + children;
    cost.bytesWritten += Number(/^write_bytes: (\d+)/m.exec(read(`/proc/${pid}/io`))?.[1] ?? 0);
    cost.rssKb += Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
    cost.processes += 1;
  }
  return cost;
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return ""; // it ended meanwhile
  }
}
