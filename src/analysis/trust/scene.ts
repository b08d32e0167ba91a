import type { Finding, StakeoutEvent } from "#model/event";
import type { HostString } from "#model/host-string";
import { isHidden } from "#state/lineage";
import type { LoginState, ProcessState, State } from "#state/state";

/** An event, after the state has taken it in, and who did it. */
export interface Scene {
  state: State;
  event: StakeoutEvent;
  actor: ProcessState | undefined;
}

/** What a rule says, before it has a number. `about` tells one occasion from another: it is raised once for each. */
export interface Suspicion extends Omit<Finding, "id" | "title"> {
  title: string;
  about: string;
}

export const sceneOf = (state: State, event: StakeoutEvent): Scene => ({ state, event, actor: processOf(state, event.process?.entity_id) });

export const processOf = (state: State, id: string | undefined): ProcessState | undefined =>
  id === undefined ? undefined : state.processes.get(id);

/** A tag has put it out of sight, now or until a finding brought it back. */
export const isTrusted = (thing: { standing: ProcessState["standing"]; finding?: string | undefined } | undefined): boolean =>
  thing !== undefined && (isHidden(thing.standing) || thing.finding !== undefined);

/** Who did it is known, and no tag vouches for him now. */
export const isStranger = (process: ProcessState | undefined): process is ProcessState =>
  process !== undefined && !isHidden(process.standing);

/** A login (or, of what belongs to none, the process itself): by this one actor is told from another. */
export const whoOf = (process: ProcessState): string => process.login ?? process.id;

/** Base name of what it runs. */
export function programOf({ executable, name }: ProcessState): string {
  const path = executable ?? name ?? "";
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The device of `/dev/pts/N` as processes carry it: majors 136 to 143 hold 256 each (Documentation/admin-guide/devices.txt). */
export function deviceOf(path: HostString): string | undefined {
  const [, n] = /^\/dev\/pts\/(\d{1,6})$/.exec(path) ?? [];
  return n === undefined ? undefined : `136:${Number(n)}`;
}

/** The first live process on a terminal that is so: the shell or program that all others there come from. */
export function onTerminal(state: State, device: string, is: (process: ProcessState) => boolean): ProcessState | undefined {
  let first: ProcessState | undefined;
  for (const id of state.pids.values()) {
    const process = state.processes.get(id);
    if (process?.tty !== device || !is(process)) continue;
    if (!first || process.start < first.start) first = process;
  }
  return first;
}

/** Logins that a tag vouches for and that are still in. */
export const trustedLogins = (state: State): LoginState[] =>
  [...state.logins.values()].filter((login) => login.end === undefined && isTrusted(login));
