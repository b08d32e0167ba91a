import { criteriaOf } from "#state/criteria";
import { suggestions } from "#state/suggestions";
import type { Command, CommandContext } from "./command.ts";
import { HOST_COMMANDS } from "./host.ts";
import type { Intent } from "./intent.ts";
import { LINK_COMMANDS } from "./link.ts";
import { LOOKING_COMMANDS } from "./looking.ts";
import { measuresFor } from "./measures.ts";
import { PAIR_COMMANDS } from "./pair.ts";
import { PERSONAL_COMMANDS } from "./personal.ts";
import { REPLAY_COMMANDS } from "./replay.ts";
import { askerOf, refusalOf } from "./roles.ts";
import { composeTag, TAG_COMMANDS } from "./tags.ts";

const move = (by: "row" | "page" | "end", direction: -1 | 1) => (): Intent => ({ kind: "move", by, direction });

const untaggable = ({ selection }: CommandContext) => {
  if (!selection) return "nothing is selected: move to a login or a process first";
  if (selection.tag || selection.selector) return undefined;
  if (selection.kind === "past" || selection.kind === "set-up")
    return "it is no login and no process: tag what did it, in the tree or the logins";
  if (selection.kind === "group") return "a group is not one thing: open it with Enter and select a process in it";
  return `nobody knows which process this ${selection.kind} belongs to: tag its login or process in the tree instead`;
};

/** The selected login where it is suggested, else the first that is. */
const suggested = (state: CommandContext["state"], selection: CommandContext["selection"]) => {
  const all = suggestions(state);
  return all.find(({ login }) => selection?.kind === "login" && login === selection.id) ?? all[0];
};

const jump = (key: string, to: "process" | "connection" | "binary" | "login", help: string): Command => ({
  id: `to-${to}`,
  keys: [key],
  key,
  title: `To ${to}`,
  group: "move",
  help,
  disabledReason: ({ selection }) => (selection ? undefined : "nothing is selected"),
  intent: () => ({ kind: "jump", to }),
});

const unfoldable = ({ filtered, keymap }: CommandContext) =>
  filtered ? `a filter shows its matches wherever they are folded: ${keymap.label("clear-filter")} takes it away` : undefined;

