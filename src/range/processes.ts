import { readFileSync } from "node:fs";
import { processesIn } from "./network.ts";
import type { Range } from "./range.ts";

/** A process of the suspect host, seen from the machine. */
export interface HostProcess {
  /** As the machine shows it. */
  globalPid: number;
  /** As the host itself shows it. */
  pid: number;
  args: string[];
}

/**
 * The host's processes whose first argument is `program`: ground truth read from the machine's own /proc, where nothing
 * that runs on the host can hide or pretend.
 */
export function hostProcesses(range: Range, program: string): HostProcess[] {
  return processesIn([range.netns.host]).flatMap((globalPid) => {
    try {
      const args = readFileSync(`/proc/${globalPid}/cmdline`, "latin1").split("\0").slice(0, -1);
      if (args[0] !== program) return [];
      // the last number is the pid in the innermost namespace (proc(5))
      const pid = Number(/^NSpid:.*?(\d+)$/m.exec(readFileSync(`/proc/${globalPid}/status`, "latin1"))?.[1] ?? globalPid);
      return [{ globalPid, pid, args }];
    } catch {
      return []; // ended meanwhile
    }
  });
}
