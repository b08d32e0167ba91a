import type { Millis } from "#state/time";
import { count } from "./words.ts";

export type LineKind = "command" | "network" | "file" | "access" | "login" | "decision" | "watch";

/** How many lines of a kind a report holds: decisions are few and each counts, commands can be a million. */
const MOST: Record<LineKind, number> = { command: 250, network: 120, file: 120, access: 120, login: 120, decision: 300, watch: 60 };
/** The same command again within this time is one line. */
const AGAIN_MS = 60_000;

export interface Line {
  at: Millis;
  last: Millis;
  times: number;
  kind: LineKind;
  /** Markdown, no pipe, no line break. */
  who: string;
  what: string;
  /** Of calls: how many got through; undefined for everything else. */
  through?: number;
  /** Order of arrival: several lines can have one time. */
  order: number;
}

type Draft = Pick<Line, "at" | "kind" | "who" | "what"> & {
  /** Lines of one key are repeats of each other; undefined: never a repeat. */
  key?: string;
  through?: number;
};

/** The lines of a kind that are kept: the first two thirds and the last third, what lies between is counted. */
interface Shelf {
  head: Line[];
  tail: Line[];
  leftOut: number;
  gap?: { from: Millis; to: Millis };
}

/** Lines as they come, repeats merged, of bounded length however long the log is. */
export class Timeline {
  readonly #shelves = new Map<LineKind, Shelf>();
  #open = new Map<string, Line>();
  #order = 0;

  /** What follows is told anew even where it repeats what came before: something was decided. */
  chapter(): void {
    this.#open = new Map();
  }

  add(draft: Draft): void {
    const { key, ...rest } = draft;
    const known = key === undefined ? undefined : this.#open.get(key);
    if (known && (draft.kind === "network" || draft.at - known.last <= AGAIN_MS)) {
      known.times += 1;
      known.last = Math.max(known.last, draft.at);
      return;
    }
    const line: Line = { ...rest, last: draft.at, times: 1, order: this.#order++ };
    if (key !== undefined) {
      if (this.#open.size > 5000) this.#open = new Map();
      this.#open.set(key, line);
    }
    this.#shelve(line);
  }

  /** A call of this key got through. */
  through(key: string): void {
    const line = this.#open.get(key);
    if (line) line.through = (line.through ?? 0) + 1;
  }

  #shelve(line: Line): void {
    let shelf = this.#shelves.get(line.kind);
    if (!shelf) {
      shelf = { head: [], tail: [], leftOut: 0 };
      this.#shelves.set(line.kind, shelf);
    }
    const most = MOST[line.kind];
    if (shelf.head.length < (most * 2) / 3) {
      shelf.head.push(line);
      return;
    }
    shelf.tail.push(line);
    if (shelf.tail.length <= most / 3) return;
    const gone = shelf.tail.shift() as Line;
    shelf.leftOut += 1;
    shelf.gap = { from: shelf.gap?.from ?? gone.at, to: gone.at };
  }

  /** All lines that were kept, in the order of time. */
  lines(): Line[] {
    return [...this.#shelves.values()].flatMap(({ head, tail }) => [...head, ...tail]).toSorted((a, b) => a.at - b.at || a.order - b.order);
  }

  /** What was left out, a sentence a kind. */
  leftOut(clock: (at: Millis) => string): string[] {
    const names: Record<LineKind, [string, string]> = {
      command: ["command", "commands"],
      network: ["line on connections", "lines on connections"],
      file: ["file change", "file changes"],
      access: ["file opened", "files opened"],
      login: ["login or logout", "logins and logouts"],
      decision: ["decision", "decisions"],
      watch: ["line on the sensors", "lines on the sensors"],
    };
    return [...this.#shelves].flatMap(([kind, { leftOut, gap }]) =>
      leftOut && gap ? [`${count(leftOut, ...names[kind])} between ${clock(gap.from)} and ${clock(gap.to)}`] : [],
    );
  }
}