/** Every key of the console. Footer, help page and README are made from this list, in this order. */
export const COMMANDS: readonly Command[] = [
  { id: "up", keys: ["up", "k"], key: "↑ k", title: "Up", group: "move", help: "One row up.", intent: move("row", -1) },
  { id: "down", keys: ["down", "j"], key: "↓ j", title: "Down", group: "move", help: "One row down.", intent: move("row", 1) },
  { id: "page-up", keys: ["pageup"], key: "PgUp", title: "Page up", group: "move", help: "One page up.", intent: move("page", -1) },
  { id: "page-down", keys: ["pagedown"], key: "PgDn", title: "Page down", group: "move", help: "One page down.", intent: move("page", 1) },
  { id: "first", keys: ["home", "g"], key: "Home g", title: "First", group: "move", help: "To the first row.", intent: move("end", -1) },
  { id: "last", keys: ["end", "G"], key: "End G", title: "Last", group: "move", help: "To the last row.", intent: move("end", 1) },
  {
    id: "next-pane",
    keys: ["tab"],
    key: "Tab",
    title: "Pane",
    group: "move",
    help: "To the next pane: processes, connections, new binaries, logins, map, activity, look back, baseline.",
    footer: 4,
    intent: () => ({ kind: "pane", step: 1 }),
  },
  {
    id: "previous-pane",
    keys: ["shift-tab"],
    key: "Shift-Tab",
    title: "Pane back",
    group: "move",
    help: "To the previous pane.",
    intent: () => ({ kind: "pane", step: -1 }),
  },
  {
    id: "expand",
    keys: ["right", "l"],
    key: "→ l",
    title: "Open",
    group: "move",
    help: "Open what is folded under the selected row.",
    disabledReason: unfoldable,
    intent: () => ({ kind: "expand" }),
  },
  {
    id: "fold",
    keys: ["left", "h"],
    key: "← h",
    title: "Fold",
    group: "move",
    help: "Fold the selected row, or go to the row that it hangs under.",
    disabledReason: unfoldable,
    intent: () => ({ kind: "fold" }),
  },
  {
    id: "toggle-fold",
    keys: ["enter"],
    key: "Enter",
    title: "Open/fold",
    group: "move",
    titleNow: ({ pane }) => (pane === "tree" ? "Open/fold" : "Details"),
    help: "In the process tree: open or fold the selected row. Elsewhere: everything about it.",
    footer: 5,
    disabledReason: (context) => (context.pane === "tree" ? unfoldable(context) : context.selection ? undefined : "nothing is selected"),
    intent: ({ pane }) => ({ kind: pane === "tree" ? "toggle-fold" : "details" }),
  },
  {
    id: "tag",
    keys: ["t"],
    key: "t",
    title: "Tag",
    group: "judge",
    titleNow: ({ selection, state }) => {
      const tag = selection?.tag === undefined ? undefined : state.tags.get(selection.tag);
      if (tag && criteriaOf(tag.selector)) return "Untag rule"; // it hides or marks more than this
      return selection?.tag ? "Untag" : "Tag";
    },
    help: "Tag the selected login or process with all that comes from it (verdict and reason); on something tagged, undo the tag.",
    footer: 1,
    footerIn: "live",
    disabledReason: (context) =>
      context.mode === "replay" ? "a replay shows what was recorded: tags are made in the live session" : untaggable(context),
    intent: (context) => {
      const { selection } = context;
      return selection?.tag
        ? { kind: "untag", tag: selection.tag }
        : composeTag(context, selection?.selector ?? { process: selection?.id ?? "" });
    },
  },
  ...TAG_COMMANDS,
  {
    id: "suggested",
    keys: ["U"],
    key: "U",
    title: "This is us",
    group: "judge",
    help: "Opens the tag dialog on the login that is most probably a responder's (from our address, with our key, looking at the host since we came), with what speaks for it. Nothing is tagged before Enter.",
    footerNow: ({ state, selection }) => (suggested(state, selection) ? 2 : undefined),
    footerIn: "live",
    disabledReason: ({ mode, state, selection }) =>
      mode === "replay"
        ? "a replay shows what was recorded: tags are made in the live session"
        : suggested(state, selection)
          ? undefined
          : "no login looks like one of ours that is not tagged yet",
    intent: (context) => {
      const found = suggested(context.state, context.selection);
      return composeTag(context, { login: found?.login ?? "" }, found?.reasons.join(", "));
    },
  },
  {
    id: "show-hidden",
    keys: ["T"],
    key: "T",
    title: "Show hidden",
    titleNow: ({ showHidden }) => (showHidden ? "Hide again" : "Show hidden"),
    help: "Show what tags hide, dimmed and in its place; again to hide it.",
    footer: 2,
    intent: () => ({ kind: "show-hidden" }),
  },
  {
    id: "isolate",
    keys: ["I"],
    key: "I",
    title: "Isolate",
    group: "judge",
    titleNow: ({ state }) => (state.isolated ? "Release" : "Isolate"),
    help: "Cut the host off from all but the analysts; while it is isolated, release it. Shows the exact plan and asks first.",
    footer: 3,
    footerIn: "live",
    dangerous: true,
    disabledReason: ({ mode }) => (mode === "replay" ? "this is a replay: the host cannot be changed from it" : undefined),
    intent: ({ state }) => ({ kind: "plan", response: state.isolated ? "release" : "isolate" }),
  },
  ...HOST_COMMANDS,
  {
    id: "measures",
    keys: ["x"],
    key: "x",
    title: "Block or stop",
    group: "judge",
    help: "Less than an isolation: block an address, an account or a control group, suspend or end processes of the selected thing; take it back. Each shows its plan and asks first.",
    dangerous: true,
    disabledReason: (context) => {
      if (context.mode === "replay") return "this is a replay: the host cannot be changed from it";
      return measuresFor(context.state, context.selection).length > 0 ? undefined : "nothing can be done to what is selected";
    },
    intent: () => ({ kind: "measures" }),
  },
  {
    id: "check-cut",
    keys: ["i"],
    key: "i",
    title: "Is it cut?",
    group: "judge",
    help: "Looks anew whether the host is really cut off, and says so in words that a customer understands. Recorded.",
    footerNow: ({ state }) => (state.isolated ? 3 : undefined),
    footerIn: "live",
    disabledReason: ({ mode }) => (mode === "replay" ? "this is a replay: the host cannot be asked" : undefined),
    intent: () => ({ kind: "check" }),
  },
  jump("p", "process", "To the process of the selected connection or binary; of a login, the newest."),
  jump("c", "connection", "To a connection of the selected process, binary, login or place."),
  jump("b", "binary", "To the new binary that the selected thing ran or wrote."),
  jump("u", "login", "To the login that the selected thing comes from."),
  {
    id: "jump-back",
    keys: ["backspace", "("],
    key: "Backspace (",
    title: "Back",
    group: "move",
    help: "Back to where the last jump began.",
    intent: () => ({ kind: "jump-back" }),
  },
  {
    id: "jump-forward",
    keys: [")"],
    key: ")",
    title: "Forward",
    group: "move",
    help: "Forward again to where the last step back began.",
    intent: () => ({ kind: "jump-forward" }),
  },
  ...LOOKING_COMMANDS,
  {
    id: "filter",
    keys: ["/"],
    key: "/",
    title: "Filter",
    help: "Show only rows with these words, in every pane; user: ip: country: as: pid: exe: path: flag: standing: look at one thing, -word leaves out. Up and Down: what was typed before.",
    footer: 5,
    intent: () => ({ kind: "filter" }),
  },
  {
    id: "clear-filter",
    keys: ["escape"],
    key: "Esc",
    title: "No filter",
    help: "Take the filter away.",
    disabledReason: ({ filtered }) => (filtered ? undefined : "there is no filter"),
    intent: () => ({ kind: "clear-filter" }),
  },
  {
    id: "freeze",
    keys: ["f"],
    key: "f",
    title: "Freeze",
    titleNow: ({ frozen }) => (frozen ? "Go on" : "Freeze"),
    help: "The picture stands still while events go on being recorded and counted; again, or a tag, and it goes on.",
    footer: 6,
    footerIn: "live",
    disabledReason: ({ mode, keymap }) => (mode === "replay" ? `a replay stands still with ${keymap.label("play")}` : undefined),
    intent: () => ({ kind: "freeze" }),
  },
  ...PAIR_COMMANDS,
  ...PERSONAL_COMMANDS,
  ...REPLAY_COMMANDS,
  ...LINK_COMMANDS,
  {
    id: "report",
    keys: ["R"],
    key: "R",
    title: "Report",
    group: "console",
    help: "Write report.md into the session's folder: all that is recorded so far, for people. In a replay, the whole session.",
    footerNow: ({ state }) => (state.isolated ? 3 : undefined),
    footerIn: "live",
    intent: () => ({ kind: "report" }),
  },
  { id: "help", keys: ["?"], key: "?", title: "Help", group: "console", help: "This page.", footer: 6, intent: () => ({ kind: "help" }) },
  {
    id: "quit",
    keys: ["q", "ctrl-c"],
    key: "q",
    title: "Quit",
    group: "console",
    help: "Leave the console; asks first while the host is isolated.",
    footer: 7,
    intent: () => ({ kind: "leave" }),
  },
];

