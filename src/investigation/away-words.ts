import type { Returned } from "./ingest-away.ts";

const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

/** What is known of a time in which nothing was seen. */
export function awayWords(seconds: number, { rebooted, processes, connections }: Returned): string {
  const long = seconds < 120 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
  if (rebooted)
    return `Nothing was seen for ${long}, and the host was started anew meanwhile: all that we knew of has ended (${plural(processes.ended, "process", "processes")}).`;
  return [
    `Nothing was seen for ${long}.`,
    `Of what was there, ${plural(processes.ended, "process has", "processes have")} ended meanwhile and ${plural(connections.ended, "socket")};`,
    `${plural(processes.found, "process is", "processes are")} new, ${plural(connections.found, "socket")} too.`,
    "What both began and ended in that time, and files that were written, nobody saw.",
  ].join(" ");
}
