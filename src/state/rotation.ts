import type { HostString } from "#model/host-string";
import type { ProcessState, ReachedState, SecretState, Standing, State } from "./state.ts";

/** A login (or a process of none) that nobody vouched for, and the users that it had. */
export interface Suspected {
  /** entity_id. */
  who: string;
  standing: Standing;
  uids: readonly number[];
}
export interface SecretToRotate {
  secret: SecretState;
  /** Who opened it, the worst first, then the latest. */
  read: (Suspected & { last: number; times: number; uid?: number })[];
  /** Who did not open it while we looked, and could have as one of the users that they had. */
  could: Suspected[];
}
export interface HostToWarn {
  /** Address and port that was called, or a name that a file gives. */
  name: HostString;
  called?: { host: ReachedState; by: Suspected[] };
  /** Files that name it and that they opened or could open. */
  named: HostString[];
}

/** Log files tell of us and hold no secret of themselves. */
const ROTATED: ReadonlySet<string> = new Set(["password", "key", "hostkey", "cloud", "token", "history"]);
/** Names that are shown; the files have them all. */
const MOST_HOSTS = 1000;

const WORST: readonly Standing[] = ["intruder", "suspect", "unknown"];
const worst = (a: { standing: Standing }, b: { standing: Standing }) => WORST.indexOf(a.standing) - WORST.indexOf(b.standing);

/**
 * Logins that somebody called intruder or suspect, and those that nobody judged, the worst first: a list of them is cut where there are many.
 * Services are not among them unless they were judged. What a login's job does counts as that login's: whoever writes an entry for root is root.
 */
export function suspects(state: State): Suspected[] {
  const found: (Suspected & { uids: number[] })[] = [];
  const byLogin = new Map<string, (typeof found)[number]>();
  for (const { id, standing, user } of state.logins.values())
    if (standing === "intruder" || standing === "suspect" || standing === "unknown") {
      const one = { who: id, standing, uids: [...(state.touched.uids.get(id) ?? (user?.id === undefined ? [] : [Number(user.id)]))] };
      found.push(one);
      byLogin.set(id, one);
    }
  for (const process of state.processes.values()) {
    const { id, standing, login, uid, parent, planter } = process;
    if (login !== undefined || (standing !== "intruder" && standing !== "suspect")) continue;
    const behind = planter === undefined ? undefined : byLogin.get(planter);
    if (behind) {
      for (const one of usersOfRun(state, process)) if (!behind.uids.includes(one)) behind.uids.push(one);
      continue;
    }
    const above = parent === undefined ? undefined : state.processes.get(parent)?.standing;
    if (above !== "intruder" && above !== "suspect") found.push({ who: id, standing, uids: uid === undefined ? [] : [uid] });
  }
  return found.sort(worst);
}

/** Processes of one run of a job that are asked for whom it ran as: cron itself is root, the job is its entry's user. */
const MOST_OF_RUN = 64;

/** The users that what a job's first process started ran as; those of the first itself, which is cron's, where nothing below it is known. */
function usersOfRun(state: State, root: ProcessState): number[] {
  const todo = [...root.children];
  const users = new Set<number>();
  for (let looked = 0, id = todo.pop(); id !== undefined && looked < MOST_OF_RUN; id = todo.pop(), looked++) {
    const process = state.processes.get(id);
    if (process?.uid !== undefined) users.add(process.uid);
    if (process) todo.push(...process.children);
  }
  return users.size > 0 ? [...users] : root.uid === undefined ? [] : [root.uid];
}

/** Whether a file's mode lets a user read it, by owner or by everybody; what its group may is not known here. */
export function couldRead(secret: Pick<SecretState, "uid" | "mode">, uid: number): boolean {
  if (uid === 0) return true;
  const mode = Number.parseInt(secret.mode ?? "", 8);
  if (Number.isNaN(mode)) return false;
  return secret.uid === uid ? (mode & 0o400) !== 0 : (mode & 0o004) !== 0;
}

/** What to rotate: what was read first, then what could have been. */
export function secretsToRotate(state: State, people = suspects(state)): SecretToRotate[] {
  const known = new Map(people.map((one) => [one.who, one]));
  const found: SecretToRotate[] = [];
  for (const secret of state.touched.secrets.values()) {
    if (!ROTATED.has(secret.kind ?? "")) continue;
    const read = [...secret.by.values()].flatMap(({ who, process, last, times, uid }) => {
      if (secret.kind === "password" && isJobsOwnLook(state, who)) return [];
      const one = known.get(who) ?? ofProcess(state, process);
      return one ? [{ ...one, last, times, ...(uid === undefined ? {} : { uid }) }] : [];
    });
    const readers = new Set(read.map(({ who }) => who));
    const could = people.filter(({ who, uids }) => !readers.has(who) && uids.some((uid) => couldRead(secret, uid)));
    if (read.length + could.length > 0) found.push({ secret, read: read.sort((a, b) => worst(a, b) || b.last - a.last), could });
  }
  return found.sort((a, b) => rank(a) - rank(b) || compare(a.secret.path, b.secret.path));
}

/** cron and at look an account up (PAM) before they run its job: that is no reading of the job's, whoever planted it. */
const JOB_RUNNERS = /^\/usr\/sbin\/(?:cron|crond|atd)$/;
function isJobsOwnLook(state: State, who: string): boolean {
  const process = state.processes.get(who);
  return process !== undefined && process.login === undefined && JOB_RUNNERS.test(process.executable ?? "");
}

/** A process of no login that was judged bad. */
function ofProcess(state: State, id: string): Suspected | undefined {
  const process = state.processes.get(id);
  if (!process || process.login !== undefined || (process.standing !== "intruder" && process.standing !== "suspect")) return undefined;
  return { who: id, standing: process.standing, uids: process.uid === undefined ? [] : [process.uid] };
}

/** A shell opens its own history: that alone is no theft. */
const rank = ({ read, secret }: SecretToRotate) => (read.length === 0 ? 2 : 0) + (secret.kind === "history" ? 1 : 0);
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Machines that they called, and those that files name which they read or could read: where their keys may open a door. */
export function hostsToWarn(state: State, people = suspects(state)): HostToWarn[] {
  const known = new Map(people.map((one) => [one.who, one]));
  const called: HostToWarn[] = [];
  for (const host of state.touched.hosts.values()) {
    const by = [...host.by.values()].flatMap(({ who, process }) => known.get(who) ?? ofProcess(state, process) ?? []);
    if (by.length > 0) called.push({ name: `${host.ip}:${host.port}` as HostString, called: { host, by: by.sort(worst) }, named: [] });
  }
  const named = new Map<string, HostToWarn>();
  for (const secret of state.touched.secrets.values()) {
    if (secret.kind !== "hosts") continue;
    const reached = people.some(({ who, uids }) => secret.by.has(who) || uids.some((uid) => couldRead(secret, uid)));
    if (!reached) continue;
    for (const name of secret.hosts ?? []) {
      const one = named.get(name) ?? { name, named: [] };
      if (named.size < MOST_HOSTS) named.set(name, one);
      if (one.named.length < 8) one.named.push(secret.path);
    }
  }
  return [...called, ...[...named.values()].sort((a, b) => compare(a.name, b.name))];
}
