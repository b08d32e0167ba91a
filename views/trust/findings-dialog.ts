import type { FindingState } from "#state/decided-state";
import { type FindingGroup, findingGroups } from "#state/finding-groups";
import { findingNow } from "#state/finding-words";
import type { State } from "#state/state";
import { type BoxLine, box, keyHint, type Overlay } from "../dialogs/box.ts";
import { processText } from "../facts/fact.ts";
import { fieldSpans } from "../field.ts";
import { columns } from "../HostText.ts";
import type { Picture } from "../picture.ts";
import { column, type Span, span, wrapText } from "../row.ts";
import type { Style, Theme } from "../theme.ts";
import { clock, loginCalled } from "../words.ts";
import { chosenGroup, type FindingsDialog } from "./dialog.ts";

/** More than anybody reads on a screen; the report and the log have the rest. */
const MOST_ROWS = 500;
const LEVELS: Record<FindingState["level"], Style> = { critical: "bad", high: "bad", medium: "warn", low: "text", informational: "soft" };

/** What rules found, the newest first; the chosen one can be dismissed, or brought back. */
export function findingsDialog(screen: Picture, size: { width: number; height: number }, dialog: FindingsDialog): Overlay {
  const { theme, store } = screen;
  const width = Math.min(size.width - 4, 120);
  const inner = width - 4;
  const groups = findingGroups(store.state);
  const at = Math.min(chosenGroup(groups, dialog), MOST_ROWS - 1);
  const body: BoxLine[] = [[]];
  let place = 0;
  for (const [i, group] of groups.slice(0, MOST_ROWS).entries()) {
    if (group.dismissed && (i === 0 || !groups[i - 1]?.dismissed)) body.push(...(i === 0 ? [] : [[]]), [span("Dismissed", "soft")]);
    if (i === at) place = body.length;
    const lines = groupLines(screen, group, inner, i === at);
    body.push(...(i === at ? lines.map((spans): BoxLine => ({ spans, ground: "selected" })) : lines));
  }
  if (groups.length === 0) body.push(...nothing(inner));
  if (groups.length > MOST_ROWS) body.push([span(`and ${groups.length - MOST_ROWS} older ones, which the log has`, "faint")]);
  body.push([]);
  const foot = dialog.dismissing ? asking(screen, dialog.dismissing, inner) : [hints(groups[at], inner)];
  const room = Math.max(1, size.height - 2 - 4 - foot.length);
  const scroll = Math.max(0, Math.min(place - Math.floor(room / 2), body.length - room));
  return box(theme, { title: "Findings", style: "focus", body, foot, width, height: size.height - 2, scroll });
}

function nothing(width: number): Span[][] {
  const words =
    "What would stand here: a login without a tag that enters or abuses something you have tagged (ptrace, its terminal, its key), and one that looks at us (w, the logs that name us, our processes).";
  return [[span("Nothing was found yet.", "text")], [], ...wrapText(words, width).map((text): Span[] => [span(text, "soft")])];
}

function groupLines({ theme, store }: Picture, group: FindingGroup, inner: number, on: boolean): Span[][] {
  const { newest, findings, dismissed } = group;
  const style: Style = dismissed ? "faint" : "text";
  const indent = 12;
  const words = [evidence(store.state, newest, theme.glyphs)];
  const { dismissed: how } = newest;
  if (how) words.push(`dismissed by ${how.analyst} at ${clock(how.at)}: ${how.reason}`);
  else if (newest.exposes && newest.exposes.length > 0)
    words.push("what a tag had hidden is in view again, until it is tagged anew or this is dismissed");
  const times = findings.length > 1 ? ` ${theme.glyphs.times}${findings.length}` : "";
  const [title = "", ...more] = wrapText(findingNow(store.state, newest), inner - indent - 9 - columns(times));
  return [
    [
      span(on ? `${theme.glyphs.folded} ` : "  ", "focus"),
      column(clock(newest.at), 10, "soft"),
      column(newest.level, 9, dismissed ? "faint" : LEVELS[newest.level]),
      { text: title, style, flex: true },
      span(times, "soft"),
    ],
    ...more.map((text): Span[] => [column("", indent + 9, "soft"), span(text, style)]),
    ...words.flatMap((text) => wrapText(text, inner - indent)).map((text): Span[] => [column("", indent, "soft"), span(text, "soft")]),
  ];
}

function hints(chosen: FindingGroup | undefined, inner: number): Span[] {
  const undo = inner >= 60 ? keyHint("Z", "undoes") : [];
  const does =
    chosen === undefined
      ? []
      : [...keyHint("Enter", "goes to it"), ...keyHint("x", chosen.dismissed ? "brings it back" : "dismisses it"), ...undo];
  return [...does, ...keyHint("Esc", "closes")];
}

function asking({ theme }: Picture, { findings, text }: NonNullable<FindingsDialog["dismissing"]>, inner: number): Span[][] {
  const what = findings.length > 1 ? `dismisses all ${findings.length}` : "dismisses it";
  return [
    [span("reason  ", "soft"), ...fieldSpans(theme, text, inner - 10, "why it is nothing: kept with your name")],
    [...keyHint("Enter", what, text.trim() !== ""), ...keyHint("Esc", "lets it stand")],
  ];
}

function evidence(state: State, { technique, entities, path, by }: FindingState, { dot, egress: arrow }: Theme["glyphs"]): string {
  const people = entities.slice(0, 4).map((id) => {
    const process = state.processes.get(id);
    const login = state.logins.get(process?.login ?? id);
    if (!process) return login ? `login ${loginCalled(login)}` : "a process no longer in the picture";
    const judged = process.standing === "unknown" || login?.ours ? "" : ` (${process.standing})`;
    return `${processText(process)}${login ? ` of ${login.ours ? "this console" : loginCalled(login)}` : ""}${judged}`;
  });
  const [doer, ...whom] = [...(by ? [`${by.name} ${by.pid}`] : []), ...people];
  const who = doer === undefined ? [] : [whom.length > 0 ? `${doer} ${arrow} ${whom.join(", ")}` : doer];
  return [technique.join(" "), ...who, ...(path === undefined ? [] : [path])].filter((part) => part !== "").join(` ${dot} `);
}
