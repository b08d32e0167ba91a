import type { CommandState } from "./decided-state.ts";
import type { ConnectionState, LoginState, ProcessState, State } from "./state.ts";
import type { Millis } from "./time.ts";

/** What was run in the same words, whatever pids of /proc were in them: how often, and from when to when it was seen. */
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

/** A look at what runs names every process: that it was another set of pids each time makes it no other look. */
function keyOf({ executable, name, args }: ProcessState): string {
  const words = args?.slice(1).map((arg) => arg.replace(/^\/proc\/\d+\//, "/proc/N/"));
  return JSON.stringify([executable ?? name ?? "", words?.filter((word, i) => !word.startsWith("/proc/N/") || word !== words[i - 1]) ?? 0]);
}

export function footprintOf(state: State): Footprint {
  const logins = [...state.logins.values()].filter(({ ours }) => ours);
  const ours = new Set(logins.map(({ id }) => id));
  const programs = new Map<string, OwnProgram>();
  let [processes, folded] = [0, 0];
  for (const process of state.processes.values()) {
    if (process.login === undefined || !ours.has(process.login)) continue;
    processes += 1;
    for (const times of Object.values(process.folded ?? {})) folded += times;
    const key = keyOf(process);
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
