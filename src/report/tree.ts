import { containerWords } from "#state/cgroup";
import type { ProcessState, State } from "#state/state";
import type { Cast } from "./cast.ts";
import type { Clock } from "./clock.ts";
import { code } from "./escape.ts";
import { commandLine, entryWords, loginName, STANDINGS } from "./names.ts";
import { whereabouts } from "./places.ts";
import { count, WHY_UNSEEN } from "./words.ts";

const MOST_ROWS = 300;
/** Deeper ones hang at this depth, so that the list can still be read. */
const DEEPEST = 10;

/** The processes of the logins that nobody vouched for, and what came back without a login: nested lists. */
export function treeSection(state: State, cast: Cast, clock: Clock): string[] {
  const lines: string[] = [];
  const room = { rows: MOST_ROWS, leftOut: 0 };
  for (const login of [...cast.accused, ...cast.unvouched]) {
    const source = login.source ? ` (${whereabouts(login.source)})` : "";
    const until = login.end === undefined ? "still open when the recording ended" : `until ${clock(login.end)}`;
    lines.push(`### The login of ${loginName(login)}${source}`, "");
    lines.push(
      `Judged: ${STANDINGS[login.standing]}. From ${clock(login.start)} ${until}. ${count(login.processes, "process", "processes")} seen.`,
      "",
    );
    const root = state.processes.get(login.id);
    const rows = root ? rowsBelow(state, root, clock, room) : [];
    lines.push(...(rows.length ? rows : ["- nothing but the login itself was seen"]), "");
  }
  const roots = [...cast.strayRoots, ...taggedRoots(state)];
  if (roots.length) {
    lines.push("### Outside these logins", "");
    lines.push("Tagged by itself, or running a file that the processes above wrote.", "");
    const byEntry = new Map<string, ProcessState[]>();
    for (const root of roots.toSorted((a, b) => a.start - b.start)) {
      const entry = entryWords(state, root.id) ?? "";
      byEntry.set(entry, [...(byEntry.get(entry) ?? []), root]);
    }
    for (const [entry, runs] of [...byEntry].toSorted(([a], [b]) => Number(a !== "") - Number(b !== ""))) {
      if (entry === "") lines.push(...runs.flatMap((root) => rowsOf(state, [root], clock, room, 0)), "");
      else lines.push(`Started by ${entry}:`, "", ...runsOf(state, runs, clock, room), "");
    }
  }
  if (room.leftOut) lines.push(`Left out here: ${count(room.leftOut, "further process", "further processes")}; the log has them all.`, "");
  if (lines.length === 0)
    lines.push("No process was seen under a login that nobody vouched for, and none is tagged intruder or suspect.", "");
  return lines;
}

/** The runs of one job: each that did what none before it did, and how many were like it. */
function runsOf(state: State, runs: readonly ProcessState[], clock: Clock, room: { rows: number; leftOut: number }): string[] {
  const shapes = new Map<string, ProcessState[]>();
  for (const run of runs) {
    const shape = shapeOf(state, run, clock);
    shapes.set(shape, [...(shapes.get(shape) ?? []), run]);
  }
  return [...shapes.values()].flatMap((alike) => {
    const more = alike.length - 1;
    const last = alike.at(-1)?.start ?? 0;
    const rows = rowsOf(state, alike.slice(0, 1), clock, room, 0);
    return more > 0 ? [...rows, `  - and ${count(more, "time")} more in the same way, last ${clock(last)}`] : rows;
  });
}

/** What a process and all below it did, without when. */
function shapeOf(state: State, process: ProcessState, clock: Clock, depth = 0): string {
  const below = depth < DEEPEST ? childrenOf(state, process).map((child) => shapeOf(state, child, clock, depth + 1)) : [];
  return `${describe(state, process, clock)}(${below.join()})`;
}

/** Tagged intruder or suspect, under no login, and nothing above is: the roots of such subtrees. */
function taggedRoots(state: State): ProcessState[] {
  const bad = (process: ProcessState | undefined) => process?.standing === "intruder" || process?.standing === "suspect";
  return [...state.processes.values()].filter(
    (process) =>
      bad(process) && process.login === undefined && !bad(process.parent === undefined ? undefined : state.processes.get(process.parent)),
  );
}

/** Below sshd itself, whose own steps say nothing: the first thing that is not a fork of it. */
function rowsBelow(state: State, root: ProcessState, clock: Clock, room: { rows: number; leftOut: number }): string[] {
  return rowsOf(state, childrenOf(state, root, root.executable), clock, room, 0);
}

/** Children, those of forks that ran no program of their own in the place of these. */
function childrenOf(state: State, process: ProcessState, skip?: string): ProcessState[] {
  const children: ProcessState[] = [];
  const todo = [...process.children].toReversed();
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
    const child = state.processes.get(id);
    if (!child) continue;
    const silent = skip !== undefined && child.executable === skip;
    const copy = child.args === undefined && child.unseen === undefined && !child.noted && child.end !== undefined && !child.baseline;
    if (silent || copy) todo.push(...[...child.children].toReversed());
    else children.push(child);
  }
  return children.toSorted((a, b) => a.start - b.start);
}

interface Row {
  process: ProcessState;
  text: string;
  times: number;
  last: number;
  children: ProcessState[];
}

function rowsOf(
  state: State,
  processes: readonly ProcessState[],
  clock: Clock,
  room: { rows: number; leftOut: number },
  depth: number,
): string[] {
  const rows: Row[] = [];
  const leaves = new Map<string, Row>();
  for (const process of processes) {
    const text = describe(state, process, clock);
    const children = childrenOf(state, process);
    const same = children.length === 0 ? leaves.get(text) : undefined;
    if (same) {
      same.times += 1;
      same.last = process.start;
      continue;
    }
    const row = { process, text, times: 1, last: process.start, children };
    rows.push(row);
    if (children.length === 0) leaves.set(text, row);
  }
  const lines: string[] = [];
  for (const { process, text, times, last, children } of rows) {
    if (room.rows <= 0) {
      room.leftOut += times;
      continue;
    }
    room.rows -= 1;
    const when = times > 1 ? `${clock(process.start)} to ${clock(last)}, ${times} times` : clock(process.start);
    lines.push(`${"  ".repeat(Math.min(depth, DEEPEST))}- ${when} ${times > 1 ? "" : `pid ${process.pid} `}${text}`);
    lines.push(...rowsOf(state, children, clock, room, depth + 1));
  }
  return lines;
}

/** The container where a process is the first of its line in it: those below are in it too. */
function entered(state: State, { container, parent }: ProcessState): string[] {
  const above = parent === undefined ? undefined : state.processes.get(parent);
  if (container === undefined || above?.container === container) return [];
  return [`in the container ${code(containerWords(container, state.containers.get(container)))}`];
}

function describe(state: State, process: ProcessState, clock: Clock): string {
  const command = code(commandLine(process) ?? "program not seen");
  const notes = entered(state, process);
  const why = process.unseen?.["process.args"];
  if (why && process.args === undefined) notes.push(`arguments not seen: ${WHY_UNSEEN[why]}`);
  else if (process.args === undefined) notes.push("a copy of the process above it, or not seen to start");
  if (process.end === undefined) notes.push("**still running when the recording ended**");
  else if (process.end - process.start > 60_000) notes.push(`ended ${clock(process.end)}`);
  return notes.length ? `${command} (${notes.join("; ")})` : command;
}
