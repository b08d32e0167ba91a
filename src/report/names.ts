import type { JobEntry } from "#model/event";
import { originOf } from "#state/origins";
import type { LoginState, ProcessState, State } from "#state/state";
import { code, prose } from "./escape.ts";
import { whereabouts } from "./places.ts";

/** "root from 185.220.101.1 (Berlin, Germany, AS60729 …)". */
export function loginName(login: LoginState, withPlace = false): string {
  const who = login.user?.name ?? (login.user?.id === undefined ? undefined : `uid ${login.user.id}`);
  const from = login.source
    ? `${code(login.source.ip)}${withPlace ? ` (${whereabouts(login.source)})` : ""}`
    : login.type === "sshd"
      ? "an address that was not seen"
      : prose(login.type);
  return `${who === undefined ? "somebody" : code(who, 40)} from ${from}`;
}

/** "the entry `/etc/cron.d/x`, written by root from 185.220.101.1": what of cron or at started a process; undefined where nothing did. */
export function entryWords(state: State, process: string): string | undefined {
  const entry = originOf(state, process)?.entry;
  return entry && jobWords(state, entry);
}

/** As {@link entryWords}, of an entry. */
export function jobWords(state: State, entry: JobEntry): string {
  const by = entry.written_by;
  const login = by?.entry_leader && state.logins.get(by.entry_leader.entity_id);
  const writer = login ? `written by ${loginName(login)}` : by ? "written under no login" : "which nobody was seen to write";
  return `the entry ${code(entry.path, 100)}, ${writer}`;
}

/** What was executed: the arguments, or the path where they were not seen; undefined when neither is known. */
export function commandLine(process: Pick<ProcessState, "args" | "executable" | "name">): string | undefined {
  if (process.args?.length) return process.args.map((arg) => (/^$|\s/.test(arg) ? `'${arg}'` : arg)).join(" ");
  return process.executable ?? process.name;
}

export const STANDINGS = {
  intruder: "intruder",
  suspect: "suspect",
  unknown: "nobody vouched for it",
  responder: "responder",
  "known-good": "known good",
} as const;

/** What a response is done to, behind its verb: " the host", " everything to and from 203.0.113.66". */
export const onWords = ({ kind, target }: { kind?: string; target?: string }): string =>
  target === undefined
    ? kind === "isolate" || kind === "release"
      ? " the host"
      : kind === "rehearse"
        ? " the isolation"
        : ""
    : ` ${prose(target)}`;
