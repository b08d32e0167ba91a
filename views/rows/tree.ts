import type { LoginState, ProcessState, State } from "#state/state";
import { hasFolded, plant } from "./forest.ts";
import { type BaseRow, byText, type Sort } from "./list.ts";
import { type ProcessRow, ProcessRows } from "./process-row.ts";
import { newestFirst, processName, RANK } from "./standing.ts";

interface Placed extends BaseRow {
  /** Key of the row that this one hangs under. */
  parent?: string;
  /** Tree lines before the name: 'b' a branch, 'l' the last one, '|' a line passing by, ' ' nothing. */
  lines: string;
  expandable: boolean;
  expanded: boolean;
}
export type TreeRow =
  | ProcessRow
  | (Placed &
      (
        | { kind: "login"; login: LoginState }
        | { kind: "group"; title: string; processes: number }
        /** Exited leaves of one name under one parent. `kept` are still in the state, newest first. */
        | { kind: "repeat"; name: string; count: number; kept: readonly ProcessState[] }
      ));

export interface TreeOptions {
  showHidden: boolean;
  /** Keys of rows whose folding differs from the default. */
  toggled: ReadonlySet<string>;
  /** Of the rows under one heading or parent; "story" when left out. */
  sort?: Sort;
}

const rankOf = (row: TreeRow) =>
  RANK[(row.kind === "process" ? row.process : row.kind === "repeat" ? row.kept[0] : undefined)?.standing ?? "unknown"];
const activeOf = (row: TreeRow) => (row.kind === "process" ? row.process.active : row.kind === "repeat" ? (row.kept[0]?.active ?? 0) : 0);
type Order = (a: TreeRow, b: TreeRow) => number;
const story: Order = (a, b) => rankOf(a) - rankOf(b) || activeOf(b) - activeOf(a);
const ORDERS: Partial<Record<Sort, Order>> = {
  newest: (a, b) => b.at - a.at,
  name: (a, b) => byText(nameOf(a), nameOf(b)) || pidOf(a) - pidOf(b),
  number: (a, b) => pidOf(a) - pidOf(b),
};
const nameOf = (row: TreeRow) => (row.kind === "process" ? processName(row.process) : row.kind === "repeat" ? row.name : "");
const pidOf = (row: TreeRow) => (row.kind === "process" ? row.process.pid : row.kind === "repeat" ? (row.kept[0]?.pid ?? 1e12) : 0);

/** Deeper levels hang under the same lines: nobody reads further in, and a host may nest thousands. */
const DEEPEST = 24;

/**
 * All rows of the process tree: a row a login with its processes under it (worst standing first, then newest activity),
 * then what nobody saw the origin of, then services, then kernel threads. Costs a pass over all processes: for a change of structure, not for a frame.
 * The rows in `processes` are used again.
 */
export function buildTree(state: State, options: TreeOptions, processes = new ProcessRows()): TreeRow[] {
  const rows: TreeRow[] = [];
  const walk = new Walk(options, processes, rows);
  for (const group of plant(state, options.showHidden, processes)) {
    const expanded = (group.key === "g:kernel") === options.toggled.has(group.key);
    const base = { key: group.key, lines: "", expandable: group.processes > 0 || hasFolded(group), expanded };
    if (group.login) {
      const { id, standing, tag } = group.login;
      const selection = { kind: "login" as const, id, selector: { login: id }, standing, ...(tag ? { tag } : {}) };
      rows.push({ ...base, kind: "login", login: group.login, at: group.login.start, selection });
    } else {
      const selection = { kind: "group" as const, id: group.key, members: group.roots.map(({ process }) => process.id) };
      rows.push({ ...base, kind: "group", title: group.title ?? "", processes: group.processes, at: 0, selection });
    }
    if (expanded) walk.children(group.key, group.roots, group.folded);
  }
  return rows;
}

/** Exited leaves that are counted and no longer there, by name. */
type Folded = Readonly<Record<string, number>> | undefined;

class Walk {
  readonly #options: TreeOptions;
  readonly #processes: ProcessRows;
  readonly #rows: TreeRow[];

  constructor(options: TreeOptions, processes: ProcessRows, rows: TreeRow[]) {
    this.#options = options;
    this.#processes = processes;
    this.#rows = rows;
  }

  /** Rows of `children` and all below, depth first, without recursion: the host decides how deep it nests. */
  children(parent: string, children: readonly ProcessRow[], folded: Folded): void {
    const open: TreeRow[] = [];
    const next = (rows: readonly TreeRow[]) => {
      for (let i = rows.length - 1; i >= 0; i--) open.push(rows[i] as TreeRow);
    };
    next(this.#arrange(parent, "", children, folded));
    for (let row = open.pop(); row; row = open.pop()) {
      this.#rows.push(row);
      if (!row.expanded) continue;
      if (row.kind === "process") next(this.#arrange(row.key, row.lines, row.children, row.process.folded));
      else if (row.kind === "repeat") next(lined(row.lines, this.#opened(row.key, row.kept)));
    }
  }

  #opened(parent: string, kept: readonly ProcessState[]): TreeRow[] {
    const rows = kept.map(({ id }) => this.#processes.find(id)).filter((row) => row !== undefined);
    return rows.map((row) => row.place(parent, this.#options.toggled));
  }

  #arrange(parent: string, lines: string, children: readonly ProcessRow[], folded: Folded): TreeRow[] {
    const { toggled, sort = "story" } = this.#options;
    let leaves: Map<string, ProcessRow[]> | undefined;
    const rows: TreeRow[] = [];
    for (const row of children) {
      if (row.process.end === undefined || row.children.length > 0) {
        rows.push(row.place(parent, toggled));
        continue;
      }
      const name = processName(row.process);
      leaves ??= new Map();
      const same = leaves.get(name);
      if (same) same.push(row);
      else leaves.set(name, [row]);
    }
    const gone = folded === undefined ? undefined : new Map(Object.entries(folded));
    if (gone) leaves ??= new Map();
    for (const name of gone?.keys() ?? []) if (!leaves?.has(name)) leaves?.set(name, []);
    for (const [name, same] of leaves ?? []) {
      const count = same.length + (gone?.get(name) ?? 0);
      const [first] = same;
      if (count === 1 && first) rows.push(first.place(parent, toggled));
      else rows.push(repeat(parent, name, count, same.map(({ process }) => process).sort(newestFirst), toggled));
    }
    if (rows.length > 1) rows.sort(ORDERS[sort] ?? story);
    return lined(lines, rows);
  }
}

function repeat(parent: string, name: string, count: number, kept: readonly ProcessState[], toggled: ReadonlySet<string>): TreeRow {
  const key = `r:${parent}:${name}`;
  const expandable = kept.length > 0;
  const expanded = expandable && toggled.has(key);
  return {
    kind: "repeat",
    key,
    parent,
    lines: "",
    name,
    count,
    kept,
    at: kept[0]?.start ?? 0,
    expandable,
    expanded,
    selection: { kind: "group", id: key, members: kept.map((process) => process.id), count },
  };
}

function lined(above: string, rows: TreeRow[]): TreeRow[] {
  const passing = above.replace("b", "|").replace("l", " ");
  const deep = passing.length >= DEEPEST;
  const [branch, last] = deep ? [above, above] : [`${passing}b`, `${passing}l`];
  for (const row of rows) row.lines = branch;
  const end = rows.at(-1);
  if (end) end.lines = last;
  return rows;
}
