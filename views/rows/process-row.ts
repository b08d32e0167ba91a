import type { Selection } from "#commands/command";
import type { ProcessState } from "#state/state";
import type { Millis } from "#state/time";

/** Shared by all that have nothing under them, most of what runs. Never added to. */
const NOTHING: readonly ProcessRow[] = [];

/** A process in its place in the tree, linked to those under it: to look them up for each of thousands takes longer than all else. */
export class ProcessRow {
  readonly kind = "process";
  readonly key: string;
  readonly process: ProcessState;
  /** Key of the row that this one hangs under. */
  parent = "";
  lines = "";
  expandable = false;
  expanded = false;
  children: readonly ProcessRow[] = NOTHING;
  /** Key of the heading that it belongs to. */
  group = "";
  /** The pass in which it was shown last. */
  round = 0;

  constructor(process: ProcessState) {
    this.key = `p:${process.id}`;
    this.process = process;
  }

  get at(): Millis {
    return this.process.baseline ? 0 : this.process.start;
  }

  get selection(): Selection {
    const { id, standing, tag } = this.process;
    return { kind: "process", id, selector: { process: id }, standing, ...(tag ? { tag } : {}) };
  }

  /** How many hang under it: directly where they are seen, all of them where it is folded. */
  get below(): number {
    if (this.expanded) return this.children.length;
    let total = 0;
    const open = [...this.children];
    for (let row = open.pop(); row; row = open.pop()) {
      total++;
      open.push(...row.children);
    }
    return total;
  }

  /** It hangs under this one as well. */
  add(child: ProcessRow): void {
    if (this.children === NOTHING) this.children = [child];
    else (this.children as ProcessRow[]).push(child);
  }

  /** Where it stands, and whether it is open. */
  place(parent: string, toggled: ReadonlySet<string>): this {
    this.parent = parent;
    this.expandable = this.children.length > 0 || this.process.folded !== undefined;
    this.expanded = this.expandable && !toggled.has(this.key);
    return this;
  }
}

/**
 * The rows of all processes that a tree shows. They stay from one pass to the next, as long as their process is shown: thousands of them
 * made anew for each picture keep the collector of garbage at work for longer than a picture takes.
 */
export class ProcessRows {
  readonly #rows = new Map<string, ProcessRow>();
  #round = 0;
  #shown: ProcessRow[] = [];

  /** A pass begins: none is shown yet. */
  begin(): void {
    this.#round++;
    this.#shown = [];
  }

  /** It is shown in this pass, with nothing under it yet. */
  put(process: ProcessState, group: string): void {
    let row = this.#rows.get(process.id);
    if (row?.process !== process) {
      row = new ProcessRow(process);
      this.#rows.set(process.id, row);
    }
    row.group = group;
    row.children = NOTHING;
    row.round = this.#round;
    this.#shown.push(row);
  }

  /** Its row, where it is shown in this pass. */
  find(id: string): ProcessRow | undefined {
    const row = this.#rows.get(id);
    return row?.round === this.#round ? row : undefined;
  }

  /** All that are shown in this pass, in the order in which they were put; the others are let go. */
  shown(): readonly ProcessRow[] {
    if (this.#rows.size > this.#shown.length) for (const [id, { round }] of this.#rows) if (round !== this.#round) this.#rows.delete(id);
    return this.#shown;
  }
}
