import { type ProposedCard, SCOPES, type StartCard } from "#model/start-card";
import { CARD_FIELDS, type CardDialog, type CardField } from "./asked.ts";
import { edited } from "./field.ts";
import type { Key } from "./keys.ts";
import type { Handled, ScreenState } from "./screen-state.ts";

const LONGEST: Record<Exclude<CardField, "scope">, number> = { analyst: 60, authorised_by: 120, ticket: 60, notes: 400 };

/** A card to be filled in, with what is known beforehand. */
export function cardDialogOf({ card, given }: ProposedCard): CardDialog {
  const wanted = (card.scope ?? ["observe"]).join();
  return {
    kind: "card",
    given,
    field: "analyst",
    texts: { analyst: card.analyst, authorised_by: card.authorised_by ?? "", ticket: card.ticket ?? "", notes: card.notes ?? "" },
    scope: Math.max(
      0,
      SCOPES.findIndex((scope) => scope.join() === wanted),
    ),
  };
}

/** What the card says as it stands. */
function answered({ texts, scope }: CardDialog): StartCard {
  const [analyst, authorised, ticket, notes] = [texts.analyst, texts.authorised_by, texts.ticket, texts.notes].map((text) => text.trim());
  return {
    analyst: analyst || "unnamed",
    ...(authorised ? { authorised_by: authorised } : {}),
    ...(ticket ? { ticket } : {}),
    scope: [...(SCOPES[scope] ?? ["observe"])],
    ...(notes ? { notes } : {}),
  };
}

/** The card that nobody answered: what was given with the command stands, what was typed does not. */
const skipped = ({ given, texts }: CardDialog): StartCard => ({
  analyst: texts.analyst.trim() || "unnamed",
  scope: ["observe"],
  ...given,
  skipped: true,
});

/** A key while the start card is open. Enter begins with what is there, whichever field has the keys. */
export function cardKey(state: ScreenState, dialog: CardDialog, key: Key, armed: boolean): Handled {
  const { dialog: _, ...rest } = state;
  if (key.name === "ctrl-c") return { state: rest, intent: { kind: "quit" } };
  if (key.name === "escape" || key.name === "enter") {
    if (!armed) return { state, notice: "that key came before the card was on the screen: press it again" };
    return { state: rest, intent: { kind: "card", card: key.name === "enter" ? answered(dialog) : skipped(dialog) } };
  }
  const change = (more: Partial<CardDialog>): Handled => ({ state: { ...state, dialog: { ...dialog, ...more } } });
  const step = key.name === "tab" || key.name === "down" ? 1 : key.name === "shift-tab" || key.name === "up" ? -1 : 0;
  if (step !== 0) {
    const next = (CARD_FIELDS.indexOf(dialog.field) + step + CARD_FIELDS.length) % CARD_FIELDS.length;
    return change({ field: CARD_FIELDS[next] as CardField });
  }
  if (dialog.field === "scope") {
    const turn = key.name === "right" || key.name === " " ? 1 : key.name === "left" ? -1 : 0;
    return turn === 0 ? { state } : change({ scope: (dialog.scope + turn + SCOPES.length) % SCOPES.length });
  }
  const text = edited(dialog.texts[dialog.field], key, LONGEST[dialog.field]);
  return text === undefined ? { state } : change({ texts: { ...dialog.texts, [dialog.field]: text } });
}
