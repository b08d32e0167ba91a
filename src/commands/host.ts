import { onDisk } from "#state/decisions";
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
    id: "off-disk",
    keys: [],
    key: "",
    title: "Take off the disk",
    group: "judge",
    help: "Where a host is not isolated, but has an isolation on its disk and would be at its next boot: removes the files. Shows the exact plan and asks first.",
    dangerous: true,
    disabledReason: ({ mode, state }) =>
      mode === "replay"
        ? "this is a replay: the host cannot be changed from it"
        : onDisk(state)
          ? undefined
          : state.isolated
            ? "the host is isolated: releasing it takes the files away"
            : "no isolation was found on the host's disk",
    intent: () => ({ kind: "plan", response: "release" }),
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
