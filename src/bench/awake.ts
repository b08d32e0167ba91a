import { availableParallelism } from "node:os";
import { exited, startBound } from "#range/machine";

/**
 * Keeps every core of this machine awake with loops of the lowest scheduling class (SCHED_IDLE), which give way to anything else. A
 * virtual core that sleeps between two events is slow to wake, and the kernel bills that time to the process that was woken: the same
 * collector at the same load then costs half as much again, and what is measured is the hypervisor. Returns what ends them.
 */
export function keepAwake(): () => Promise<void> {
  const loops = Array.from({ length: availableParallelism() }, () =>
    startBound(["chrt", "-i", "0", "/bin/sh", "-c", "while :; do :; done"], ["ignore", "ignore", "ignore"]),
  );
  return async () => {
    for (const loop of loops) loop.kill("SIGKILL");
    await Promise.all(loops.map(exited));
  };
}
