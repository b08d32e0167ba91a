import { isHidden } from "#state/lineage";
import { newBinaryOf } from "#state/program";
import type { BinaryState, LoginState, ProcessState, State } from "#state/state";

/** Whose a process is, as the report tells it. */
export type Side =
  /** Under a login that nobody vouched for, or tagged intruder or suspect. */
  | "theirs"
  /** Under no such login, but it runs what one of theirs wrote, or comes from something that does. */
  | "stray"
  /** Tagged responder or known-good. */
  | "hidden"
  /** The host's own, judged by nobody; or nobody knows which process it was. */
  | "other";

/** Who is who at the end of the session: a tag holds for what came before it too. */
export interface Cast {
  side(process: string | undefined): Side;
  /** One of theirs had a hand in it, whoever wrote it last. */
  wrote(binary: BinaryState): boolean;
  /** Logins by how they are judged; the console's own are in none of them. */
  accused: LoginState[];
  unvouched: LoginState[];
  vouched: LoginState[];
  own: LoginState[];
  /** Processes on the side "stray" whose parent is not. */
  strayRoots: ProcessState[];
}

export function castOf(state: State): Cast {
  const logins = [...state.logins.values()].toSorted((a, b) => a.start - b.start);
  const others = logins.filter(({ ours }) => !ours);
  const theirs = new Set<string>();
  for (const process of state.processes.values())
    if (process.standing === "intruder" || process.standing === "suspect" || (process.login !== undefined && !isHidden(process.standing)))
      theirs.add(process.id);
  const stray = new Set<string>();
  const strayRoots: ProcessState[] = [];
  for (const process of state.processes.values()) {
    const binary = newBinaryOf(state, process);
    if (!binary || theirs.has(process.id) || isHidden(process.standing)) continue;
    const broughtIn = binary.writers.some((writer) => theirs.has(writer));
    if (broughtIn || binary.standing === "intruder" || binary.standing === "suspect") strayRoots.push(process);
  }
  for (const root of strayRoots) {
    const todo = [root];
    for (let process = todo.pop(); process; process = todo.pop()) {
      if (stray.has(process.id) || theirs.has(process.id) || isHidden(process.standing)) continue;
      stray.add(process.id);
      for (const child of process.children) {
        const next = state.processes.get(child);
        if (next) todo.push(next);
      }
    }
  }
  const side = (id: string | undefined): Side => {
    if (id === undefined) return "other";
    if (theirs.has(id)) return "theirs";
    if (stray.has(id)) return "stray";
    const process = state.processes.get(id);
    return process && isHidden(process.standing) ? "hidden" : "other";
  };
  return {
    side,
    wrote: ({ writers }) => writers.some((writer) => ["theirs", "stray"].includes(side(writer))),
    accused: others.filter(({ standing }) => standing === "intruder" || standing === "suspect"),
    unvouched: others.filter(({ standing }) => standing === "unknown"),
    vouched: others.filter(({ standing }) => isHidden(standing)),
    own: logins.filter(({ ours }) => ours),
    strayRoots: strayRoots.filter(({ parent }) => parent === undefined || !stray.has(parent)),
  };
}
