import type { Command } from "./command.ts";

/** Commands of an analyst's own on the host. */
export const HOST_COMMANDS: readonly Command[] = [
  {
    id: "run",
    keys: ["!"],
    key: "!",
    title: "Run",
    group: "judge",
    help: "Run a command of yours on the host, or look at a file: in a clean shell without a history, recorded with all that it writes.",
    dangerous: true,
    disabledReason: ({ mode }) => (mode === "replay" ? "this is a replay: nothing can be run on the host from it" : undefined),
    intent: () => ({ kind: "compose-command" }),
  },
  {
    id: "commands",
    keys: ["O"],
    key: "O",
    title: "Output",
    group: "judge",
    help: "What the commands that were run on the host wrote, the newest first.",
    intent: () => ({ kind: "commands" }),
  },
];
