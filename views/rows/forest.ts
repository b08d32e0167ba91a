import type { LoginState, ProcessState, State } from "#state/state";
import { isHidden, RANK } from "./standing.ts";

/** A heading of the tree with the processes that hang directly under it. */
interface Group {
  key: string;
  login?: LoginState;
  title?: string;
  rank: number;
  active: number;
  roots: ProcessState[];
  processes: number;
  /** Exited leaves that stood directly under it and were folded away, by name. */
  folded?: Readonly<Record<string, number>>;
}

/** All processes to be shown, each under its nearest shown ancestor of the same group. */
export interface Forest {
  groups: readonly Group[];
  children: ReadonlyMap<string, readonly ProcessState[]>;
}

const LOGIN_ORDER: Record<LoginState["type"], number> = {
  sshd: 0,
  console: 0,
  unknown: 1,
  container: 2,
  "systemd-run": 2,
  at: 3,
  cron: 3,
  init: 4,
};
/** Hidden ancestors that are skipped to find a shown one; a longer chain, or a circle, makes a root. */
const LONGEST_CLIMB = 64;

export function plant(state: State, showHidden: boolean): Forest {
  const shown = (standing: ProcessState["standing"]) => showHidden || !isHidden(standing);
  const logins = new Map<string, Group>();
  for (const login of state.logins.values()) {
    if (!shown(login.standing)) continue;
    logins.set(login.id, { key: `l:${login.id}`, login, rank: RANK[login.standing], active: login.active, roots: [], processes: 0 });
  }
  // Nobody saw what these came from: an intruder's may be among them, so they are not shown as if they were services.
  const unseen: Group = {
    key: "g:unseen",
    title: "origin not seen",
    rank: 2.5,
    active: 2,
    roots: [],
    processes: 0,
    folded: state.folded.unseen,
  };
  const services: Group = {
    key: "g:services",
    title: "services",
    rank: 3,
    active: 1,
    roots: [],
    processes: 0,
    folded: state.folded.services,
  };
  const kernel: Group = { key: "g:kernel", title: "kernel threads", rank: 3, active: 0, roots: [], processes: 0 };
  const kthreadd = kernelThreadDaemon(state);
  const groupOf = (process: ProcessState): Group => {
    const login = process.login === undefined ? undefined : logins.get(process.login);
    if (login) return login;
    if (kthreadd !== undefined && (process.id === kthreadd || process.parent === kthreadd)) return kernel;
    return process.origin === "unknown" ? unseen : services;
  };
  const children = new Map<string, ProcessState[]>();
  for (const process of state.processes.values()) {
    if (!shown(process.standing)) continue;
    const group = groupOf(process);
    group.processes++;
    if (process.id === group.login?.id) continue; // a login's own sshd is the login's row
    const parent = ancestor(state, process, shown);
    if (!parent || parent.id === group.login?.id || groupOf(parent) !== group) group.roots.push(process);
    else {
      const siblings = children.get(parent.id);
      if (siblings) siblings.push(process);
      else children.set(parent.id, [process]);
    }
  }
  const groups = [...logins.values(), ...[unseen, services, kernel].filter((group) => group.processes > 0 || hasFolded(group))];
  return { groups: groups.sort(byImportance), children };
}

/** What ended there is told even when nothing of it is left in the picture. */
export const hasFolded = ({ folded }: Group): boolean => folded !== undefined && Object.keys(folded).length > 0;

function byImportance(a: Group, b: Group): number {
  return (
    a.rank - b.rank ||
    Number(a.login?.end !== undefined) - Number(b.login?.end !== undefined) ||
    (a.login && b.login ? LOGIN_ORDER[a.login.type] - LOGIN_ORDER[b.login.type] : 0) ||
    b.active - a.active
  );
}

/** The parent of all kernel threads; a namespaced host has an ordinary process as pid 2, or none. */
function kernelThreadDaemon(state: State): string | undefined {
  const id = state.pids.get(2);
  const process = id === undefined ? undefined : state.processes.get(id);
  return process?.name === "kthreadd" && process.executable === undefined ? id : undefined;
}

function ancestor(state: State, process: ProcessState, shown: (standing: ProcessState["standing"]) => boolean): ProcessState | undefined {
  let parent = process.parent === undefined ? undefined : state.processes.get(process.parent);
  for (let climbed = 0; parent && !shown(parent.standing) && climbed < LONGEST_CLIMB; climbed++)
    parent = parent.parent === undefined ? undefined : state.processes.get(parent.parent);
  return parent && shown(parent.standing) ? parent : undefined;
}
