import { LONGEST_COMMAND } from "#model/event";
import type { State } from "#state/state";
import { edited } from "../field.ts";
import type { Key } from "../keys.ts";
import type { Handled, ScreenState } from "../screen-state.ts";
import { scrolled } from "../scrolled.ts";
import type { CommandDialog } from "./dialog.ts";

/** A key while a command is typed, or what it wrote is read. */
export function commandKey(state: ScreenState, dialog: CommandDialog, key: Key, armed: boolean, host: State): Handled {
  const { dialog: _, ...closed } = state;
  if (key.name === "escape" || key.name === "ctrl-c") return { state: closed };
  if (dialog.kind === "compose-command") {
    if (key.name === "enter") {
      if (!armed) return { state, notice: "that Enter came before the line was on the screen: press it again" };
      const line = dialog.text.trim();
      if (line === "") return { state, notice: "nothing is written yet" };
      return { state: { ...state, dialog: { kind: "commands", back: 0, scroll: 0 } }, intent: { kind: "run", line } };
    }
    const last = [...host.commands.values()].at(-1)?.line;
    if (key.name === "up" && dialog.text === "" && last !== undefined) return { state: { ...state, dialog: { ...dialog, text: last } } };
    const text = edited(dialog.text, key, LONGEST_COMMAND);
    return text === undefined ? { state } : { state: { ...state, dialog: { ...dialog, text } } };
  }
  const scroll = scrolled(dialog.scroll, key.name);
  if (scroll !== undefined) return { state: { ...state, dialog: { ...dialog, scroll } } };
  const most = Math.max(0, host.commands.size - 1);
  if (key.name === "left") return { state: { ...state, dialog: { ...dialog, back: Math.min(most, dialog.back + 1), scroll: 0 } } };
  if (key.name === "right") return { state: { ...state, dialog: { ...dialog, back: Math.max(0, dialog.back - 1), scroll: 0 } } };
  const shown = [...host.commands.values()].at(-1 - dialog.back);
  if (key.name === "x" && shown && shown.end === undefined) return { state, intent: { kind: "stop-command", command: shown.id } };
  return { state: key.name === "enter" || key.name === "O" ? closed : state };
}
