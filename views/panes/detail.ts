import type { Selection } from "#commands/command";
import type { State } from "#state/state";
import type { Fact } from "../facts/fact.ts";
import { factsOf } from "../facts/facts.ts";
import { columns } from "../HostText.ts";
import type { Layout } from "../layout.ts";
import { paintRow, type Span, span, wrapText } from "../row.ts";
import type { Theme } from "../theme.ts";
import { paneTitle } from "./title.ts";

const NOTHING: readonly Fact[] = [{ label: "", text: "Nothing is selected: what the cursor is on is told here in full.", style: "faint" }];

/** Columns of a fact's label, the blank behind it included. */
export const LABEL_WIDTH = 10;
/** Columns of a fact from which on its beginning and its end still say something. */
const LEAST_OF_A_FACT = 24;

/** How much room there is for it, and whether as a strip of packed facts or as a pane with a fact a line. */
export interface DetailSize {
  width: number;
  height: number;
  as: Layout["detailAs"];
}

/** Everything known of what the cursor is on: exactly `height` rows. */
export function paintDetail(theme: Theme, state: State, selection: Selection | undefined, now: number, size: DetailSize): string[] {
  const { width, height, as } = size;
  const facts = selection ? factsOf(theme, state, selection, now) : NOTHING;
  const room = as === "strip" ? height : height - 1;
  const { rows, whole } = as === "pane" ? listed(theme, facts, width, room) : packed(theme, facts, width, room);
  const blank = paintRow(theme, width, []);
  const note = whole ? {} : { note: { text: "d shows all of it", brief: "d: all", style: "soft" as const } };
  const title = as === "strip" ? [] : [paneTitle(theme, width, { text: "Selected", focused: false, total: 0, top: 0, shown: 0, ...note })];
  return [...title, ...rows, ...Array.from({ length: height }, () => blank)].slice(0, height);
}

interface Shown {
  rows: string[];
  /** Nothing was left out or cut. */
  whole: boolean;
}

/** A fact a line, long ones on several. */
export function factLines(theme: Theme, facts: readonly Fact[], width: number, mostLines = Number.POSITIVE_INFINITY): Shown {
  const rows: string[] = [];
  let whole = true;
  for (const fact of facts) {
    const lines = wrapText(fact.text, width - LABEL_WIDTH - 3);
    if (lines.length > mostLines) whole = false;
    for (const [i, text] of lines.slice(0, mostLines).entries())
      rows.push(
        paintRow(theme, width, [
          span("  "),
          { text: i === 0 ? fact.label : "", style: "faint", width: LABEL_WIDTH },
          { text, style: fact.style ?? "text", flex: true },
          span(" "),
        ]),
      );
  }
  return { rows, whole };
}

function listed(theme: Theme, facts: readonly Fact[], width: number, height: number): Shown {
  const all = factLines(theme, facts, width);
  if (all.rows.length <= height) return all;
  const brief = factLines(theme, facts, width, 3);
  return { rows: brief.rows.slice(0, height), whole: false };
}

function packed(theme: Theme, facts: readonly Fact[], width: number, height: number): Shown {
  const lines: Span[][] = [[span(" ")]];
  let left = width - 1;
  let whole = true;
  for (const fact of facts) {
    const size = fact.label.length + 1 + columns(fact.text, width);
    if (size > left && left < width - 1 && lines.length < height) {
      lines.push([span(" ")]);
      left = width - 1;
    }
    const own = columns(fact.text, 10_000);
    const room = Math.min(own, left - fact.label.length - 2);
    if (room < own && room < LEAST_OF_A_FACT) {
      whole = false;
      continue;
    }
    if (room < own) whole = false;
    lines
      .at(-1)
      ?.push(span(`${fact.label} `, "faint"), { text: fact.text, style: fact.style ?? "text", width: room, cut: "middle" }, span("   "));
    left -= fact.label.length + 4 + room;
  }
  return { rows: lines.map((spans) => paintRow(theme, width, spans)), whole };
}
