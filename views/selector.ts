import type { Selector } from "#model/event";
import type { State } from "#state/state";
import { criteriaWords } from "#state/words";
import { processName } from "./rows/standing.ts";
import { loginCalled } from "./words.ts";

/** What a tag is on, in words; host text in it is still raw. */
export function selectorName(state: State, selector: Selector): string {
  if ("login" in selector) {
    const login = state.logins.get(selector.login);
    return login
      ? `the login ${loginCalled(login)}${login.end === undefined ? "" : ", which has ended"}`
      : "a login that is in the picture no more";
  }
  if (!("process" in selector)) return criteriaWords(selector) || "what is to be named";
  const process = state.processes.get(selector.process);
  if (!process) return "a process that is in the picture no more";
  return `${processName(process)} (pid ${process.pid}) and all below it${process.end === undefined ? "" : ", which has ended"}`;
}
