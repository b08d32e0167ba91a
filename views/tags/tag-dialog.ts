import type { Selector, TagScope, Verdict } from "#model/event";
import { criteriaOf, namesLogins, selectorProblem } from "#state/criteria";
import { isHidden } from "#state/lineage";
import type { State } from "#state/state";
import { effectWords } from "#state/words";
import { box, keyHint, type Overlay } from "../dialogs/box.ts";
import { fieldSpans } from "../field.ts";
import { standingStyle } from "../panes/tree-row.ts";
import { type Span, span, wrapText } from "../row.ts";
import { selectorName } from "../selector.ts";
import type { Style, Theme } from "../theme.ts";
import { selectorOf, type TagDialog, typedPart, typedValue } from "./dialog.ts";
import { reachOf } from "./reach.ts";
import { REASONS, SCOPES, VERDICTS } from "./tag-keys.ts";

const MEANS: Record<Verdict, string> = {
  responder: "our own work: hidden and counted",
  "known-good": "belongs here: hidden and counted",
  suspect: "not explained yet: stays in sight, marked",
  intruder: "the attacker's: moves to the top, marked",
};

const SCOPE_WORDS: Record<TagScope, string> = { session: "this session", host: "this host", profile: "our team's profile" };
const SCOPE_MEANS: Record<TagScope, string> = {
  session: "",
  host: "kept on your machine, made again in every session on this host",
  profile: "kept on your machine, suggested on every host",
};
const LABEL = 10;

/** Asks what a tag is on, for verdict, reason and scope, and says beforehand what it will do. */
export function tagDialog(theme: Theme, size: { width: number; height: number }, state: State, dialog: TagDialog): Overlay {
  const { verdict, scope } = dialog;
  const width = Math.min(size.width - 4, 84);
  const room = width - 4 - LABEL;
  const selector = selectorOf(dialog);
  const label = (text: string): Span => span(text.padEnd(LABEL), "soft");
  const chosen = (text: string, on: boolean, style: Style): Span[] => [span(` ${text} `, on ? "button" : style), span(" ")];
  const told = (name: string, text: string, style: Style): Span[][] =>
    wrapText(text, room).map((line, i): Span[] => [label(i === 0 ? name : ""), span(line, style)]);
  const many = dialog.choices.length > 1;
  const on: Span[] = dialog.typing
    ? [
        span(`${typedPart(selector) ?? ""} `, "soft"),
        ...fieldSpans(theme, typedValue(selector) ?? "", room - 12, HINTS[typedPart(selector) ?? "source"]),
      ]
    : [{ text: selectorName(state, selector), style: "strong", flex: true, cut: "middle" }];
  const body: Span[][] = [
    [],
    [label("on"), ...on, ...(many ? [span(` ${dialog.at + 1} of ${dialog.choices.length}`, "faint")] : [])],
    ...(many || dialog.typing ? told("", choiceHint(dialog, selector), "soft") : []),
    [label("verdict"), ...VERDICTS.flatMap((v) => chosen(`${theme.glyphs.standing[v]} ${v}`, v === verdict, standingStyle(v)))],
    [label(""), span(MEANS[verdict], "soft")],
    [label("reason"), ...fieldSpans(theme, dialog.reason, room, REASONS[verdict], !dialog.typing)],
    [label("scope"), ...SCOPES.flatMap((s) => chosen(SCOPE_WORDS[s], s === scope, "text"))],
    ...(scope === "session" ? [] : told("", SCOPE_MEANS[scope], "soft")),
    [],
    ...effectLines(state, dialog, selector, told),
    [],
  ];
  const foot = [
    [
      ...keyHint("Enter", dialog.typing ? "takes it" : dialog.replaces === undefined ? "tags it" : "changes it"),
      ...(dialog.typing ? [] : [...keyHint("←→", "verdict"), ...keyHint("Tab", "scope")]),
      ...(many ? keyHint("↑↓", "on") : []),
      ...keyHint("Esc", "cancels"),
    ],
  ];
  return box(theme, {
    title: `${dialog.replaces === undefined ? "Tag" : "Change the tag on"} ${typedValue(selector) === "" ? "by rule" : selectorName(state, selector)}`,
    style: "focus",
    body,
    foot,
    width,
    height: size.height,
  });
}

const HINTS: Record<NonNullable<ReturnType<typeof typedPart>>, string> = {
  source: "198.51.100.7, 198.51.100.0/24, 2001:db8::/64",
  user: "a name or a numeric id",
  command: "/usr/bin/rsync, or */rsync --server *",
  sha256: "64 hexadecimal digits",
  unit: "nginx.service",
  container: "an id, or its beginning",
  cron: "the command as it stands in the crontab",
};

function choiceHint({ typing }: TagDialog, selector: Selector): string {
  if (typing) return "";
  return typedPart(selector) === undefined ? "Up and Down: its account, address, network, program, command" : "Ctrl-E types another value";
}

type Told = (name: string, text: string, style: Style) => Span[][];

/** What it would do, and what of that wants a second look. */
function effectLines(state: State, dialog: TagDialog, selector: Selector, told: Told): Span[][] {
  const wrong = selectorProblem(selector);
  if (wrong !== undefined) return told("", typedValue(selector) === "" ? "type what it is on" : wrong, "warn");
  const reach = reachOf(state, dialog);
  const hides = isHidden(dialog.verdict);
  const nothing = reach.covers === 0 && reach.logins + reach.binaries === 0;
  return [
    ...told(hides ? "hides" : "marks", nothing ? "nothing that is in the picture now" : effectWords(reach), "text"),
    ...told("", later(state, selector, dialog.verdict), "soft"),
    ...(reach.flagged > 0 && !dialog.hidesFlagged ? told("", "what is flagged stays in sight; Ctrl-F hides it, too", "warn") : []),
    ...(reach.flagged > 0 && dialog.hidesFlagged ? told("", "what is flagged is hidden, too; Ctrl-F leaves it in sight", "alarm") : []),
    ...(reach.everything ? told("", dialog.sure ? "NOTHING stays in sight: Enter does it" : "nothing would stay in sight", "alarm") : []),
  ];
}

/** What the tag means for what comes. */
function later(state: State, selector: Selector, verdict: Verdict): string {
  if (!("login" in selector) && !("process" in selector)) {
    const criteria = criteriaOf(selector);
    if (criteria && isHidden(verdict) && !namesLogins(criteria)) return "and what fits later; no login is hidden by it";
    return "and whatever fits later";
  }
  const process = "process" in selector ? state.processes.get(selector.process) : undefined;
  return process?.end === undefined ? "and whatever comes from there later" : "it has ended: the tag is on what it did";
}
