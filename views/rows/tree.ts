import type { LoginState, Millis, ProcessState, State } from "#state/state";
import { type Forest, hasFolded, plant } from "./forest.ts";
import { type BaseRow, byText, type Sort } from "./list.ts";
import { newestFirst, processName, RANK } from "./standing.ts";

interface Placed extends BaseRow {
  /** Key of the row that this one hangs under. */
  parent?: string;
  /** Tree lines before the name: 'b' a branch, 'l' the last one, '|' a line passing by, ' ' nothing. */
  lines: string;
  expandable: boolean;
  expanded: boolean;
}
export type TreeRow = Placed &
  (
    | { kind: "login"; login: LoginState }
    | { kind: "group"; title: string; processes: number }
    | { kind: "process"; process: ProcessState; below: number }
    /** Exited leaves of one name under one parent. `kept` are still in the state, newest first. */
    | { kind: "repeat"; name: string; count: number; kept: readonly ProcessState[] }
  );

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
const NOBODY: readonly ProcessState[] = [];

/**
 * All rows of the process tree: a row a login with its processes under it (worst standing first, then newest activity),
 * then what nobody saw the origin of, then services, then kernel threads. Costs a pass over all processes: for a change of structure, not for a frame.
 */
export function buildTree(state: State, options: TreeOptions): TreeRow[] {
  const rows: TreeRow[] = [];
  const forest = plant(state, options.showHidden);
  const walk = new Walk(forest, options, rows);
  for (const group of forest.groups) {
    const expanded = (group.key === "g:kernel") === options.toggled.has(group.key);
    const base = { key: group.key, lines: "", expandable: group.processes > 0 || hasFolded(group), expanded };
    if (group.login) {
      const { id, standing, tag } = group.login;
      const selection = { kind: "login" as const, id, selector: { login: id }, standing, ...(tag ? { tag } : {}) };
      rows.push({ ...base, kind: "login", login: group.login, at: group.login.start, selection });
    } else {
      const selection = { kind: "group" as const, id: group.key, members: group.roots.map(({ id }) => id) };
      rows.push({ ...base, kind: "group", title: group.title ?? "", processes: group.processes, at: 0, selection });
    }
    if (expanded) walk.children(group.key, group.roots, group.folded);
  }
  return rows;
}

/** Exited leaves that are counted and no longer there, by name. */
type Folded = Readonly<Record<string, number>> | undefined;

class Walk {
  readonly #forest: Forest;
  readonly #options: TreeOptions;
  readonly #rows: TreeRow[];

  constructor(forest: Forest, options: TreeOptions, rows: TreeRow[]) {
    this.#forest = forest;
    this.#options = options;
    this.#rows = rows;
  }

  /** Rows of `children` and all below, depth first, without recursion: the host decides how deep it nests. */
  children(parent: string, children: readonly ProcessState[], folded: Folded): void {
    const open: TreeRow[] = [];
    const next = (rows: readonly TreeRow[]) => {
      for (let i = rows.length - 1; i >= 0; i--) open.push(rows[i] as TreeRow);
    };
    next(this.#arrange(parent, "", children, folded));
    for (let row = open.pop(); row; row = open.pop()) {
      this.#rows.push(row);
      if (!row.expanded) continue;
      if (row.kind === "process") next(this.#arrange(row.key, row.lines, this.#below(row.process), row.process.folded));
      else if (row.kind === "repeat") {
        const { key } = row;
        next(
          lined(
            row.lines,
            row.kept.map((process) => this.#process(key, process)),
          ),
        );
      }
    }
  }

  #below(process: ProcessState): readonly ProcessState[] {
    return this.#forest.children.get(process.id) ?? NOBODY;
  }

  #arrange(parent: string, lines: string, children: readonly ProcessState[], folded: Folded): TreeRow[] {
    let leaves: Map<string, ProcessState[]> | undefined;
    const rows: TreeRow[] = [];
    for (const process of children) {
      if (process.end === undefined || this.#below(process).length > 0) {
        rows.push(this.#process(parent, process));
        continue;
      }
      const name = processName(process);
      leaves ??= new Map();
      const same = leaves.get(name);
      if (same) same.push(process);
      else leaves.set(name, [process]);
    }
    const gone = folded === undefined ? undefined : new Map(Object.entries(folded));
    if (gone) leaves ??= new Map();
    for (const name of gone?.keys() ?? []) if (!leaves?.has(name)) leaves?.set(name, []);
    for (const [name, kept] of leaves ?? []) {
      const count = kept.length + (gone?.get(name) ?? 0);
      kept.sort(newestFirst);
      const [first] = kept;
      rows.push(count === 1 && first ? this.#process(parent, first) : repeat(parent, name, count, kept, this.#options.toggled));
    }
    if (rows.length > 1) rows.sort(ORDERS[this.#options.sort ?? "story"] ?? story);
    return lined(lines, rows);
  }

  #process(parent: string, process: ProcessState): TreeRow {
    const below = this.#below(process);
    const expandable = below.length > 0 || process.folded !== undefined;
    const expanded = expandable && !this.#options.toggled.has(`p:${process.id}`);
    return new ProcessRow(parent, process, expandable, expanded, expanded ? below.length : this.#count(below));
  }

  #count(below: readonly ProcessState[]): number {
    let total = 0;
    if (below.length === 0) return total;
    const open = [...below];
    for (let process = open.pop(); process; process = open.pop()) {
      total++;
      open.push(...this.#below(process));
    }
    return total;
  }
}

/** A process of its own: there are thousands, and what few of them are asked for is made when it is. */
class ProcessRow {
  readonly kind = "process";
  readonly key: string;
  readonly parent: string;
  lines = "";
  readonly process: ProcessState;
  readonly expandable: boolean;
  readonly expanded: boolean;
  readonly below: number;

  constructor(parent: string, process: ProcessState, expandable: boolean, expanded: boolean, below: number) {
    this.key = `p:${process.id}`;
    this.parent = parent;
    this.process = process;
    this.expandable = expandable;
    this.expanded = expanded;
    this.below = below;
  }

  get at(): Millis {
    return this.process.baseline ? 0 : this.process.start;
  }

  get selection(): TreeRow["selection"] {
    const { id, standing, tag } = this.process;
    return { kind: "process", id, selector: { process: id }, standing, ...(tag ? { tag } : {}) };
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
    selection: { kind: "group", id: key, members: kept.map((process) => process.id) },
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
