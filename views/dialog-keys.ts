import type { Company } from "#commands/command";
import type { ResponseProgress } from "#model/response-progress";
import { cardKey } from "./card-keys.ts";
import { allowingKey, choiceKey } from "./choice-keys.ts";
import { edited } from "./field.ts";
import { commandKey } from "./host/command-keys.ts";
import { isCommandDialog } from "./host/dialog.ts";
import type { Key } from "./keys.ts";
import { isPairDialog } from "./pair/dialog.ts";
import { pairDialogKey } from "./pair/dialog-keys.ts";
import { ownPerson } from "./pair/person.ts";
import { reasonKey } from "./reason-keys.ts";
import type { Handled, LocalDialog, ScreenState } from "./screen-state.ts";
import { scrolled } from "./scrolled.ts";
import type { ViewStore } from "./store.ts";
import { isTagsDialog } from "./tags/dialog.ts";
import { tagsDialogKey } from "./tags/list-keys.ts";
import { TOUR_STEPS } from "./tour.ts";
import { findingsKey } from "./trust/findings-keys.ts";

const LONGEST_NAME = 40;
const LONGEST_SEARCH = 200;

/**
 * A key while a local dialog is open, but the palette and the list of measures: what those offer is the screen's. Whatever the key, it goes
 * no further, but past a tour. `armed`: the dialog has been on the screen.
 */
export function localDialogKey(state: ScreenState, key: Key, armed: boolean, store: ViewStore): Handled {
  const { dialog, ...rest } = state;
  if (!dialog || dialog.kind === "palette" || dialog.kind === "measures") return { state };
  if (isPairDialog(dialog)) return pairDialogKey(state, dialog, key, armed, store);
  if (dialog.kind === "findings") return findingsKey(state, dialog, key, armed, store);
  if (isTagsDialog(dialog)) return tagsDialogKey(state, dialog, key, armed, store);
  if (isCommandDialog(dialog)) return commandKey(state, dialog, key, armed, store.state);
  if (dialog.kind === "card") return cardKey(state, dialog, key, armed);
  if (dialog.kind === "reason") return reasonKey(state, dialog, key, armed);
  if (dialog.kind === "tour") return tourKey(state, rest, dialog.step, key);
  if (dialog.kind === "help" && dialog.text !== "" && key.name === "escape")
    return { state: { ...state, dialog: { kind: "help", scroll: 0, text: "" } } };
  if (key.name === "escape" || (key.name === "ctrl-c" && dialog.kind !== "leave")) return { state: rest };
  if (dialog.kind in READ) return readKey(state, rest, dialog as Of<keyof typeof READ>, key);
  if (dialog.kind === "help") return helpKey(state, rest, dialog, key);
  if (dialog.kind === "name-filter") return nameKey(state, rest, dialog, key);
  if (dialog.kind === "search") return searchKey(state, rest, dialog, key);
  if (key.name !== "q" && key.name !== "enter" && key.name !== "ctrl-c") return { state };
  return armed
    ? { state: rest, intent: { kind: "quit" } }
    : { state, notice: "that key came before the question was on the screen: press it again" };
}

type Of<Kind extends LocalDialog["kind"]> = LocalDialog & { kind: Kind };

/** Dialogs that are only read, each with the key that opened it and closes it again, beside Enter and q. */
const READ = { about: "d", sight: "B", rotate: "K", sockets: "q" } as const;

function readKey(state: ScreenState, closed: ScreenState, dialog: Of<keyof typeof READ>, key: Key): Handled {
  const scroll = scrolled(dialog.scroll, key.name);
  if (scroll !== undefined) return { state: { ...state, dialog: { ...dialog, scroll } } };
  return { state: ["q", "enter", READ[dialog.kind]].includes(key.name) ? closed : state };
}

