import { type Criterion, criteriaOf, criterionNames } from "#state/criteria";
import type { Key } from "../keys.ts";
import type { Handled, ScreenState } from "../screen-state.ts";
import { scrolled } from "../scrolled.ts";
import type { ViewStore } from "../store.ts";
import { type TagDialog, type TagsDialog, tagDialogOf } from "./dialog.ts";
import { entriesOf } from "./entries.ts";
import { tagKey } from "./tag-keys.ts";

type Known = Pick<ViewStore, "state" | "suggestions" | "meta">;
/** What is judged in a replay would be judged nowhere. */
const REPLAY = "a replay shows what was recorded: tags are made in the live session";

/** A key while one of the dialogs of tags is open. */
export function tagsDialogKey(state: ScreenState, dialog: TagDialog | TagsDialog, key: Key, armed: boolean, known: Known): Handled {
  if (dialog.kind === "tag") return tagKey(state, dialog, key, armed, known.state);
  const { dialog: _, ...closed } = state;
  if (key.name === "escape" || key.name === "ctrl-c" || key.name === "q") return { state: closed };
  if (dialog.kind === "footprint") {
    const scroll = scrolled(dialog.scroll, key.name);
    if (scroll !== undefined) return { state: { ...state, dialog: { ...dialog, scroll } } };
    return { state: key.name === "enter" ? closed : state };
  }
  return listKey(state, closed, dialog, key, armed, known);
}

function listKey(
  state: ScreenState,
  closed: ScreenState,
  dialog: TagsDialog & { kind: "tags" },
  key: Key,
  armed: boolean,
  { state: host, suggestions = [], meta }: Known,
): Handled {
  const entries = entriesOf(host, suggestions);
  const last = Math.max(0, entries.length - 1);
  const at = Math.min(dialog.at, last);
  const moved = scrolled(at, key.name);
  if (moved !== undefined) return { state: { ...state, dialog: { ...dialog, at: Math.min(last, moved) } } };
  if (key.name === "v") return { state: closed };
  const entry = entries[at];
  const wants = ["enter", "e", "x", "delete", "a", "Z", "ctrl-r"].includes(key.name);
  if (!wants || (!entry && key.name !== "Z" && key.name !== "ctrl-r")) return { state };
  if (meta.mode === "replay") return { state, notice: REPLAY };
  if (!armed) return { state, notice: "that key came before the list was on the screen: press it again" };
  if (key.name === "Z") return { state, intent: { kind: "undo-tag" } };
  if (key.name === "ctrl-r") return { state, intent: { kind: "redo-tag" } };
  if (key.name === "a") {
    if (suggestions.length === 0) return { state, notice: "nothing is suggested" };
    return { state: closed, intent: { kind: "accept", suggestions: suggestions.map(({ key: one }) => one) } };
  }
  if (!entry) return { state };
  if ("suggestion" in entry) {
    if (key.name === "enter") return { state, intent: { kind: "accept", suggestions: [entry.suggestion.key] } };
    return { state, notice: "this is a suggestion: Enter makes it a tag" };
  }
  const { tag } = entry;
  if (tag.removed !== undefined)
    return key.name === "enter"
      ? { state, intent: { kind: "restore-tag", tag: tag.id } }
      : { state, notice: "this one was taken back: Enter makes it again" };
  if (key.name === "x" || key.name === "delete") return { state, intent: { kind: "untag", tag: tag.id } };
  const edits = {
    tag: tag.id,
    verdict: tag.verdict,
    reason: tag.reason,
    scope: tag.scope ?? ("session" as const),
    hidesFlagged: tag.hides_flagged === true,
  };
  const opened = tagDialogOf({ kind: "compose-tag", choices: [tag.selector], since: host.sequence, edits });
  return { state: { ...state, dialog: opened } };
}

/** What kind of thing a tag is on, in a word. */
export function kindOf(selector: Parameters<typeof criteriaOf>[0]): "login" | "subtree" | Criterion | "rule" {
  const criteria = criteriaOf(selector);
  if (!criteria) return "login" in selector ? "login" : "subtree";
  const names = criterionNames(criteria);
  return names.length === 1 && names[0] ? names[0] : "rule";
}
