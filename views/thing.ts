import type { Selection } from "#commands/command";
import { farEnd } from "#state/selectors";
import type { ProcessState, State } from "#state/state";
import { processName } from "./rows/standing.ts";
import { address, loginCalled } from "./words.ts";

/** What a selected thing is called in a sentence; host text in it is still raw. */
export function thingName(state: State, { kind, id, members, count }: Selection): string {
  if (kind === "process") return processTitle(state.processes.get(id));
  if (kind === "login") {
    const login = state.logins.get(id);
    return login ? `login ${loginCalled(login)}` : "a login";
  }
  if (kind === "connection") {
    const connection = state.connections.get(id);
    if (!connection) return "a connection";
    return connection.phase === "listening" ? `listener ${address(connection.source)}` : `connection ${address(farEnd(connection))}`;
  }
  if (kind === "binary") return id;
  if (kind === "past") return "something that the host remembers";
  if (kind === "set-up") return state.setUp.get(id)?.name ?? "a thing of the set-up";
  if (kind === "place") return `place ${id}`;
  if (id.startsWith("g:") || id.startsWith("a:")) return "a group";
  return members ? `${Math.max(count ?? 0, members.length)} processes of one name` : "a group";
}

const processTitle = (process: ProcessState | undefined) => (process ? `process ${process.pid} ${processName(process)}` : "a process");
