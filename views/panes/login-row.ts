import { isHidden } from "#state/lineage";
import { runningOf } from "#state/origins";
import { column, paintRow, span } from "../row.ts";
import type { LoginRow, LoginsRow, OriginRow } from "../rows/logins.ts";
import { originText } from "../rows/origin.ts";
import type { Style, Theme } from "../theme.ts";
import { age, clock, loginName, network, place, plural, terminalName } from "../words.ts";
import { ageSpans, cursorSpan, headOfAge } from "./title.ts";
import { type RowContext, standingStyle } from "./tree-row.ts";

const inWidth = (width: number) => (width >= 100 ? 18 : width >= 70 ? 14 : 12);

/** What the columns of a login's row are. */
export const loginHead = (theme: Theme, width: number): string =>
  paintRow(theme, width, [
    column("", 8),
    column("login", width >= 84 ? 25 : 21, "faint"),
    span(" "),
    { text: "place, network", style: "faint", flex: true },
    span(" "),
    ...(width >= 70 ? [column("tty", 7, "faint"), span(" ")] : []),
    column("in or left", inWidth(width), "faint"),
    ...(width >= 100
      ? [column("ran", 14, "faint", { align: "right" })]
      : width >= 70
        ? [column("ran", 9, "faint", { align: "right" })]
        : []),
    ...(width >= 84 ? [span("  "), column("standing", 10, "faint"), ...headOfAge("active")] : [span(" ")]),
  ]);

/** One row of the logins, exactly `width` columns wide. */
export const loginRow = (row: LoginsRow, context: RowContext): string =>
  row.kind === "login" ? ownRow(row, context) : originRow(row, context);

function originRow({ origin, below, at, selection }: OriginRow, context: RowContext): string {
  const { theme, state, now, width, selected, focused } = context;
  const standing = selection.standing ?? "unknown";
  const style = standing === "unknown" ? "text" : standingStyle(standing);
  const goesOn = origin.live > 0 || runningOf(state, origin).length > 0;
  const runs = origin.runs > 1 ? `${theme.glyphs.times}${origin.runs}` : "";
  return paintRow(
    theme,
    width,
    [
      cursorSpan(theme, selected, focused),
      span(`${standing === "unknown" ? " " : theme.glyphs.standing[standing]} ${below ? "   " : ""}`, style),
      { text: originText(state, origin), style: isHidden(standing) ? "responder" : style, flex: true },
      column(runs, 6, "soft", { align: "right" }),
      column(goesOn ? "runs" : "over", 6, goesOn ? (standing === "unknown" ? "good" : style) : "faint", { align: "right" }),
      ...(width >= 84 ? ageSpans(theme, origin.last, now, "soft", at) : []),
      span(" "),
    ],
    selected && focused ? "selected" : undefined,
  );
}

/** Whom nobody has judged and who looks like one of ours: a question, never an answer. */
const standingWord = (standing: LoginRow["login"]["standing"], suggested: boolean): string =>
  standing === "known-good" ? "known good" : suggested ? "ours?" : standing;

function ownRow({ login, number, at }: LoginRow, context: RowContext): string {
  const { theme, now, width, selected, focused } = context;
  const hidden = isHidden(login.standing);
  const gone = login.end !== undefined;
  const as = (style: Style): Style => (hidden ? "responder" : style);
  const style = standingStyle(login.standing);
  const where = login.source
    ? [login.ours ? (width >= 96 ? "this console" : "ours") : "", place(login.source), width >= 84 ? network(login.source) : ""]
        .filter(Boolean)
        .join(` ${theme.glyphs.dot} `)
    : "";
  const state = gone
    ? `left ${age(login.end as number, now)} ago`
    : `${width >= 70 ? "in " : ""}since ${clock(login.start).slice(0, width >= 100 ? 8 : 5)}`;
  return paintRow(
    theme,
    width,
    [
      cursorSpan(theme, selected, focused),
      span(`${theme.glyphs.standing[login.standing]} `, style),
      column(`L${number}`, 5, as("soft")),
      column(loginName(login), width >= 84 ? 25 : 21, login.standing === "unknown" ? (gone ? "soft" : "strong") : style, { cut: "middle" }),
      span(" "),
      { text: where, style: as("place"), flex: true },
      span(" "),
      ...(width >= 70 ? [column(login.ttys.map(terminalName)[0] ?? "no tty", 7, as("soft")), span(" ")] : []),
      column(state, inWidth(width), as(gone ? "faint" : "good")),
      ...(width >= 100
        ? [column(plural(login.processes, "process", "processes"), 14, as("soft"), { align: "right" })]
        : width >= 70
          ? [column(`${login.processes} proc`, 9, as("soft"), { align: "right" })]
          : []),
      ...(width >= 84 ? [span("  "), column(standingWord(login.standing, context.suggested?.has(login.id) === true), 10, style)] : []),
      ...(width >= 84 ? ageSpans(theme, login.active, now, as("soft"), at) : []),
      span(" "),
    ],
    selected && focused ? "selected" : undefined,
  );
}
