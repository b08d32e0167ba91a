import type { SharedIntent } from "#commands/intent";
import type { MeasureItem } from "#commands/measures";
import type { Key } from "./keys.ts";
import type { LocalDialog, ScreenState } from "./screen-state.ts";

export type MeasuresDialog = LocalDialog & { kind: "measures" };

/** A key while it is chosen what is done to the selected thing. Enter only makes the plan. */
export function measuresKey(
  state: ScreenState,
  dialog: MeasuresDialog,
  key: Key,
  items: readonly MeasureItem[],
  armed: boolean,
): { state: ScreenState; notice?: string; intent?: SharedIntent } {
  const { dialog: _, ...closed } = state;
  if (key.name === "escape" || key.name === "ctrl-c") return { state: closed };
  const step = { up: -1, k: -1, down: 1, j: 1 }[key.name];
  if (step !== undefined) {
    const at = Math.min(Math.max(0, dialog.at + step), Math.max(0, items.length - 1));
    return { state: { ...state, dialog: { ...dialog, at } } };
  }
  if (key.name !== "enter") return { state };
  const item = items[dialog.at];
  if (!item) return { state: closed, notice: "nothing can be done to it any more" };
  if (!armed) return { state, notice: "that Enter came before the list was on the screen: press it again" };
  return { state: closed, intent: { kind: "plan", response: item.response, measure: item.measure } };
}
