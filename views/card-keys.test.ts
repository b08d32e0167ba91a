import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { StartCard } from "#model/start-card";
import { cardDialogOf, cardKey } from "./card-keys.ts";
import { cardDialog } from "./dialogs/card.ts";
import { firstScreenState } from "./screen-state.ts";
import { makeTheme } from "./theme.ts";

const CARD: StartCard = { analyst: "jm", ticket: "INC-1", authorised_by: "Anna", scope: ["observe", "contain"] };
const skipped = (given: Partial<StartCard>, typed = "") => {
  let dialog = cardDialogOf({ card: { ...CARD, ...given }, given });
  dialog = { ...dialog, texts: { ...dialog.texts, notes: typed } };
  const { intent } = cardKey({ ...firstScreenState(), dialog }, dialog, { name: "escape", text: "" }, true);
  return intent?.kind === "card" ? intent.card : undefined;
};
const hint = (given: Partial<StartCard>) => {
  const theme = makeTheme("none");
  const { rows } = cardDialog(theme, { width: 100, height: 40 }, cardDialogOf({ card: { ...CARD, ...given }, given }), "devbox", true);
  return rows.map(stripVTControlCharacters).join("\n");
};

test("a card that is put away keeps what was given with the command, and nothing else", () => {
  expect(skipped({ analyst: "kim", ticket: "INC-9", authorised_by: "Bea", scope: ["observe", "collect"], notes: "n" }, "typed")).toEqual({
    analyst: "kim",
    ticket: "INC-9",
    authorised_by: "Bea",
    scope: ["observe", "collect"],
    notes: "n",
    skipped: true,
  });
  // what was only remembered of the last time, or typed, is nobody's word for this session
  expect(skipped({}, "typed")).toEqual({ analyst: "jm", scope: ["observe"], skipped: true });
});

test("what Esc leaves is said beforehand", () => {
  expect(hint({})).toContain("skips it: observe only");
  expect(hint({ ticket: "INC-9" })).toContain("skips it: as given, observe only");
  expect(hint({ scope: ["observe", "contain"] })).toContain("skips it: as given, contain");
});