/** Letters narrow the help, so only keys without a letter move in it. */
function helpKey(state: ScreenState, closed: ScreenState, dialog: Of<"help">, key: Key): Handled {
  const scroll = key.text === undefined ? scrolled(dialog.scroll, key.name) : undefined;
  if (scroll !== undefined) return { state: { ...state, dialog: { ...dialog, scroll } } };
  if (key.name === "enter" || (key.name === "?" && dialog.text === "")) return { state: closed };
  const text = edited(dialog.text, key, LONGEST_SEARCH);
  return text === undefined ? { state } : { state: { ...state, dialog: { ...dialog, text, scroll: 0 } } };
}

function nameKey(state: ScreenState, closed: ScreenState, dialog: Of<"name-filter">, key: Key): Handled {
  const name = dialog.name.trim();
  if (key.name === "enter")
    return name === "" ? { state, notice: "it needs a name" } : { state: closed, save: { name, text: dialog.text } };
  const typed = edited(dialog.name, key, LONGEST_NAME);
  return typed === undefined ? { state } : { state: { ...state, dialog: { ...dialog, name: typed } } };
}

/** Enter goes on, Up goes back; what was typed stands there again the next time. */
function searchKey(state: ScreenState, closed: ScreenState, dialog: Of<"search">, key: Key): Handled {
  if (key.name === "enter" || key.name === "up") {
    const words = dialog.text.trim();
    if (words === "") return { state, notice: "type what is to be found" };
    return { state: { ...closed, searched: words }, intent: { kind: "seek", to: { words, direction: key.name === "up" ? -1 : 1 } } };
  }
  const text = edited(dialog.text, key, LONGEST_SEARCH);
  return text === undefined ? { state } : { state: { ...state, dialog: { ...dialog, text } } };
}

function tourKey(state: ScreenState, closed: ScreenState, step: number, key: Key): Handled {
  if (key.name === "escape" || key.name === "ctrl-c") return { state: closed };
  if (key.name !== "enter") return { state: closed, pass: true };
  return step + 1 >= TOUR_STEPS ? { state: closed } : { state: { ...state, dialog: { kind: "tour", step: step + 1 } } };
}

/** A key while a response dialog is open: it confirms the plan that is shown, drops it, or scrolls. */
export function responseDialogKey(state: ScreenState, dialog: ResponseProgress, key: Key, armed: boolean, company?: Company): Handled {
  if (state.allowing !== undefined && dialog.phase === "review") return allowingKey(state, state.allowing, dialog, key);
  const scroll = scrolled(state.planScroll, key.name);
  if (scroll !== undefined) return { state: { ...state, planScroll: scroll } };
  const leave = key.name === "escape" || key.name === "ctrl-c";
  const over = dialog.phase === "succeeded" || dialog.phase === "failed";
  if (over) {
    if (!armed && !leave) return { state, notice: "that key came before the result was on the screen: read it first" };
    return leave || key.name === "enter" ? { state, intent: { kind: "dismiss", response: dialog.id } } : { state };
  }
  if (dialog.phase === "running") return { state, notice: leave ? "it is running: wait for the result, then undo it" : "" };
  const own = ownPerson(company);
  const adjusted = dialog.phase === "review" ? choiceKey(state, dialog, key, own?.name) : undefined;
  if (adjusted) return adjusted;
  // it came up by itself on this screen: a key that was meant for something else must not drop it
  if (leave && own && dialog.by !== own.name && !armed) return { state, notice: `${dialog.by} has made a plan: read it first` };
  if (leave) return { state, intent: { kind: "dismiss", response: dialog.id } };
  const alone = key.name === "a" && dialog.two !== undefined;
  if (key.name !== "enter" && !alone) return { state };
  if (dialog.phase === "planning" || dialog.plan_sha256 === undefined) return { state, notice: "the plan is not ready yet" };
  if (!armed) return { state, notice: "that Enter came before the plan was on the screen: read it, then press Enter" };
  const { id: response, plan_sha256 } = dialog;
  return { state, intent: { kind: "confirm", response, plan_sha256, ...(alone ? { alone: true as const } : {}) } };
}
