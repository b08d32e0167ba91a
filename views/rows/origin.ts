import type { OriginState, State } from "#state/state";
import { loginName, terminalName } from "../words.ts";
import { loginNumber } from "./login-number.ts";

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
    const there = state.setUp.get(`cron ${entry.path} ${entry.line ?? ""}`)?.status === "here";
    const wrote = whose
      ? `written by ${whose}`
      : entry.written_by
        ? "written by no login"
        : there
          ? "there when we came"
          : "nobody was seen to write it";
    const which = entry.one_of === undefined ? "" : ` (one of ${entry.one_of} entries alike)`;
    return `${type} ${entry.path}, ${wrote}${which}${entry.line === undefined ? "" : `: ${entry.line.replaceAll("\t", " ")}`}`;
  }
  return `${type}${askedBy ? `, asked for by ${whose ?? "no login"}` : ""}`;
}

/** "L2 root@203.0.113.9". */
function loginWord(state: State, id: string): string {
  const login = state.logins.get(id);
  return login ? `L${loginNumber(state, id) ?? "?"} ${loginName(login)}` : "a login that is no longer known";
}
