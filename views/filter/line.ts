import { edited, fieldSpans } from "../field.ts";
import { columns } from "../HostText.ts";
import type { Key } from "../keys.ts";
import { paintRow, span } from "../row.ts";
import type { SavedFilter } from "../settings.ts";
import type { Theme } from "../theme.ts";
import { filterProblem, LONGEST_FILTER } from "./parse.ts";

/** What is typed after `/`, and what was typed before in this run. */
export interface FilterLine {
  text: string;
  /** The line is open and takes the keys. */
  typing: boolean;
  /** Oldest first. */
  history: readonly string[];
  /** Place in the history; its length for what is new. */
  at: number;
}

export const noFilter = (): FilterLine => ({ text: "", typing: false, history: [], at: 0 });
const MOST_HISTORY = 50;

/** A key while the line is open; Tab goes through the filters that have a name. */
export function filterKey(line: FilterLine, key: Key, saved: readonly SavedFilter[] = []): FilterLine {
  if (key.name === "tab" || key.name === "shift-tab") {
    if (saved.length === 0) return line;
    const at = saved.findIndex(({ text }) => text === line.text);
    const next = key.name === "tab" ? at + 1 : Math.max(0, at) - 1 + saved.length;
    return { ...line, text: saved[next % saved.length]?.text ?? line.text };
  }
  if (key.name === "escape" || key.name === "ctrl-c") return { ...line, text: "", typing: false };
  if (key.name === "enter") {
    const text = line.text.trim();
    const history = text === "" ? line.history : [...line.history.filter((one) => one !== text), text].slice(-MOST_HISTORY);
    return { text, typing: false, history, at: history.length };
  }
  if (key.name === "up" || key.name === "down") {
    const at = Math.min(Math.max(0, line.at + (key.name === "up" ? -1 : 1)), line.history.length);
    return { ...line, at, text: line.history[at] ?? "" };
  }
  const text = edited(line.text, key, LONGEST_FILTER);
  return text === undefined ? line : { ...line, text };
}

/** The open line, in the footer's place: what is typed, then what is odd about it, or what could be typed. */
export function filterRow(theme: Theme, width: number, line: FilterLine, saved: readonly SavedFilter[] = []): string {
  const name = saved.find(({ text }) => text === line.text)?.name;
  const keys: [string, string][] = [
    ["Enter", "keeps"],
    ["Esc", "clears"],
    ["Ctrl-S", "saves"],
    ...(saved.length > 0 ? [["Tab", "saved ones"] as [string, string]] : []),
  ];
  const shown = keys.slice(0, width >= 100 ? 4 : 2);
  const problem = filterProblem(line.text);
  const odd = problem !== undefined;
  const hint = "words  user: ip: country: as: pid: exe: path: standing:  -not";
  const right = odd && width < 100 ? [] : shown.flatMap(([key, does]) => [span(key, "key"), span(` ${does}  `, "soft")]);
  const room = width - 4 - right.reduce((sum, s) => sum + columns(s.text), 0);
  const field = fieldSpans(
    theme,
    line.text,
    odd ? Math.max(12, Math.min(columns(line.text) + 1, room - columns(problem) - 2)) : room,
    hint,
  );
  return paintRow(theme, width, [
    span(" / ", "key"),
    ...field,
    {
      text: problem ? `  ${problem}` : name === undefined || line.text === "" ? "" : `  saved as ${name}`,
      style: odd ? "warn" : "faint",
      flex: true,
    },
    ...right,
  ]);
}
