import type { Claim, Selector, TagScope, Verdict } from "#model/event";
import type { IsolationChoice, Measure } from "#model/measure";
import type { Subject } from "#model/presence";
import type { ResponseKind } from "#model/response";
import type { StartCard } from "#model/start-card";
import type { Millis } from "#state/time";
import type { PaneName } from "./pane.ts";

/** Changes only what this analyst sees: never leaves the screen. */
export type ScreenIntent =
  | { kind: "move"; by: "row" | "page" | "end"; direction: -1 | 1 }
  | { kind: "pane"; step: -1 | 1 }
  /** All panes, or one alone over the whole body. */
  | { kind: "view"; pane: PaneName | "all" }
  | { kind: "zoom" }
  /** The next order of the pane's rows. */
  | { kind: "sort" }
  /** The cursor stays on the newest row, or no longer. */
  | { kind: "follow" }
  /** Everything about the selected thing. */
  | { kind: "details" }
  /** How well this session sees, in all its numbers. */
  | { kind: "sight" }
  | { kind: "expand" }
  | { kind: "fold" }
  | { kind: "toggle-fold" }
  | { kind: "show-hidden" }
  | { kind: "help" }
  /** To what belongs to the selected thing. */
  | { kind: "jump"; to: "process" | "connection" | "binary" | "login" }
  /** To where the last jump began. */
  | { kind: "jump-back" }
  /** To where the last step back began. */
  | { kind: "jump-forward" }
  /** The picture stands still, or goes on. */
  | { kind: "freeze" }
  /** Opens the filter's line. */
  | { kind: "filter" }
  | { kind: "clear-filter" }
  /** Opens the list of everything that can be done. */
  | { kind: "palette" }
  /** Puts the analyst's own mark on the selected row, or takes it away. */
  | { kind: "mark" }
  | { kind: "next-own-mark" }
  /** To the analyst's clipboard. */
  | { kind: "copy"; what: "value" | "details" }
  | { kind: "tour" }
  /** Opens what says who is here and how somebody joins. */
  | { kind: "people" }
  | { kind: "who-did-what" }
  /** What rules found; what the intruder could take, and where it leads. */
  | { kind: "findings" }
  | { kind: "rotate" }
  /** Opens the list of unix sockets, and asks the host for it anew where there is one. */
  | { kind: "sockets" }
  /** Opens the line for a chat or a note. */
  | { kind: "compose"; what: "chat" | "note"; on?: Subject }
  /** Opens the list of what can be done to the selected thing. */
  | { kind: "measures" }
  /** Opens the dialog that asks for verdict and reason. */
  | ComposeTag
  /** Opens the list of tags and of what is suggested. */
  | { kind: "tags" }
  /** Opens the list of what we ourselves are on the host. */
  | { kind: "footprint" }
  /** Opens the line for a command that is run on the host. */
  | { kind: "compose-command" }
  /** Opens what the commands that were run wrote. */
  | { kind: "commands" }
  /** Opens the line in which the whole session is searched. */
  | { kind: "search" }
  /** Asks first while the host is isolated. */
  | { kind: "leave" };

/** Told to the other screens and never recorded: where somebody looks, what he says in passing. */
export type PresenceIntent =
  /** The cursor was moved. */
  | { kind: "look"; pane: string; on?: Subject }
  /** The cursor goes where that screen's goes; without one, it is its own again. */
  | { kind: "follow-partner"; whom?: string }
  | { kind: "lead" }
  | { kind: "point"; on: Subject }
  | { kind: "chat"; text: string };

/** What two analysts on one session decide; recorded but for the door, which is known by who came in. */
export type TogetherIntent =
  | { kind: "note"; text: string; on?: Subject }
  | { kind: "claim"; subject: Subject; claim: Claim }
  /** Puts findings aside, or takes them back into the list, by their ids; what a tag had hidden follows. */
  | { kind: "dismiss-findings"; findings: readonly string[]; reason: string }
  | { kind: "restore-findings"; findings: readonly string[] }
  /** The last of these that one did oneself. */
  | { kind: "undo-findings" }
  | { kind: "hand-over"; to: string }
  | { kind: "two-people"; on: boolean }
  /** Lets others join: whose keys these are, as a path or as lines of authorized_keys; without any, those that the settings name. */
  | { kind: "open-door"; keys?: string }
  | { kind: "close-door" };

