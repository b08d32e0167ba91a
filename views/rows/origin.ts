import type { JobEntry } from "#model/event";
import type { OriginState, SetUpState, State } from "#state/state";
import { loginCalled, terminalName } from "../words.ts";

/** Who is named in the word of an origin. Host text in it is still raw. */
export function originText(state: State, origin: OriginState): string {
  const { type, user, entry, askedBy, login } = origin;
  const name = user?.name ?? (user?.id === undefined ? "?" : `uid ${user.id}`);
  const effective = user?.effective;
  const whose = login === undefined ? undefined : loginWord(state, login);
  if (type === "su" || type === "sudo")
    return `${type} ${name} as ${effective?.name ?? (effective?.id === undefined ? "?" : `uid ${effective.id}`)}`;
  if (type === "tmux" || type === "screen") return `${type} server${whose ? ` begun by ${whose}` : ", nobody saw by whom"}`;
  if (type === "client") return `attached to a terminal's server${origin.ttys[0] ? ` from ${terminalName(origin.ttys[0])}` : ""}`;
  if (type === "cron" || type === "at") {
    if (!entry) return `${type} job, its entry was not seen`;
    const which = entry.one_of === undefined ? "" : ` (one of ${entry.one_of} entries alike)`;
    return `${type} ${entry.path}, ${writerText(state, origin)}${which}${entry.line === undefined ? "" : `: ${entry.line.replaceAll("\t", " ")}`}`;
  }
  return `${type}${askedBy ? `, asked for by ${whose ?? "no login"}` : ""}`;
}

/** Who wrote the entry of a job of cron or at, as far as that was seen. */
export function writerText(state: State, { entry, login }: OriginState): string {
  if (login !== undefined) return `written by ${loginWord(state, login)}`;
  if (entry?.written_by) return "written by no login";
  return entry && entryOf(state, entry)?.status === "here" ? "there when we came" : "nobody was seen to write it";
}

/** The entry as a thing of the host's set-up. */
export const entryOf = (state: State, { path, line }: JobEntry): SetUpState | undefined => state.setUp.get(`cron ${path} ${line ?? ""}`);

/** "L2 root@203.0.113.9". */
function loginWord(state: State, id: string): string {
  const login = state.logins.get(id);
  return login ? loginCalled(login) : "a login that is no longer known";
}
