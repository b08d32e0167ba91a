import { hasOwnTag } from "./lineage.ts";
import { newBinaryOf } from "./program.ts";
import type { Ended, ProcessState, State } from "./state.ts";

/** Names that are counted apart at one process; what comes after is "others". */
const COUNTED_NAMES = 64;

/**
 * Of what has ended and stays (under a login; elsewhere because it is judged or ran a new binary) the first and the latest are whole; a
 * login, or a service, that runs a million programs must not fill our memory.
 */
const KEPT_FIRST = 1000;
const KEPT_LATEST = 1000;
/** Of those who ran a new binary, the first ones stay: they say whose it is. */
const HELD_RUNNERS = 4;

/** A process has ended: it folds away, or the oldest of the latest may for it, unless an analyst has pointed at that. */
export function endedProcess(state: State, process: ProcessState): void {
  fold(state, process);
  const login = process.login === undefined ? undefined : state.logins.get(process.login);
  if (login) stays(state, login.ended, process);
  else if (state.processes.has(process.id)) stays(state, state.endedElsewhere, process);
}

function stays(state: State, ended: Ended, process: ProcessState): void {
  ended.count += 1;
  if (ended.count <= KEPT_FIRST) return;
  ended.latest.push(process.id);
  if (ended.latest.length < 2 * KEPT_LATEST) return;
  // many at once: to take one from the front of so long a list costs as much
  for (const id of ended.latest.splice(0, KEPT_LATEST)) {
    const old = state.processes.get(id);
    if (!old || hasOwnTag(state, id)) continue;
    old.overdue = true;
    fold(state, old);
  }
}

/**
 * Takes an exited leaf that belongs to no login and that nobody judged out of the tree and counts it at its parent, or at the heading
 * that it stood under: a million of them would be 370 MB. The log keeps them whole. Its parent may become such a leaf by that. Of a
 * login, of what is judged and of what ran a new binary only what is overdue goes.
 */
function fold(state: State, leaf: ProcessState): void {
  let process: ProcessState | undefined = leaf;
  while (process && process.children.size === 0 && foldable(state, process)) {
    const parent = parentOf(state, process);
    takeOut(state, process, parent);
    process = parent;
  }
  if (process) shorten(state, process);
}

/** All of these, parents before children, need not stay whole any more. */
export function foldTree(state: State, tree: readonly ProcessState[]): void {
  for (const process of tree.toReversed()) {
    process.overdue = true;
    fold(state, process);
  }
}

const parentOf = (state: State, { parent }: ProcessState) => (parent === undefined ? undefined : state.processes.get(parent));

function takeOut(state: State, process: ProcessState, parent: ProcessState | undefined): void {
  state.processes.delete(process.id);
  if (!parent) state.orphans.delete(process.id);
  if (parent) parent.folded ??= Object.create(null) as Record<string, number>;
  const folded = parent?.folded ?? state.folded[process.origin === "unknown" ? "unseen" : "services"];
  parent?.children.delete(process.id);
  count(folded, process.name ?? "?", 1);
  if (process.folded) for (const [name, times] of Object.entries(process.folded)) count(folded, name, times);
  state.counts.folded += 1;
}

/** Ended processes in a row of which each has left one other behind. Nobody reads a longer one. */
const LONGEST_ROW = 64;
const inRow = (process: ProcessState | undefined): process is ProcessState => process?.end !== undefined && process.children.size === 1;

/**
 * Who forks himself and ends, again and again, is never a leaf before his last end, and every event of his goes up all that he was: what is
 * too much of such a row is taken out of its middle, where that changes no judgement, and what was below hangs at the one above.
 */
function shorten(state: State, process: ProcessState): void {
  if (!inRow(process)) return;
  let row = 0;
  for (let above = parentOf(state, process); row < LONGEST_ROW && inRow(above); above = parentOf(state, above)) row += 1;
  for (let one: ProcessState | undefined = process; inRow(one); ) {
    const [id = ""] = one.children;
    const below = state.processes.get(id);
    const above = parentOf(state, one);
    if (row >= LONGEST_ROW) {
      if (!below || !above || !sameAs(state, one, above) || !foldable(state, one)) return;
      takeOut(state, one, above);
      below.parent = above.id;
      above.children.add(below.id);
      state.structure += 1;
    } else row += 1;
    one = below;
  }
}

/** What hangs below it is judged as it would be below the one above. */
const sameAs = (state: State, one: ProcessState, above: ProcessState): boolean =>
  one.standing === above.standing &&
  one.tag === above.tag &&
  one.finding === above.finding &&
  one.login === above.login &&
  one.planter === undefined &&
  !state.exposed.has(one.id);

const foldable = (state: State, process: ProcessState): boolean =>
  process.overdue === true
    ? mayGo(state, process)
    : process.end !== undefined &&
      !process.noted &&
      process.login === undefined &&
      process.standing === "unknown" &&
      newBinaryOf(state, process) === undefined;

/** It has ended, nothing in the picture names it and nobody has pointed at it. */
export const mayGo = (state: State, process: ProcessState): boolean =>
  process.end !== undefined && !process.noted && !holds(state, process) && !hasOwnTag(state, process.id);

/** It is one of those who say whose a new binary is. */
function holds(state: State, process: ProcessState): boolean {
  const at = newBinaryOf(state, process)?.runners.indexOf(process.id) ?? -1;
  return at >= 0 && at < HELD_RUNNERS;
}

function count(folded: Record<string, number>, name: string, times: number): void {
  const key = name in folded || Object.keys(folded).length < COUNTED_NAMES ? name : "others";
  folded[key] = (folded[key] ?? 0) + times;
}

/** The picture names the process once more. */
export function note(process: ProcessState): void {
  process.noted = (process.noted ?? 0) + 1;
}

/** The picture no longer names the process where it did: it may fold now. */
export function unnote(state: State, id: string | undefined): void {
  const process = id === undefined ? undefined : state.processes.get(id);
  if (!process?.noted) return;
  process.noted -= 1;
  fold(state, process);
}
