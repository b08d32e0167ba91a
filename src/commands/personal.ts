import type { Command, CommandContext } from "./command.ts";

const nothingSelected = ({ selection }: CommandContext) => (selection ? undefined : "nothing is selected");

/** What serves the analyst alone: nothing of it is recorded, nobody else sees it. */
export const PERSONAL_COMMANDS: readonly Command[] = [
  {
    id: "palette",
    keys: [":"],
    key: ":",
    title: "Palette",
    help: "Every command by its name, and every pid, address or path to go to: type some letters of it.",
    group: "own",
    footer: 6,
    intent: () => ({ kind: "palette" }),
  },
  {
    id: "mark",
    keys: ["m"],
    key: "m",
    title: "Mark",
    titleNow: ({ marked }) => (marked ? "Unmark" : "Mark"),
    help: "Mark the selected row to find it again; again to unmark it. Your own mark: it is not in the log and nobody else sees it.",
    group: "own",
    disabledReason: nothingSelected,
    intent: () => ({ kind: "mark" }),
  },
  {
    id: "next-own-mark",
    keys: ["'"],
    key: "'",
    title: "To mark",
    help: "To the next row that you marked, in whatever pane it is.",
    group: "own",
    disabledReason: ({ marks, keymap }) => (marks ? undefined : `nothing is marked: ${keymap.label("mark")} marks the selected row`),
    intent: () => ({ kind: "next-own-mark" }),
  },
  {
    id: "copy",
    keys: ["y"],
    key: "y",
    title: "Copy",
    help: "Copy what is selected to your clipboard (OSC 52): the command line, address, hash or name; again: the next of path, pid and so on.",
    group: "own",
    disabledReason: nothingSelected,
    intent: () => ({ kind: "copy", what: "value" }),
  },
  {
    id: "copy-details",
    keys: ["Y"],
    key: "Y",
    title: "Copy details",
    help: "Copy all that is known of what is selected, as Markdown.",
    group: "own",
    disabledReason: nothingSelected,
    intent: () => ({ kind: "copy", what: "details" }),
  },
  {
    id: "tour",
    keys: [],
    key: "",
    title: "Tour",
    help: "The five things that matter, in half a minute, on the live screen.",
    group: "console",
    intent: () => ({ kind: "tour" }),
  },
];
