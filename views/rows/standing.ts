import { isHidden } from "#state/lineage";
import type { ProcessState, Standing, State } from "#state/state";
import type { Millis } from "#state/time";

/** Order on the screen: what matters most first. Services, which nobody judged, stand between `unknown` and `known-good`. */
export const RANK: Record<Standing, number> = { intruder: 0, suspect: 1, unknown: 2, "known-good": 4, responder: 5 };

/** Of a login: an unknown one that brought something with a flag comes before the others that nobody has judged. */
export const rankOf = ({ id, standing }: { id: string; standing: Standing }, flagged: ReadonlySet<string>): number =>
  standing === "unknown" && flagged.has(id) ? RANK.unknown - 0.5 : RANK[standing];

export interface Hidden {
  processes: number;
  connections: number;
  files: number;
  logins: number;
}

/** How much the tags hide, and how many processes run that no tag hides. Dead processes count as hidden too, while they are kept. */
export function inSight(state: State): { hidden: Hidden; live: number } {
  const found = { processes: 0, connections: 0, files: 0, logins: 0 };
  let live = 0;
  for (const { standing, end } of state.processes.values())
    if (isHidden(standing)) found.processes++;
    else if (end === undefined) live++;
  for (const connection of state.connections.values()) if (isHidden(connection.standing)) found.connections++;
  for (const binary of state.binaries.values()) if (isHidden(binary.standing)) found.files++;
  for (const login of state.logins.values()) if (isHidden(login.standing)) found.logins++;
  return { hidden: found, live };
}

/** Name of a process for a column; the pid where not even that was seen. */
export const processName = (process: ProcessState | undefined) =>
  process ? (process.name ?? process.executable?.replace(/^.*\//, "") ?? `pid ${process.pid}`) : "unknown process";

/** Arguments without the command's own name, as they would be typed; '?' where the kernel had them no more when we looked. */
export function argumentsOf(process: ProcessState): string {
  if (process.args) return process.args.slice(1).join(" ");
  return process.unseen?.["process.args"] ? `(arguments ${process.unseen["process.args"]})` : "";
}

export const newestFirst = (a: { active: Millis; start: Millis }, b: { active: Millis; start: Millis }) =>
  b.active - a.active || b.start - a.start;