/** A tag as an analyst decided it. */
export interface TagIntent {
  kind: "tag";
  selector: Selector;
  verdict: Verdict;
  reason: string;
  scope?: TagScope;
  /** Flagged things are to be hidden too. */
  hides_flagged?: true;
  /** The tag that this one is to take the place of. */
  replaces?: string;
  /** The last event that the analyst could know of when he began to decide. */
  since?: number;
}
/** Opens the dialog of a tag. */
export interface ComposeTag {
  kind: "compose-tag";
  /** What can be selected; the first is what stands there. */
  choices: readonly Selector[];
  since: number;
  /** What stands there as the reason. */
  reason?: string;
  /** An earlier tag that is changed. */
  edits?: { tag: string; verdict: Verdict; reason: string; scope: TagScope; hidesFlagged: boolean };
}

/** Goes to whoever runs the session, who tells or records it. */
export type SharedIntent =
  | PresenceIntent
  | TogetherIntent
  | TagIntent
  | { kind: "untag"; tag: string }
  /** The last decision of one's own on tags, or what was undone last. */
  | { kind: "undo-tag" }
  | { kind: "redo-tag" }
  /** Makes a tag again that was taken back. */
  | { kind: "restore-tag"; tag: string }
  /** Applies what is suggested. */
  | { kind: "accept"; suggestions: readonly string[] }
  /** Runs a command on the host, recorded. */
  | { kind: "run"; line: string }
  /** Ends the one that runs. */
  | { kind: "stop-command"; command: string }
  /** The answered start card. */
  | { kind: "card"; card: StartCard }
  /** Make a plan and show it: nothing changes on the host. `reason`: why it is wanted although the start card does not authorise it. */
  | { kind: "plan"; response: ResponseKind; reason?: string; measure?: Measure }
  /** Makes the plan of an isolation anew, with this choice. */
  | { kind: "adjust"; response: string; choice: IsolationChoice }
  /** The rules of the plan on live traffic for 10 s, counting alone. */
  | { kind: "rehearse"; response: string }
  /** Takes what the cut will destroy, while the plan is read. */
  | { kind: "grab"; response: string }
  /** Looks anew whether the host is really cut off, and says so in words for the customer. */
  | { kind: "check" }
  /** Run the plan that was shown: `plan_sha256` names it, so that no other can be meant. */
  | { kind: "confirm"; response: string; plan_sha256: string; alone?: true }
  /** Drop a plan, or close the dialog that shows how it went. */
  | { kind: "dismiss"; response: string }
  | ReplayIntent
  /** Try at once to reach a host that was lost, or no longer by itself. */
  | { kind: "reconnect"; on: boolean }
  /** Asks the host once for its unix sockets. */
  | { kind: "ask-sockets" }
  /** Asks the analyst's own resolver for the names of an address. */
  | { kind: "ask-names"; ip: string }
  /** Write a report of what is recorded so far into the session's folder. */
  | { kind: "report" }
  | { kind: "quit" };

/** Moves through a recorded session; changes nothing in it. */
export type ReplayIntent =
  | { kind: "play"; on: boolean }
  | { kind: "seek"; to: "start" | "end" | "previous-event" | "next-event" | "previous-mark" | "next-mark" }
  /** To a moment on the host's clock. */
  | { kind: "seek"; to: { at: Millis } }
  /** To the next or the previous event that tells of all words of what was typed. */
  | { kind: "seek"; to: { words: string; direction: -1 | 1 } }
  | { kind: "speed"; step: -1 | 1 };

export type Intent = ScreenIntent | SharedIntent;

/** What an analyst decides on tags and findings. */
const DECISIONS: ReadonlySet<Intent["kind"]> = new Set([
  "tag",
  "untag",
  "undo-tag",
  "redo-tag",
  "restore-tag",
  "accept",
  "dismiss-findings",
  "restore-findings",
  "undo-findings",
]);

const SHARED: ReadonlySet<Intent["kind"]> = new Set([
  ...DECISIONS,
  "run",
  "stop-command",
  "card",
  "plan",
  "adjust",
  "rehearse",
  "grab",
  "check",
  "confirm",
  "dismiss",
  "play",
  "seek",
  "speed",
  "report",
  "quit",
  "look",
  "follow-partner",
  "lead",
  "point",
  "chat",
  "note",
  "claim",
  "hand-over",
  "two-people",
  "open-door",
  "close-door",
  "reconnect",
  "ask-sockets",
  "ask-names",
]);

export function isShared(intent: Intent): intent is SharedIntent {
  return SHARED.has(intent.kind);
}

/** It is a decision on tags or findings: whoever makes one is to see what it does. */
export function isDecision(intent: Intent): boolean {
  return DECISIONS.has(intent.kind);
}
