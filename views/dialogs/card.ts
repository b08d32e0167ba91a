import { SCOPES, type Scope } from "#model/start-card";
import { CARD_FIELDS, type CardDialog } from "../asked.ts";
import { fieldSpans } from "../field.ts";
import { column, type Span, span, wrapText } from "../row.ts";
import type { Theme } from "../theme.ts";
import { box, keyHint, type Overlay } from "./box.ts";

const LABELS: Record<(typeof CARD_FIELDS)[number], string> = {
  analyst: "investigator",
  authorised_by: "authorised by",
  ticket: "ticket",
  scope: "scope",
  notes: "notes",
};
const EMPTY: Record<string, string> = {
  analyst: "who are you?",
  authorised_by: "who said that you may be here",
  ticket: "number or link, if there is one",
  notes: "what the next reader should know",
};
const MEANS: Record<string, string> = {
  observe: "Look and record. Whatever changes the host asks you for a reason first.",
  "observe,contain": "Look, and isolate the host or release it.",
  "observe,collect": "Look, and take evidence. Isolating asks you for a reason first.",
  "observe,contain,collect": "Look, contain, and take evidence.",
};
const LABEL_WIDTH = 15;

/** Who investigates, on whose word, how far: over the live picture, which goes on behind it. */
export function cardDialog(
  theme: Theme,
  size: { width: number; height: number },
  dialog: CardDialog,
  host: string,
  armed: boolean,
): Overlay {
  const width = Math.min(size.width - 4, 88);
  const inner = width - 4;
  const room = inner - LABEL_WIDTH - 2;
  const short = size.height < 22;
  const body: Span[][] = [
    [],
    ...wrapText("Recording has begun. This goes into the record and the report, and can wait: Enter takes it as it stands.", inner).map(
      (text) => [span(text, "soft")],
    ),
    [],
  ];
  for (const name of CARD_FIELDS) {
    const active = dialog.field === name;
    const label = [span(active ? `${theme.glyphs.folded} ` : "  ", "focus"), column(LABELS[name], LABEL_WIDTH, active ? "focus" : "soft")];
    if (name !== "scope") {
      body.push([...label, ...fieldSpans(theme, dialog.texts[name], room, EMPTY[name] ?? "", active)]);
      continue;
    }
    const chosen = SCOPES[dialog.scope] ?? [];
    body.push([
      label[0] as Span,
      column(LABELS[name], LABEL_WIDTH - 1, active ? "focus" : "soft"),
      ...ALL.flatMap((scope) => [choice(theme, scope, chosen, active), span(" ")]),
    ]);
    for (const text of wrapText(MEANS[chosen.join()] ?? "", room)) body.push([span("  "), column("", LABEL_WIDTH), span(text, "soft")]);
    if (!short) body.push([]);
  }
  if (!short) body.push([]);
  const foot = [
    [
      ...keyHint("Enter", armed ? "begins" : "wait", armed),
      ...keyHint("Tab", inner < 78 ? "next" : "next field"),
      ...(dialog.field === "scope" ? keyHint(theme.glyphs.sideways, "changes the scope") : keyHint("Esc", skipWords(dialog))),
    ],
  ];
  return box(theme, { title: `Start card ${theme.glyphs.dot} ${host}`, style: "focus", body, foot, width, height: size.height - 2 });
}

/** What Esc leaves, in a few words. */
export function skipWords({ given: { analyst: _, scope = ["observe"], ...given } }: CardDialog): string {
  const held = scope.length > 1 ? scope.slice(1).join("+") : "observe only";
  return `skips it: ${scope.length > 1 || Object.keys(given).length > 0 ? "as given, " : ""}${held}`;
}

const ALL: readonly Scope[] = ["observe", "contain", "collect"];

function choice(theme: Theme, scope: Scope, chosen: readonly Scope[], active: boolean): Span {
  const on = chosen.includes(scope);
  const text = ` ${on ? theme.glyphs.yes : theme.glyphs.dot} ${scope} `;
  return span(text, on ? (active ? "button" : "strong") : "faint");
}
