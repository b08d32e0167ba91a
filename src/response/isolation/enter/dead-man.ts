/** What `armed` said: a process by pid, process group and start in ticks (fields 1, 5, 22 of /proc/PID/stat, proc(5)), or a systemd unit. */
export type DeadMan = { process: number; group: number; start: string } | { unit: string };

export function parseDeadMan(said: string): DeadMan | undefined {
  const found = /^process (\d+) (\d+) (\d+)$/m.exec(said);
  if (found) return { process: Number(found[1]), group: Number(found[2]), start: found[3] as string };
  const unit = /^unit (stakeout-(?:deadman|lease)-[0-9a-f]+)$/m.exec(said)?.[1];
  return unit === undefined ? undefined : { unit };
}
