import type { Millis } from "#state/time";
import type { Drawable } from "./drawable.ts";
import type { Block, Frame } from "./frame.ts";
import type { Key } from "./keys.ts";
import { cursorSpan, paneTitle } from "./panes/title.ts";
import { column, paintRow, type Span, span, spring } from "./row.ts";
import { scrollTop } from "./screen-state.ts";
import type { Theme } from "./theme.ts";
import { count, plural } from "./words.ts";

/** A host that can be connected to again, or a session that can be replayed. */
export interface PickerRow {
  kind: "host" | "session";
  host: string;
  /** When it began; of a host, its newest session. */
  when: Millis;
  lasted?: Millis;
  events?: number;
  sessions?: number;
  isolated?: boolean;
  whole?: boolean;
}

const STEPS: Record<string, number> = { up: -1, k: -1, down: 1, j: 1, pageup: -10, pagedown: 10, home: -1e6, g: -1e6, end: 1e6, G: 1e6 };
const SMALLEST = { columns: 40, rows: 6 };

/** The list of recent hosts and sessions: one of them is chosen, or none. */
export class Picker implements Drawable {
  /** The chosen row's place, or undefined when the list was left. */
  readonly chosen: Promise<number | undefined>;
  readonly #choose: (index: number | undefined) => void;
  readonly #rows: readonly PickerRow[];
  readonly #theme: Theme;
  #size: [number, number];
  #at = 0;
  #top = 0;
  #version = 0;
  readonly #listeners = new Set<() => void>();

  constructor(rows: readonly PickerRow[], theme: Theme, columns: number, height: number) {
    this.#rows = rows;
    this.#theme = theme;
    this.#size = [columns, height];
    const { promise, resolve } = Promise.withResolvers<number | undefined>();
    this.chosen = promise;
    this.#choose = resolve;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
  readonly getSnapshot = (): string => `${this.#version}`;

  keys(keys: readonly Key[]): void {
    for (const { name } of keys) {
      if (name === "enter") this.#choose(this.#at);
      else if (name === "q" || name === "escape" || name === "ctrl-c") this.#choose(undefined);
      else this.#at = Math.min(Math.max(0, this.#at + (STEPS[name] ?? 0)), this.#rows.length - 1);
    }
    this.#changed();
  }

  resize(columns: number, rows: number): void {
    this.#size = [columns, rows];
    this.#changed();
  }

  painted(): void {}
  close(): void {}

  frame(): Frame {
    const [width, height] = this.#size;
    const theme = this.#theme;
    if (width < SMALLEST.columns || height < SMALLEST.rows)
      return page(width, 1, [paintRow(theme, width, [{ text: "This terminal is too small for the list.", style: "warn", flex: true }])]);
    const body = this.#body(width);
    const place = body.findIndex(({ index }) => index === this.#at);
    const room = height - 3;
    this.#top = place <= 2 ? 0 : scrollTop(this.#top, place, room, body.length);
    const shown = body.slice(this.#top, this.#top + room).map(({ text }) => text);
    const blank = paintRow(theme, width, []);
    const head = paintRow(theme, width, [
      span(" STAKEOUT ", "brand"),
      span("  recent hosts and sessions", "strong"),
      spring,
      span("times are UTC ", "faint"),
    ]);
    const row = this.#rows[this.#at];
    const does = row?.kind === "host" ? `connects to ${row.host}` : "replays it";
    const foot = paintRow(theme, width, [
      span(" Enter", "key"),
      { text: ` ${does}`, style: "soft", width: Math.min(40, does.length + 1) },
      span("   ↑ ↓", "key"),
      span(" move   ", "soft"),
      span("q", "key"),
      span(" leaves", "soft"),
    ]);
    return page(width, height, [head, blank, ...shown, ...Array.from({ length: room - shown.length }, () => blank), foot]);
  }

  #body(width: number): { text: string; index?: number }[] {
    const theme = this.#theme;
    const title = (text: string, kind: PickerRow["kind"]) => {
      const total = this.#rows.filter((row) => row.kind === kind).length;
      const focused = this.#rows[this.#at]?.kind === kind;
      return { text: paneTitle(theme, width, { text, focused, counted: count(total), total: 0, top: 0, shown: 0 }) };
    };
    const rows = (kind: PickerRow["kind"]) =>
      this.#rows.flatMap((row, index) => (row.kind === kind ? [{ text: this.#row(row, width, index === this.#at), index }] : []));
    const hosts = rows("host");
    const gap = { text: paintRow(theme, width, []) };
    const head = (kind: PickerRow["kind"]) => ({ text: this.#head(kind, width) });
    return [
      ...(hosts.length > 0 ? [title("Hosts", "host"), head("host"), ...hosts, gap] : []),
      title("Sessions", "session"),
      head("session"),
      ...rows("session"),
    ];
  }

  /** What the columns of {@link #row} are. */
  #head(kind: PickerRow["kind"], width: number): string {
    const wide = width >= 100;
    const named = (text: string, cells: number, align: "left" | "right" = "left") => column(text, cells, "faint", { align });
    const room = wide ? { width: Math.min(48, width - 73) } : { flex: true as const };
    const host: Span = { text: "host", style: "faint", ...room };
    const facts =
      kind === "host"
        ? [named("recorded", 14, "right"), span("  "), named("was last", 14)]
        : [named("lasted", 8, "right"), named("events", wide ? 18 : 10, "right"), span("  "), named("at its end", 24)];
    return paintRow(this.#theme, width, [span("  "), named(kind === "host" ? "last session" : "began", 18), host, ...facts]);
  }

  #row(row: PickerRow, width: number, selected: boolean): string {
    const theme = this.#theme;
    const wide = width >= 100;
    const isolated: Span[] =
      row.isolated === true
        ? [span(" isolated ", "isolated"), column("", 4)]
        : [column(row.isolated === false ? "not isolated" : "not known", 14, row.isolated === false ? "faint" : "warn")];
    const facts: Span[] =
      row.kind === "host"
        ? [column(`${plural(row.sessions ?? 0, "session")}`, 14, "soft", { align: "right" }), span("  "), ...isolated]
        : [
            column(lastedWords(row.lasted ?? 0), 8, "soft", { align: "right" }),
            column(wide ? `${count(row.events ?? 0)} events` : count(row.events ?? 0), wide ? 18 : 10, "soft", { align: "right" }),
            span("  "),
            ...isolated,
            column(row.whole ? "ended" : "not ended", 10, row.whole ? "faint" : "warn"),
          ];
    const when = column(whenWords(row.when), 18, "soft");
    // beyond some width the facts would stand too far from the name
    const host = { text: row.host, style: selected ? ("strong" as const) : ("text" as const), cut: "middle" as const };
    const room = wide ? { width: Math.min(48, width - 73) } : { flex: true as const };
    return paintRow(
      theme,
      width,
      [cursorSpan(theme, selected, true), span(" "), when, { ...host, ...room }, ...facts],
      selected ? "selected" : undefined,
    );
  }

  #changed(): void {
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}

const page = (width: number, height: number, rows: string[]): Frame => {
  const block: Block = { id: "list", x: 0, y: 0, width, height, rows };
  return { width, height, blocks: [block] };
};

/** "2026-11-24 20:57". */
export const whenWords = (at: Millis): string =>
  at > 0 && at < 8e15 ? new Date(at).toISOString().slice(0, 16).replace("T", " ") : "not known";

/** How long, in at most seven columns: "42s", "12m", "3h 07m", "2d 4h". */
export function lastedWords(ms: Millis): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 48) return `${hours}h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")}m`;
  return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}
