import type { CommandState, ConnectionState, LoginState, Millis, ProcessState, State } from "./state.ts";

/** What was run in the same words: how often, and from when to when it was seen. */
export interface OwnProgram {
  /** A process of it. */
  process: ProcessState;
  times: number;
  live: number;
  first: Millis;
  last: Millis;
}
/** What the console itself is on the host. It is known by the connection that each login of ours came by, and by nothing that it is called. */
export interface Footprint {
  logins: LoginState[];
  programs: OwnProgram[];
  /** Processes of ours that are in the picture, and those that were folded away into a count. */
  processes: number;
  folded: number;
  connections: ConnectionState[];
  commands: CommandState[];
}

const MOST_PROGRAMS = 2000;

export function footprintOf(state: State): Footprint {
  const logins = [...state.logins.values()].filter(({ ours }) => ours);
  const ours = new Set(logins.map(({ id }) => id));
  const programs = new Map<string, OwnProgram>();
  let [processes, folded] = [0, 0];
  for (const process of state.processes.values()) {
    if (process.login === undefined || !ours.has(process.login)) continue;
    processes += 1;
    for (const times of Object.values(process.folded ?? {})) folded += times;
    const key = JSON.stringify([process.executable ?? process.name ?? "", process.args?.slice(1) ?? 0]);
    const known = programs.get(key);
    const end = process.end ?? state.now;
    const live = process.end === undefined ? 1 : 0;
    if (!known) {
      if (programs.size < MOST_PROGRAMS) programs.set(key, { process, times: 1, live, first: process.start, last: end });
      continue;
    }
    known.times += 1;
    known.live += live;
    known.first = Math.min(known.first, process.start);
    known.last = Math.max(known.last, end);
  }
  return {
    logins,
    programs: [...programs.values()].sort((a, b) => a.first - b.first),
    processes,
    folded,
    connections: [...state.connections.values()].filter(({ login, process }) => {
      const owner = login ?? (process === undefined ? undefined : state.processes.get(process)?.login);
      return owner !== undefined && ours.has(owner);
    }),
    commands: [...state.commands.values()],
  };
}
