import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runLocal } from "./machine.ts";

/**
 * Tracing instances are the machine's, whatever namespace made them: a host that is killed under its collector leaves them in the
 * kernel. They carry the number of the pid namespace that their owner lived in, so a host's own can be told from everybody else's.
 */
const SCRIPT = `
mount -t tracefs nodev /sys/kernel/tracing || exit 0
cd /sys/kernel/tracing/instances || exit 0
for i in stakeout."$1".*; do
  [ -d "$i" ] || continue
  pid=\${i#stakeout.*.}; pid=\${pid%%.*}
  [ "$2" = shared ] && [ -d /proc/"$pid" ] && continue
  # a pipe of a process that is just dying keeps it for a moment
  n=0; until rmdir "$i" 2>/dev/null || [ $n -ge 50 ]; do n=$((n + 1)); sleep 0.02; done
done`;

const FILE = "pid-namespace";

/** Notes which pid namespace the host has, for whoever sweeps up after us. */
export function noteNamespace(slot: { state: string }, hostPid1: number, pidNamespace: boolean): void {
  const inode = /\[(\d+)\]/.exec(readlinkSync(`/proc/${hostPid1}/ns/pid`))?.[1];
  if (inode !== undefined) writeFileSync(join(slot.state, FILE), `${inode} ${pidNamespace ? "own" : "shared"}`);
}

/** Removes the instances that collectors of a dead host left; of a host that shared the machine's pids, those of dead collectors. */
export async function removeInstances(state: string): Promise<void> {
  let noted: string;
  try {
    noted = readFileSync(join(state, FILE), "utf8");
  } catch {
    return; // the host never came up
  }
  const [inode, kind] = noted.split(" ") as [string, string];
  await runLocal(["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", SCRIPT, "-", inode, kind]);
}
