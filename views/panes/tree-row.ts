import { visiblePath } from "#model/host-string";
import { isHidden } from "#state/lineage";
import { newBinaryOf } from "#state/program";
import type { ProcessState, State } from "#state/state";
import { columns } from "../HostText.ts";
import { column, paintRow, type Span, span } from "../row.ts";
import { loginNumber } from "../rows/login-number.ts";
import { argumentsOf, processName } from "../rows/standing.ts";
import type { TreeRow } from "../rows/tree.ts";
import type { Style, Theme } from "../theme.ts";
import { age, clock, loginName, network, place, plural, terminalName } from "../words.ts";
import { ageSpans, cursorSpan } from "./title.ts";

export interface RowContext {
  theme: Theme;
  state: State;
  now: number;
  width: number;
  selected: boolean;
  focused: boolean;
  /** Logins that look like one of ours. */
  suggested?: ReadonlySet<string>;
}

/** One row of the process tree, exactly `width` columns wide. */
export function treeRow(row: TreeRow, context: RowContext): string {
  const { theme, width, selected, focused } = context;
  const cursor = cursorSpan(theme, selected, focused);
  const ground = selected && focused ? "selected" : row.kind === "login" || row.kind === "group" ? "login" : undefined;
  return paintRow(theme, width, [cursor, ...spansOf(row, context)], ground);
}

function spansOf(row: TreeRow, context: RowContext): Span[] {
  if (row.kind === "login") return loginSpans(row, context);
  if (row.kind === "group") return groupSpans(row, context);
  if (row.kind === "repeat") return repeatSpans(row, context);
  return processSpans(row, context);
}

const STANDING_STYLE: Record<string, Style> = {
  intruder: "intruder",
  suspect: "suspect",
  unknown: "unknown",
  responder: "responder",
  "known-good": "good",
};
export const standingStyle = (standing: string): Style => STANDING_STYLE[standing] ?? "text";

function loginSpans(row: TreeRow & { kind: "login" }, { theme, state, now, width }: RowContext): Span[] {
  const { login } = row;
  const { glyphs } = theme;
  const style = standingStyle(login.standing);
  const where = login.source ? [place(login.source), network(login.source)].filter(Boolean).join(` ${glyphs.dot} `) : "";
  const facts = [
    ...(login.ours ? ["this console"] : []),
    ...(width >= 96 && login.ttys.length > 0 ? [login.ttys.map(terminalName).slice(0, 2).join(" ")] : []),
    login.end === undefined
      ? width >= 84
        ? `since ${clock(login.start)}`
        : clock(login.start).slice(0, 5)
      : `left ${age(login.end, now)} ago`,
    ...(width >= 66 ? [width >= 96 ? plural(login.processes, "process", "processes") : `${login.processes} proc`] : []),
  ];
  return [
    span(`${glyphs.standing[login.standing]} `, style),
    span(`${row.expanded ? glyphs.open : glyphs.folded} `, "soft"),
    span(`L${loginNumber(state, login.id) ?? "?"} `, "soft"),
    span(loginName(login), login.standing === "unknown" ? "strong" : style),
    span("  "),
    { text: where, style: "place", flex: true },
    span(` ${facts.join(` ${glyphs.dot} `)} `, "soft"),
    column(login.standing === "known-good" ? "known good" : login.standing, 10, style, { align: "right" }),
    span(" "),
  ];
}

function groupSpans(row: TreeRow & { kind: "group" }, { theme }: RowContext): Span[] {
  const mark = row.expanded ? theme.glyphs.open : theme.glyphs.folded;
  return [
    span(`  ${mark} `, "soft"),
    { text: row.title, style: "soft", flex: true },
    span(`${plural(row.processes, "process", "processes")} `, "faint"),
  ];
}

function processSpans(row: TreeRow & { kind: "process" }, context: RowContext): Span[] {
  const { theme, state, now } = context;
  const { process } = row;
  const { glyphs } = theme;
  const gone = process.end !== undefined;
  const hidden = isHidden(process.standing);
  const marked = isMarked(process, state);
  const judged: Style = gone && process.standing === "intruder" ? "intruderPast" : standingStyle(process.standing);
  const fresh = newBinaryOf(state, process) !== undefined;
  const name: Style = hidden ? "responder" : marked ? judged : gone ? "faint" : fresh ? "warn" : process.login ? "strong" : "text";
  const quiet: Style = hidden ? "responder" : gone ? "faint" : "soft";
  const own = visiblePath(processName(process));
  return [
    span(`${marked || hidden ? glyphs.standing[process.standing] : " "} `, judged),
    column(String(process.pid), 7, gone ? "faint" : "soft", { align: "right" }),
    span(" "),
    ...branches(row, context),
    ...(fresh ? [span(`${glyphs.binary} `, hidden ? "responder" : "warn")] : []),
    { text: own, style: name, cut: "middle", width: Math.min(24, columns(own, 25)) },
    span(" "),
    { text: argumentsOf(process), style: quiet, flex: true, cut: "middle" },
    ...(row.expandable && !row.expanded && row.below > 0 ? [span(` +${row.below}`, "focus")] : []),
    ...(gone ? [column("ended", 6, "faint", { align: "right" })] : []),
    ...ageSpans(theme, process.end ?? process.start, now, quiet, row.at),
    span(" "),
  ];
}

/** Judged apart from the login that the process hangs under, so worth a glyph of its own. */
function isMarked(process: ProcessState, state: State): boolean {
  if (process.standing === "intruder" || process.standing === "suspect") return true;
  const login = process.login === undefined ? undefined : state.logins.get(process.login);
  return login !== undefined && login.standing !== process.standing;
}

function repeatSpans(row: TreeRow & { kind: "repeat" }, context: RowContext): Span[] {
  const { theme, now } = context;
  const [latest] = row.kept;
  const hidden = latest !== undefined && isHidden(latest.standing);
  const style: Style = hidden ? "responder" : "faint";
  const bad = latest?.standing === "intruder";
  const samples = [...new Set(row.kept.slice(0, 12).map(argumentsOf))].filter(Boolean).join(` ${theme.glyphs.dot} `);
  return [
    span(`${(hidden || bad) && latest ? theme.glyphs.standing[latest.standing] : " "} `, bad ? "intruderPast" : style),
    column("", 8),
    ...branches(row, context),
    {
      text: row.name,
      style: bad ? "intruderPast" : hidden ? "responder" : "soft",
      width: Math.min(24, columns(row.name, 25)),
      cut: "middle",
    },
    span(` ${theme.glyphs.times}${row.count} `, hidden ? "responder" : "text"),
    { text: samples, style, flex: true },
    column("ended", 6, style, { align: "right" }),
    ...(latest?.end === undefined ? [column("", 6)] : ageSpans(theme, latest.end, now, style, row.at)),
    span(" "),
  ];
}

function branches(row: TreeRow, { theme, width }: RowContext): Span[] {
  const { glyphs } = theme;
  const most = Math.max(4, Math.floor(width / 10));
  const deep = row.lines.length > most;
  const codes = deep ? row.lines.slice(-most) : row.lines;
  let text = deep ? "…" : "";
  for (const code of codes) text += code === "b" ? glyphs.branch : code === "l" ? glyphs.last : code === "|" ? `${glyphs.vertical} ` : "  ";
  const mark = !row.expandable ? glyphs.line : row.expanded ? glyphs.open : glyphs.folded;
  return [span(text, "rule"), span(`${mark} `, row.expandable ? "soft" : "rule")];
}
