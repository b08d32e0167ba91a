import type { ReasonDialog } from "./asked.ts";
import { edited } from "./field.ts";
import type { Key } from "./keys.ts";
import type { Handled, ScreenState } from "./screen-state.ts";

const LONGEST = 300;

/** A key while the reason is asked for: without one, nothing goes on. */
export function reasonKey(state: ScreenState, dialog: ReasonDialog, key: Key, armed: boolean): Handled {
  const { dialog: _, ...rest } = state;
  if (key.name === "escape" || key.name === "ctrl-c") return { state: rest };
  if (key.name === "enter") {
    if (!armed) return { state, notice: "that Enter came before the question was on the screen: press it again" };
    const reason = dialog.text.trim();
    if (reason === "") return { state, notice: "write a reason: it is recorded beside what you do" };
    return {
      state: rest,
      intent: { kind: "plan", response: dialog.response, reason, ...(dialog.measure ? { measure: dialog.measure } : {}) },
    };
  }
  const text = edited(dialog.text, key, LONGEST);
  return text === undefined ? { state } : { state: { ...state, dialog: { ...dialog, text } } };
}
