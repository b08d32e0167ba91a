import type { Selector } from "#model/event";
import { candidates } from "#state/candidates";
import type { Command, CommandContext } from "./command.ts";
import type { ComposeTag } from "./intent.ts";

const replay = ({ mode }: CommandContext) =>
  mode === "replay" ? "a replay shows what was recorded: tags are made in the live session" : undefined;

/** Opens the dialog of a tag on `first`, or on what it has in common with others. */
export const composeTag = ({ state, selection }: CommandContext, first: Selector, reason?: string): ComposeTag => ({
  kind: "compose-tag",
  choices: candidates(state, first, selection),
  since: state.sequence,
  ...(reason === undefined ? {} : { reason }),
});

/** What can be tagged without anything that is selected: its value is typed. */
const TYPED: readonly Selector[] = [
  { source: "" },
  { user: "" },
  { command: "" },
  { sha256: "" },
  { unit: "" },
  { container: "" },
  { cron: "" },
];

/** What is done with tags besides making one on what is selected. */
export const TAG_COMMANDS: readonly Command[] = [
  {
    id: "tags",
    keys: ["v"],
    key: "v",
    title: "Tags",
    group: "judge",
    help: "All tags and what each hides, and what a profile or the looks of a login suggest: accept, change, take back, make again.",
    footer: 3,
    intent: () => ({ kind: "tags" }),
  },
  {
    id: "tag-rule",
    keys: [],
    key: "",
    title: "Tag by rule",
    group: "judge",
    help: "Tag everything from an address or network, of an account, a command pattern, a hash, a unit, a container or a cron entry, by typing it.",
    disabledReason: replay,
    intent: ({ state }) => ({ kind: "compose-tag", choices: TYPED, since: state.sequence }),
  },
  {
    id: "undo-tag",
    keys: ["Z"],
    key: "Z",
    title: "Undo tag",
    group: "judge",
    help: "Undo the last thing that you did with tags; again: the one before.",
    disabledReason: replay,
    intent: () => ({ kind: "undo-tag" }),
  },
  {
    id: "redo-tag",
    keys: ["ctrl-r"],
    key: "Ctrl-R",
    title: "Redo tag",
    group: "judge",
    help: "Do again what was undone last.",
    disabledReason: replay,
    intent: () => ({ kind: "redo-tag" }),
  },
  {
    id: "footprint",
    keys: [],
    key: "",
    title: "Our footprint",
    group: "judge",
    help: "What this console itself is on the host: its logins, what it runs there, its connections, and the commands that were run.",
    intent: () => ({ kind: "footprint" }),
  },
];
