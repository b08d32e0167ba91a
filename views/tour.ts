import type { Keymap } from "#commands/command";
import { box, keyHint, type Overlay } from "./dialogs/box.ts";
import { type Span, span, wrapText } from "./row.ts";
import type { Theme } from "./theme.ts";

interface Step {
  title: string;
  text: string;
}

/** The five things that matter, in the order in which they matter at night. */
function steps({ label }: Keymap, mode: "live" | "replay"): readonly Step[] {
  const live = mode === "replay" ? " (In the live session: this is a replay.)" : "";
  return [
    {
      title: "Who is there",
      text: `Each login of the host heads what runs under it, the worst and newest on top. ${label("up")} ${label("down")} choose a row, ${label("toggle-fold")} opens and folds it, ${label("next-pane")} goes to connections and new binaries.`,
    },
    {
      title: "That one is us",
      text: `On your team's logins press ${label("tag")}, say that it is a responder, and all that comes from there folds away. What is left is not yours.${live}`,
    },
    {
      title: "Nothing is gone",
      text: `What tags hide is counted in the title of the tree. ${label("show-hidden")} shows it in its place, and hides it again.`,
    },
    {
      title: "Cut it off",
      text: `${label("isolate")} shows exactly what will run and what it breaks, and asks. Then the host talks to you alone, proven both ways, until ${label("isolate")} releases it.${live}`,
    },
    {
      title: "Find it",
      text: `${label("filter")} narrows every pane as you type: country:cn, user:root, -nginx. ${label("palette")} lists all there is to do, ${label("help")} every key.`,
    },
  ];
}

export const TOUR_STEPS = 5;

/** One step, to be laid over the lower end of a screen that goes on in its colours. */
export function tourOverlay(
  theme: Theme,
  size: { width: number; height: number },
  keymap: Keymap,
  mode: "live" | "replay",
  at: number,
): Overlay {
  const width = Math.min(size.width - 4, 76);
  const all = steps(keymap, mode);
  const step = all[at] ?? (all[0] as Step);
  const body: Span[][] = wrapText(step.text, width - 4).map((text) => [span(text, "text")]);
  const last = at >= TOUR_STEPS - 1;
  const foot = [
    [...keyHint("Enter", last ? "done" : "next"), ...keyHint("Esc", "ends the tour"), span("any other key works as always", "faint")],
  ];
  return box(theme, { title: `${at + 1} of ${TOUR_STEPS}: ${step.title}`, style: "focus", body, foot, width, height: size.height });
}
