import { isHidden } from "#state/lineage";
import type { LoginState, ProcessState, State } from "#state/state";
import { flaggedLogins } from "./flagged.ts";
import type { ProcessRow, ProcessRows } from "./process-row.ts";
import { rankOf } from "./standing.ts";

/** A heading of the tree with the processes that hang directly under it. */
interface Group {
  key: string;
  login?: LoginState;
  title?: string;
  rank: number;
  active: number;
  roots: ProcessRow[];
  processes: number;
  /** Exited leaves that stood directly under it and were folded away, by name. */
  folded?: Readonly<Record<string, number>>;
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

/** All processes to be shown, each row under that of its nearest shown ancestor of the same group; the groups worst first. */
export function plant(state: State, showHidden: boolean, rows: ProcessRows): Group[] {
  const shown = (standing: ProcessState["standing"]) => showHidden || !isHidden(standing);
  const logins = new Map<string, Group>();
  const flagged = flaggedLogins(state);
  for (const login of state.logins.values()) {
    if (!shown(login.standing)) continue;
    logins.set(login.id, { key: `l:${login.id}`, login, rank: rankOf(login, flagged), active: login.active, roots: [], processes: 0 });
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
  rows.begin();
  for (const process of state.processes.values()) if (shown(process.standing)) rows.put(process, groupOf(process).key);
  for (const row of rows.shown()) {
    const { process } = row;
    const group = groupOf(process);
    group.processes++;
    const own = group.login?.id;
    if (process.id === own) continue; // a login's own sshd is the login's row
    const parent = process.parent === undefined ? undefined : (rows.find(process.parent) ?? ancestor(state, process.parent, rows));
    if (!parent || parent.process.id === own || parent.group !== row.group) group.roots.push(row);
    else parent.add(row);
  }
  const groups = [...logins.values(), ...[unseen, services, kernel].filter((group) => group.processes > 0 || hasFolded(group))];
  return groups.sort(byImportance);
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

/** The nearest that is shown, of a parent that is not. */
function ancestor(state: State, parent: string, rows: ProcessRows): ProcessRow | undefined {
  let above = state.processes.get(parent);
  for (let climbed = 0; above?.parent !== undefined && climbed < LONGEST_CLIMB; climbed++) {
    const row = rows.find(above.parent);
    if (row) return row;
    above = state.processes.get(above.parent);
  }
  return undefined;
}
