import type { Command, CommandContext } from "./command.ts";

const connected = ({ mode, link }: CommandContext) =>
  mode === "replay" ? "this is a replay: there is no host" : link === undefined ? "the host is connected" : undefined;

/** How well the host is seen, and what an analyst can do when it is lost. */
export const LINK_COMMANDS: readonly Command[] = [
  {
    id: "sight",
    keys: ["B"],
    key: "B",
    title: "Blind spots",
    help: "How well this session sees, in numbers: lost, raced, queue, clocks, our own tests; and everything that it cannot see.",
    intent: () => ({ kind: "sight" }),
  },
  {
    id: "reconnect",
    keys: ["r"],
    key: "r",
    title: "Reconnect",
    help: "While the host is lost, or not watched any more: try at once to reach it and to watch it again. By itself a lost one is tried again and again, with longer pauses, without a question.",
    group: "console",
    disabledReason: connected,
    intent: () => ({ kind: "reconnect", on: true }),
  },
  {
    id: "stop-reconnecting",
    keys: ["S"],
    key: "S",
    title: "Stop watching",
    help: "Ends all that watches the host, at once, and removes it there; the session stays open and sees nothing until r. What holds an isolation goes on. While the host is lost: try no more by itself.",
    group: "console",
    disabledReason: (context) =>
      context.mode === "replay"
        ? connected(context)
        : context.link === "stopped"
          ? "nothing watches it, and it is not tried any more"
          : undefined,
    intent: () => ({ kind: "reconnect", on: false }),
  },
];