/** What a key means now: an intent, or why it cannot be used; undefined for a key that no command has. */
export function resolve(key: string, context: CommandContext): { intent: Intent } | { disabled: string } | undefined {
  const command = context.keymap.command(key);
  return command && invoke(command, context);
}

/** What a command means now, however it was called. */
export function invoke(command: Command, context: CommandContext): { intent: Intent } | { disabled: string } {
  const reason = refusalOf(command, context);
  if (reason === undefined) return { intent: command.intent(context) };
  const [key] = context.keymap.labels(command.id);
  return { disabled: `${key === undefined ? "" : `${key} `}${titleOf(command, context)}: ${reason}` };
}

/** A command's title at this moment. */
export const titleOf = (command: Command, context: CommandContext): string => command.titleNow?.(context) ?? command.title;

export interface FooterItem {
  id: string;
  key: string;
  title: string;
  disabled: boolean;
}

/** The commands of the footer that have a key, most important first. */
export function footer(context: CommandContext): FooterItem[] {
  const said = new Set<string>();
  return COMMANDS.flatMap((command) => {
    const rank = command.footerNow?.(context) ?? command.footer;
    const here = (command.footerIn ?? context.mode) === context.mode && context.keymap.labels(command.id).length > 0;
    return rank !== undefined && here ? [{ command, rank }] : [];
  })
    .toSorted((a, b) => a.rank - b.rank)
    .map(({ command }) => command)
    .filter((command) => {
      // two keys for one thing (Enter and d, where there is nothing to fold) are one entry: room is short
      const title = titleOf(command, context);
      return !said.has(title) && said.add(title);
    })
    .map((command) => ({
      id: command.id,
      key: context.keymap.label(command.id),
      title: `${titleOf(command, context)}${command.dangerous ? driverNote(context) : ""}`,
      disabled: refusalOf(command, context) !== undefined,
    }));
}

/** Who could do it, where this screen's analyst could not. */
function driverNote({ company }: CommandContext): string {
  const asker = askerOf(company);
  return asker?.role === "spectator" ? ` (${asker.driver} drives)` : "";
}

/** The README's table of keys, as Markdown. */
export function keyTable(): string {
  const rows = COMMANDS.map(
    (command) => `| ${keyCell(command)} | ${command.title} | ${command.help}${command.dangerous ? " **Changes the host.**" : ""} |`,
  );
  return ["| key | what | |", "|---|---|---|", ...rows, ""].join("\n");
}

const keyCell = (command: Command) =>
  command.key === ""
    ? `\`:${command.title}\``
    : command.key
        .split(" ")
        .map((key) => `\`${key}\``)
        .join(" ");
