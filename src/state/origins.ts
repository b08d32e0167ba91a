import type { StakeoutEvent } from "#model/event";
import { settleOne } from "./settle.ts";
import type { OriginState, ProcessState, State } from "./state.ts";
import type { Millis } from "./time.ts";

/** Origins that are kept; the oldest that has ended makes room. */
const MOST_ORIGINS = 1000;
/** Of the oldest, for one that has ended: who makes thousands that all live must not make us look through them each time. */
const MOST_LOOKED_AT = 8;
/** Begun by somebody else for a login: such a process does not descend from it. */
const BY_OTHERS: ReadonlySet<OriginState["type"]> = new Set(["cron", "at", "systemd-run", "container"]);
/** Runs of one origin whose processes are remembered. */
const MOST_ROOTS = 64;

/** Origins by the processes of their runs that have not ended. Derived: it is made anew from a state that came from elsewhere. */
const running = new WeakMap<State, Map<string, OriginState>>();
function rootsOf(state: State): Map<string, OriginState> {
  let known = running.get(state);
  if (!known) {
    known = new Map();
    for (const origin of state.origins.values())
      for (const root of origin.roots) if (state.processes.get(root)?.end === undefined) known.set(root, origin);
    running.set(state, known);
  }
  return known;
}

/** Something began below a login or beside it; `origin.attributed` says later what was not known at its start. */
export function originStart(state: State, event: StakeoutEvent, at: Millis): void {
  const { origin: told } = event.stakeout;
  const root = event.process?.entity_id;
  if (!told || root === undefined) return;
  const meta = event.process?.entry_leader?.entry_meta;
  const entry = meta?.entry;
  const id = entry ? `${told.type} ${entry.path} ${entry.line ?? ""}` : root;
  const live = rootsOf(state);
  const before = live.get(root);
  if (before && before.id !== id) forget(state, before, root); // it was told before its entry was known
  const known = state.origins.get(id);
  const origin: OriginState = known ?? { id, type: told.type, ttys: [], start: at, last: at, runs: 0, roots: [], live: 0 };
  if (told.login !== undefined) origin.login = told.login;
  if (event.user) origin.user = event.user;
  if (entry) origin.entry = entry;
  if (meta?.asked_by) origin.askedBy = meta.asked_by;
  const tty = event.process?.tty?.char_device;
  const name = tty && `${tty.major}:${tty.minor}`;
  if (name !== undefined && !origin.ttys.includes(name) && origin.ttys.length < 32) origin.ttys.push(name);
  if (at > origin.last) origin.last = at;
  if (live.get(root) !== origin) {
    origin.runs += 1;
    origin.live += 1;
    origin.roots.push(root);
    if (origin.roots.length > MOST_ROOTS) {
      const oldest = origin.roots.shift() as string;
      if (live.delete(oldest)) origin.live -= 1; // no longer followed
    }
    if (state.processes.get(root)?.end === undefined) live.set(root, origin);
    else origin.live -= 1;
  }
  const process = state.processes.get(root);
  if (process && origin.login !== undefined && BY_OTHERS.has(told.type) && process.login === undefined) {
    process.planter = origin.login;
    settleOne(state, process);
  }
  if (!known) makeRoom(state);
  state.origins.set(id, origin);
  state.structure += 1;
}

function forget(state: State, origin: OriginState, root: string): void {
  origin.roots = origin.roots.filter((one) => one !== root);
  origin.live -= 1;
  origin.runs -= 1;
  if (origin.runs <= 0) state.origins.delete(origin.id);
  rootsOf(state).delete(root);
}

/** A process ended: if it was an origin's first, that run is over. O(1). */
export function originEnded(state: State, process: string, at: Millis): void {
  if (state.origins.size === 0) return;
  const live = rootsOf(state);
  const origin = live.get(process);
  if (!origin) return;
  live.delete(process);
  origin.live = Math.max(0, origin.live - 1);
  if (at > origin.last) origin.last = at;
}

/** Processes below one origin that are looked at for those that run. */
const MOST_BELOW = 256;

/** What runs now of all that an origin began, of its latest run first: a job is over in a moment, and what it left behind goes on. */
export function runningOf(state: State, { roots }: OriginState): ProcessState[] {
  const found: ProcessState[] = [];
  const todo = [...roots];
  for (let looked = 0, id = todo.pop(); id !== undefined && looked < MOST_BELOW; id = todo.pop(), looked++) {
    const process = state.processes.get(id);
    if (!process) continue;
    if (process.end === undefined) found.push(process);
    todo.push(...process.children);
  }
  return found;
}

/** The first process of the run that stands for an origin: one that goes on or left something that does, else the latest that is kept. */
export function rootOf(state: State, origin: OriginState): ProcessState | undefined {
  const known = origin.roots.flatMap((id) => state.processes.get(id) ?? []).reverse();
  let looked = 0;
  for (const root of known) {
    const todo = [root];
    for (let one = todo.pop(); one !== undefined && looked < MOST_BELOW; one = todo.pop(), looked++) {
      if (one.end === undefined) return root;
      for (const id of one.children) todo.push(...[state.processes.get(id) ?? []].flat());
    }
  }
  return known[0];
}

function makeRoom(state: State): void {
  if (state.origins.size < MOST_ORIGINS) return;
  let looked = 0;
  for (const [id, { live }] of state.origins) {
    if (live === 0) {
      state.origins.delete(id);
      return;
    }
    if (++looked >= MOST_LOOKED_AT) break;
  }
  const [first] = state.origins.keys();
  if (first !== undefined) state.origins.delete(first);
}

/** What the host tells of a login beside its socket. */
export function loginInfo(state: State, event: StakeoutEvent): void {
  const login = event.process ? state.logins.get(event.process.entity_id) : undefined;
  if (login && event.stakeout.login) login.info = event.stakeout.login;
}

/** Ancestors that are looked at for what began a process. */
const CLIMB = 64;

/** Origins by all first processes that are remembered. Derived, and made anew when the picture's structure changes: a plan asks for each connection. */
const allRoots = new WeakMap<State, { key: string; byRoot: ReadonlyMap<string, OriginState> }>();
function byRootOf(state: State): ReadonlyMap<string, OriginState> {
  const key = `${state.sequence} ${state.structure} ${state.origins.size}`;
  const known = allRoots.get(state);
  if (known?.key === key) return known.byRoot;
  const byRoot = new Map([...state.origins.values()].flatMap((origin) => origin.roots.map((root) => [root, origin] as const)));
  allRoots.set(state, { key, byRoot });
  return byRoot;
}

/** The innermost origin that a process belongs to: what its nearest ancestor began. O(depth), once for each structure of the picture O(origins). */
export function originOf(state: State, process: string): OriginState | undefined {
  if (state.origins.size === 0) return undefined;
  const byRoot = byRootOf(state);
  let at: string | undefined = process;
  for (let i = 0; at !== undefined && i < CLIMB; i++) {
    const origin = byRoot.get(at);
    if (origin) return origin;
    at = state.processes.get(at)?.parent;
  }
  return undefined;
}
