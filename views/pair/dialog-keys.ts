import { edited } from "../field.ts";
import type { Key } from "../keys.ts";
import type { Handled, ScreenState } from "../screen-state.ts";
import { scrolled } from "../scrolled.ts";
import type { ViewStore } from "../store.ts";
import type { PairDialog } from "./dialog.ts";
import { ownPerson } from "./person.ts";

const LONGEST_CHAT = 300;
const LONGEST_NOTE = 2000;
/** A pasted key: RSA of 16,384 bits has some 2,800 characters. */
const LONGEST_KEYS = 4096;

type Of<Kind extends PairDialog["kind"]> = PairDialog & { kind: Kind };
type Known = Pick<ViewStore, "company" | "state">;

/** A key while a dialog of two is open; it goes no further. */
export function pairDialogKey(state: ScreenState, dialog: PairDialog, key: Key, armed: boolean, known: Known): Handled {
  const { dialog: _, ...closed } = state;
  if (dialog.kind === "people" && dialog.keys !== undefined) return keysKey(state, { ...dialog, keys: dialog.keys }, key, armed);
  if (key.name === "escape" || key.name === "ctrl-c") return { state: closed };
  if (dialog.kind === "compose") return composeKey(state, closed, dialog, key);
  const scroll = scrolled(dialog.scroll, key.name);
  if (scroll !== undefined) return { state: { ...state, dialog: { ...dialog, scroll } } };
  if (dialog.kind === "who-did-what") return key.name === "enter" || key.name === "W" ? { state: closed } : { state };
  return peopleKey(state, closed, dialog, key, known);
}

function composeKey(state: ScreenState, closed: ScreenState, dialog: Of<"compose">, key: Key): Handled {
  const text = dialog.text.trim();
  if (key.name === "enter") {
    if (text === "") return { state, notice: "nothing is written yet" };
    if (dialog.what === "chat") return { state: closed, intent: { kind: "chat", text } };
    return { state: closed, intent: { kind: "note", text, ...(dialog.on ? { on: dialog.on } : {}) } };
  }
  const typed = edited(dialog.text, key, dialog.what === "chat" ? LONGEST_CHAT : LONGEST_NOTE);
  return typed === undefined ? { state } : { state: { ...state, dialog: { ...dialog, text: typed } } };
}

/** Whose keys may join is typed or pasted. */
function keysKey(state: ScreenState, dialog: Of<"people"> & { keys: string }, key: Key, armed: boolean): Handled {
  const { keys: _, ...people } = dialog;
  if (key.name === "escape" || key.name === "ctrl-c") return { state: { ...state, dialog: people } };
  if (key.name === "enter") {
    if (!armed) return { state, notice: "that Enter came before the question was on the screen: press it again" };
    if (dialog.keys.trim() === "") return { state, notice: "name a file with public keys, or paste one" };
    return { state: { ...state, dialog: people }, intent: { kind: "open-door", keys: dialog.keys } };
  }
  const keys = edited(dialog.keys, key, LONGEST_KEYS);
  return keys === undefined ? { state } : { state: { ...state, dialog: { ...dialog, keys } } };
}

function peopleKey(state: ScreenState, closed: ScreenState, dialog: Of<"people">, key: Key, { company, state: session }: Known): Handled {
  const door = company?.door;
  if (key.name === "enter" || key.name === "P") return { state: closed };
  if (key.name === "r") return { state, intent: { kind: "two-people", on: !session.twoPeople } };
  if (door && key.name === "o" && !door.open)
    return door.configured ? { state, intent: { kind: "open-door" } } : { state: { ...state, dialog: { ...dialog, keys: "" } } };
  if (door?.open && key.name === "x") return { state, intent: { kind: "close-door" } };
  if (door?.open && key.name === "y")
    return { state, copy: door.open.line, notice: `sent to your terminal's clipboard: ${door.open.line}` };
  const to = /^[1-9]$/.test(key.name) ? company?.presence.people[Number(key.name) - 1] : undefined;
  if (!to) return { state };
  return to.name === ownPerson(company)?.name && to.name === company?.presence.driver
    ? { state, notice: "you drive already" }
    : { state, intent: { kind: "hand-over", to: to.name } };
}
