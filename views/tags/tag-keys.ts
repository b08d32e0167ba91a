import type { Criteria, Selector, TagScope, Verdict } from "#model/event";
import { criteriaOf, LONGEST_VALUE, selectorProblem } from "#state/criteria";
import { isHidden } from "#state/lineage";
import type { State } from "#state/state";
import { edited } from "../field.ts";
import type { Key } from "../keys.ts";
import type { Handled, ScreenState } from "../screen-state.ts";
import { selectorOf, type TagDialog, typedPart, typedValue } from "./dialog.ts";
import { reachOf } from "./reach.ts";

export const VERDICTS: readonly Verdict[] = ["responder", "known-good", "suspect", "intruder"];
export const SCOPES: readonly TagScope[] = ["session", "host", "profile"];
/** Longest reason, in characters: it goes into the log and onto one line. */
const LONGEST_REASON = 160;

/** What a tag says when the analyst typed no reason. */
export const REASONS: Record<Verdict, string> = {
  responder: "our own triage",
  "known-good": "known service",
  suspect: "looks wrong",
  intruder: "intruder activity",
};

/** Why a tag of this scope cannot be on that; a login and a process are of this session alone. */
const scopeProblem = (selector: Selector, scope: TagScope): string | undefined =>
  scope !== "session" && criteriaOf(selector) === undefined
    ? "one login or process is of this session alone: choose with Up and Down what it has in common with others"
    : undefined;

/** A key while a tag is decided. */
export function tagKey(state: ScreenState, dialog: TagDialog, key: Key, armed: boolean, host: State): Handled {
  const { dialog: _, ...closed } = state;
  const is = (more: Partial<TagDialog>): Handled => ({ state: { ...state, dialog: { ...dialog, ...more } } });
  const changed = (more: Partial<TagDialog>) => is({ sure: false, hidesFlagged: false, ...more });
  const selector = selectorOf(dialog);
  if (dialog.typing) {
    if (key.name === "escape" || key.name === "enter" || key.name === "ctrl-e") {
      const wrong = selectorProblem(selector);
      if (key.name !== "escape" && wrong !== undefined) return { state, notice: wrong };
      return key.name === "escape" && wrong !== undefined ? { state: closed } : is({ typing: false });
    }
    const part = typedPart(selector);
    const value = edited(typedValue(selector) ?? "", key, LONGEST_VALUE);
    if (part !== undefined && value !== undefined) {
      const typed: Criteria = { ...criteriaOf(selector), [part]: value };
      return changed({ choices: dialog.choices.with(dialog.at, typed) });
    }
  }
  if (key.name === "escape" || key.name === "ctrl-c") return { state: closed };
  if (key.name === "up" || key.name === "down") {
    const at = (dialog.at + (key.name === "up" ? dialog.choices.length - 1 : 1)) % Math.max(1, dialog.choices.length);
    const next = dialog.choices[at] ?? {};
    return changed({ at, typing: typedValue(next) === "", ...(scopeProblem(next, dialog.scope) ? { scope: "session" as const } : {}) });
  }
  if (key.name === "left" || key.name === "right")
    return changed({ verdict: next(VERDICTS, dialog.verdict, key.name === "left" ? -1 : 1) });
  if (key.name === "tab" || key.name === "shift-tab") {
    const scope = next(SCOPES, dialog.scope, key.name === "tab" ? 1 : -1);
    const wrong = scopeProblem(selector, scope);
    return wrong === undefined ? is({ scope }) : { state, notice: wrong };
  }
  if (key.name === "ctrl-e") {
    if (typedPart(selector) === undefined) return { state, notice: "this is one thing and cannot be typed: Up and Down choose another" };
    return changed({ typing: true });
  }
  if (key.name === "ctrl-f") {
    if (!isHidden(dialog.verdict) || reachOf(host, dialog).flagged === 0) return { state, notice: "nothing that it hides is flagged" };
    return is({ hidesFlagged: !dialog.hidesFlagged });
  }
  if (key.name === "enter") return decided(state, closed, dialog, armed, host);
  const reason = edited(dialog.reason, key, LONGEST_REASON);
  return reason === undefined ? { state } : is({ reason });
}

function decided(state: ScreenState, closed: ScreenState, dialog: TagDialog, armed: boolean, host: State): Handled {
  if (!armed) return { state, notice: "that Enter came before the dialog was on the screen: press it again" };
  const selector = selectorOf(dialog);
  const wrong = selectorProblem(selector);
  if (wrong !== undefined) return { state: { ...state, dialog: { ...dialog, typing: true } }, notice: wrong };
  if (!dialog.sure && reachOf(host, dialog).everything)
    return {
      state: { ...state, dialog: { ...dialog, sure: true } },
      notice: "this would leave nothing in sight: Enter again does it all the same",
    };
  return {
    state: closed,
    intent: {
      kind: "tag",
      selector,
      verdict: dialog.verdict,
      reason: dialog.reason.trim() || REASONS[dialog.verdict],
      since: dialog.since,
      ...(dialog.scope === "session" ? {} : { scope: dialog.scope }),
      ...(dialog.hidesFlagged ? { hides_flagged: true as const } : {}),
      ...(dialog.replaces === undefined ? {} : { replaces: dialog.replaces }),
    },
  };
}

function next<T>(all: readonly T[], now: T, step: -1 | 1): T {
  return all[(all.indexOf(now) + step + all.length) % all.length] ?? now;
}
