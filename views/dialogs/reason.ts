import type { StartCard } from "#model/start-card";
import { scopeWords } from "#model/start-card";
import type { ReasonDialog } from "../asked.ts";
import { fieldSpans } from "../field.ts";
import { type Span, span, wrapText } from "../row.ts";
import type { Theme } from "../theme.ts";
import { box, keyHint, type Overlay } from "./box.ts";

/** What is wanted was not authorised: it can be done, with a reason that stays in the record. */
export function reasonDialog(
  theme: Theme,
  size: { width: number; height: number },
  dialog: ReasonDialog,
  card: StartCard | undefined,
  armed: boolean,
): Overlay {
  const width = Math.min(size.width - 4, 84);
  const inner = width - 4;
  const text = (words: string, style: "text" | "strong" | "soft"): Span[][] => wrapText(words, inner).map((line) => [span(line, style)]);
  const body: Span[][] = [
    [],
    ...text(`To ${dialog.response}${dialog.measure ? "" : " the host"} is outside the scope of this session.`, "strong"),
    ...text(
      `Authorised is: ${scopeWords(card?.scope ?? [])}${card?.authorised_by ? ` (by ${card.authorised_by})` : ""}. You can go on; your name and your reason go into the record and the report.`,
      "text",
    ),
    [],
    [span("reason  ", "soft"), ...fieldSpans(theme, dialog.text, inner - 10, "why it cannot wait, and who agreed")],
    [],
  ];
  const ready = armed && dialog.text.trim() !== "";
  const foot = [[...keyHint("Enter", "makes the plan", ready), ...keyHint("Esc", "cancels, nothing is changed")]];
  return box(theme, { title: "Outside the scope", style: "alarm", body, foot, width, height: size.height });
}
