import { farEnd } from "#state/selectors";
import type { Command, CommandContext } from "./command.ts";
import { ALL_KEY, PANES, type PaneName } from "./pane.ts";

const SHOWS: Record<PaneName, string> = {
  tree: "The process tree alone, over the whole body.",
  connections: "The connections alone.",
  binaries: "The new binaries alone.",
  logins: "The logins alone: who, from where, since when, still in or gone.",
  map: "The world map of where connections go and come from, with a list of the places.",
  activity: "What was done over time (programs started, calls out, files written), and by whom.",
  past: "What the host remembers of the time before: logins let in and refused, sudo, changed files, packages, gaps, histories.",
  baseline:
    "How the host was set up when we came (services, listeners, accounts, sudoers, keys, cron, modules), + what is new, - what is gone.",
};

/** The far address of what is selected; none where nothing is at the other end. */
function addressOf(state: CommandContext["state"], selection: CommandContext["selection"]): string | undefined {
  if (selection?.kind === "login") return state.logins.get(selection.id)?.source?.ip;
  const connection = selection?.kind === "connection" ? state.connections.get(selection.id) : undefined;
  return connection === undefined || connection.phase === "listening" ? undefined : farEnd(connection).ip;
}

/** Keys that choose what the screen shows and in which order. */
export const LOOKING_COMMANDS: readonly Command[] = [
  {
    id: "view-all",
    keys: [ALL_KEY],
    key: ALL_KEY,
    title: "All panes",
    help: "All panes that fit, one above and beside the other.",
    intent: () => ({ kind: "view", pane: "all" }),
  },
  ...PANES.map(
    ({ name, key, title }): Command => ({
      id: `view-${name}`,
      keys: [key],
      key,
      title,
      help: SHOWS[name],
      intent: () => ({ kind: "view", pane: name }),
    }),
  ),
  {
    id: "zoom",
    keys: ["z"],
    key: "z",
    title: "Zoom",
    titleNow: ({ zoomed }) => (zoomed ? "All panes" : "Zoom"),
    help: "The pane with the keys alone, over the whole body; again for all panes.",
    footer: 4,
    intent: () => ({ kind: "zoom" }),
  },
  {
    id: "details",
    keys: ["d"],
    key: "d",
    title: "Details",
    help: "Everything that is known of the selected thing, and what of it was not seen.",
    footer: 5,
    disabledReason: nothingSelected,
    intent: () => ({ kind: "details" }),
  },
  {
    id: "findings",
    keys: ["X"],
    key: "X",
    title: "Findings",
    help: "What was found, the newest first: tagged things that were entered or abused, and who looks at us; each with its ATT&CK technique and evidence. Enter goes to who did it; x dismisses one with a reason, or brings it back.",
    intent: () => ({ kind: "findings" }),
  },
  {
    id: "rotate",
    keys: ["K"],
    key: "K",
    title: "What to rotate",
    help: "The secrets that logins nobody vouched for read or could read, with the fingerprints of keys, and the machines that they called or that files name.",
    footerNow: ({ state }) => ([...state.logins.values()].some(({ standing }) => standing === "intruder") ? 4 : undefined),
    footerIn: "live",
    intent: () => ({ kind: "rotate" }),
  },
  {
    id: "sockets",
    keys: [],
    key: "",
    title: "Unix sockets",
    help: "Asks the host once for its unix sockets and who holds them (agents, tmux, screen and container daemons are named), and lists them; in a replay, the last answer.",
    intent: () => ({ kind: "sockets" }),
  },
  {
    id: "names",
    keys: [],
    key: "",
    title: "Name of the address",
    help: "Asks the resolver of the console's machine, never the host, for the names of the selected connection's or login's address. Whoever runs that address may see that somebody asked. The answer is in the details.",
    disabledReason: ({ mode, state, selection }) =>
      mode === "replay"
        ? "this is a replay: it asks nobody"
        : addressOf(state, selection) === undefined
          ? "nothing with an address is selected: move to a connection or a login"
          : undefined,
    intent: ({ state, selection }) => ({ kind: "ask-names", ip: addressOf(state, selection) ?? "" }),
  },
  {
    id: "sort",
    keys: ["s"],
    key: "s",
    title: "Sort",
    help: "The next order of this pane's rows: first what matters most, then newest, then by name, number or place. The title says which.",
    intent: () => ({ kind: "sort" }),
  },
  {
    id: "follow",
    keys: ["F"],
    key: "F",
    title: "Follow",
    titleNow: ({ following }) => (following ? "Stand still" : "Follow"),
    help: "The cursor stays on the newest row of the pane; any move ends it.",
    intent: () => ({ kind: "follow" }),
  },
];

function nothingSelected({ selection }: CommandContext): string | undefined {
  return selection ? undefined : "nothing is selected";
}
