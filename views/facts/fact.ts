import { knownWords } from "#state/known";
import { namesWords } from "#state/names";
import { originOf } from "#state/origins";
import { isChanged, ownerWords } from "#state/owners";
import type { ProcessState, State } from "#state/state";
import { standingStyle } from "../panes/tree-row.ts";
import { originText } from "../rows/origin.ts";
import { processName } from "../rows/standing.ts";
import type { Style } from "../theme.ts";
import { loginCalled, network, place } from "../words.ts";

/** One thing that is known, or that is known not to have been seen. The most important of a thing come first. */
export interface Fact {
  label: string;
  text: string;
  style?: Style;
}

/** What was not seen of a thing, each with the reason; nothing where all was. */
export const unseenFact = (unseen: Record<string, string> | undefined): Fact[] =>
  unseen && Object.keys(unseen).length > 0
    ? [
        {
          label: "unseen",
          text: Object.entries(unseen)
            .map(([field, why]) => `${field} (${why})`)
            .join(", "),
          style: "warn",
        },
      ]
    : [];

/** Whose login a thing is; of what has none, to whom the job goes back that started its `process`. */
export function loginFact(state: State, id: string | undefined, process?: string): Fact[] {
  const login = id === undefined ? undefined : state.logins.get(id);
  if (login) {
    const where = login.source ? ` ${place(login.source)} ${network(login.source)}` : "";
    return [{ label: "login", text: `${loginCalled(login)}${where}`, style: standingStyle(login.standing) }];
  }
  if (id !== undefined) return [{ label: "login", text: "not seen" }];
  const behind = process === undefined ? undefined : originOf(state, process)?.login;
  const planter = behind === undefined ? undefined : state.logins.get(behind);
  if (!planter) return [{ label: "login", text: "none: a service" }];
  return [{ label: "login", text: `none of its own: it goes back to ${loginCalled(planter)}`, style: standingStyle(planter.standing) }];
}

/** What began a process: the entry of a job with who wrote it, sudo, a terminal's server. */
export function originFact(state: State, process: string | undefined): Fact[] {
  const origin = process === undefined ? undefined : originOf(state, process);
  return origin ? [{ label: "origin", text: originText(state, origin), style: "warn" }] : [];
}

/** "0, root": the number decides, the name is what the host calls it. */
export function uidText({ users }: State, uid: number): string {
  const name = users.get(uid);
  return name === undefined ? `${uid}` : `${uid}, ${name}`;
}

/** Which package a file belongs to; `otherwise`: what there is to say where no file is known. */
export function ownerFact(state: State, path: string | undefined, otherwise = ""): Fact[] {
  if (path === undefined) return otherwise === "" ? [] : [{ label: "package", text: `not known: ${otherwise}` }];
  const owner = state.owners.get(path);
  return [{ label: "package", text: ownerWords(owner), ...(owner && isChanged(owner) ? { style: "bad" as const } : {}) }];
}

/** What a list of the analyst's says of a file's content; nothing where none says anything. */
export function knownFact(state: State, path: string | undefined): Fact[] {
  const known = path === undefined ? undefined : (state.binaries.get(path)?.known ?? state.owners.get(path)?.known);
  return known ? [{ label: "listed", text: knownWords(known), ...(known.verdict === "bad" ? { style: "bad" as const } : {}) }] : [];
}

/** The name of an address, where somebody asked for it. */
export const namesFact = ({ names }: State, ip: string): Fact => ({
  label: "name",
  text: namesWords(names.get(ip)),
  ...(names.has(ip) ? {} : { style: "faint" as const }),
});

/** Whose word a place is, and of when: addresses move. */
export const placesByFact = ({ placesBy }: State): Fact[] =>
  placesBy === undefined ? [] : [{ label: "place by", text: placesBy, style: "faint" }];

/** 'bash 56', or that it is no longer known. */
export const processText = (process: ProcessState | undefined): string =>
  process ? `${processName(process)} ${process.pid}` : "a process no longer known";

/** So many of a list, and how many more there are. */
export function some(texts: readonly string[], most = 12): string {
  const rest = texts.length - most;
  return texts.slice(0, most).join(", ") + (rest > 0 ? `, and ${rest} more` : "");
}

/** As {@link some}, with equal ones told once and counted. */
export function counted(texts: readonly string[], most = 12): string {
  const times = new Map<string, number>();
  for (const text of texts) times.set(text, (times.get(text) ?? 0) + 1);
  return some(
    [...times].sort((a, b) => b[1] - a[1]).map(([text, n]) => (n > 1 ? `${text} ×${n}` : text)),
    most,
  );
}
