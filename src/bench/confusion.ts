import type { EntryLeader } from "#model/event";
import type { Truth } from "#range/trial/work";

/** A process as the log told it. */
export interface Seen {
  id: string;
  /** Milliseconds since the epoch. */
  at: number;
  leader: EntryLeader | undefined;
  events: number;
}

const COLUMNS = ["own login", "another login", "cron", "service", "unknown", "not seen"] as const;
type Column = (typeof COLUMNS)[number];
/** Who it was, without the number: "intruder2-same-key" is an intruder with a responder's key. */
const kindOf = (who: string) => who.replace(/^(responder|intruder)\d/, "$1");

/** Which process was taken for whose: rows are the truth, columns what the log says. */
export class Confusion {
  readonly #cells = new Map<string, Map<Column, number>>();

  add({ who }: Truth, seen: Seen | undefined, login: string | undefined): void {
    const kind = kindOf(who);
    const row = this.#cells.get(kind) ?? new Map<Column, number>();
    this.#cells.set(kind, row);
    const column = columnOf(seen, login);
    row.set(column, (row.get(column) ?? 0) + 1);
  }

  /** Processes of a kind that the log gave to somebody. */
  count(...columns: Column[]): number {
    let sum = 0;
    for (const row of this.#cells.values()) for (const column of columns) sum += row.get(column) ?? 0;
    return sum;
  }

  get total(): number {
    return this.count(...COLUMNS);
  }

  /** Given to somebody who it was not. */
  get wrong(): number {
    let sum = 0;
    for (const [kind, row] of this.#cells) {
      const right: Column = kind === "cron" ? "cron" : kind === "ci" ? "service" : "own login";
      for (const [column, times] of row) if (column !== right && column !== "unknown" && column !== "not seen") sum += times;
    }
    return sum;
  }

  /** The table, a line each. */
  lines(): string[] {
    const kinds = [...this.#cells.keys()].sort();
    const first = Math.max(8, ...kinds.map((kind) => kind.length)) + 2;
    const head = `${"".padEnd(first)}${COLUMNS.map((column) => column.padStart(15)).join("")}`;
    return [
      head,
      ...kinds.map(
        (kind) => `${kind.padEnd(first)}${COLUMNS.map((column) => `${this.#cells.get(kind)?.get(column) ?? 0}`.padStart(15)).join("")}`,
      ),
    ];
  }
}

function columnOf(seen: Seen | undefined, login: string | undefined): Column {
  if (!seen) return "not seen";
  const type = seen.leader?.entry_meta.type;
  if (type === "sshd") return seen.leader?.entity_id === login ? "own login" : "another login";
  if (type === "cron") return "cron";
  return type === "init" ? "service" : "unknown";
}
