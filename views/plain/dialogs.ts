import type { Keymap } from "#commands/command";
import { COMMANDS } from "#commands/registry";
import type { ResponseProgress } from "#model/response-progress";
import { SCOPES, scopeWords } from "#model/start-card";
import { selectorProblem } from "#state/criteria";
import { findingGroups } from "#state/finding-groups";
import { findingNow } from "#state/finding-words";
import { isHidden } from "#state/lineage";
import type { State } from "#state/state";
import { effectWords } from "#state/words";
import { CARD_FIELDS, type CardDialog } from "../asked.ts";
import { revertsAlone } from "../dialogs/ask.ts";
import { skipWords } from "../dialogs/card.ts";
import { breaksWords, colleaguesWords } from "../dialogs/plan.ts";
import type { SecondWords } from "../pair/second.ts";
import type { PaletteEntry } from "../palette.ts";
import { RESPONSE_WORDS } from "../response-words.ts";
import type { LocalDialog } from "../screen-state.ts";
import { selectorName } from "../selector.ts";
import type { ViewStore } from "../store.ts";
import { selectorOf, type TagDialog, typedPart } from "../tags/dialog.ts";
import { type Entry, entriesOf } from "../tags/entries.ts";
import { reachOf } from "../tags/reach.ts";
import { REASONS } from "../tags/tag-keys.ts";
import { chosenGroup, type FindingsDialog } from "../trust/dialog.ts";
import { plural } from "../words.ts";

/** A dialog that opens, as text: what it is about, and what the keys will do. */
export function localDialogText(dialog: LocalDialog, { store, keymap }: { store: ViewStore; keymap: Keymap }): string[] {
  const { state, meta } = store;
  if (dialog.kind === "help") return helpText(keymap);
  if (dialog.kind === "palette")
    return ["Palette. Type some letters of a command, or a pid, address or path. Down and up choose, Enter does it, Escape closes."];
  if (dialog.kind === "name-filter") return [`Save the filter ${dialog.text}. Type a name for it, then Enter. Escape cancels.`];
  if (dialog.kind === "search")
    return [
      "Search the whole session. Type words; Enter goes to the next event that tells of all of them, Up to the one before. Escape cancels.",
    ];
  if (dialog.kind === "leave")
    return [
      `The host is still isolated, and ${revertsAlone(state) ? "reverts 60 seconds after you leave" : "stays so when you leave"}.`,
      `q leaves. Escape stays: then ${keymap.label("isolate")} releases it.`,
    ];
  if (dialog.kind === "card")
    return [
      `Start card for ${meta.hostLabel}. Recording has begun.`,
      `Enter takes the card as it stands. Tab goes to the next field. Escape ${skipWords(dialog)}.`,
      fieldText(dialog),
    ];
  if (dialog.kind === "reason")
    return [
      `To ${dialog.response} the host is outside the scope of this session. Authorised is: ${scopeWords(state.card?.scope ?? [])}.`,
      "Type the reason; it is recorded with your name. Then Enter makes the plan. Escape cancels, nothing is changed.",
    ];
  if (dialog.kind === "tags") return tagsText(store);
  if (dialog.kind === "compose-command")
    return [
      `Run a command on ${meta.hostLabel}, recorded with all that it writes. What it does is up to the command.`,
      "Type the command, then Enter runs it. Escape cancels.",
    ];
  if (dialog.kind === "measures")
    return ["Block or stop. Down and up choose, Enter makes the plan and shows it, Escape closes. Nothing is changed yet."];
  if (dialog.kind !== "tag") return [];
  return [
    `Tag ${choiceText(dialog, store)}`,
    "Up and down choose what the tag is on, left and right the verdict, Tab how far it holds. Type a reason, or leave it. Enter tags. Escape cancels.",
    verdictText(dialog),
  ];
}

/** What a tag would be on, and what it would do. */
export function choiceText(dialog: TagDialog, { state }: Pick<ViewStore, "state">): string {
  const selector = selectorOf(dialog);
  const place = dialog.choices.length > 1 ? `${dialog.at + 1} of ${dialog.choices.length}, ` : "";
  const wrong = selectorProblem(selector);
  if (wrong !== undefined) return `${place}${typedPart(selector) ?? "nothing"}: type it. ${wrong}.`;
  const reach = reachOf(state, dialog);
  const flagged =
    reach.flagged === 0
      ? ""
      : dialog.hidesFlagged
        ? " What is flagged is hidden, too."
        : " What is flagged stays in sight; Control F hides it, too.";
  const all = reach.everything ? " Attention: nothing would stay in sight." : "";
  return `${place}${selectorName(state, selector)}. It ${isHidden(dialog.verdict) ? "hides" : "marks"} ${effectWords(reach)}.${flagged}${all}`;
}

/** What the chosen verdict is, how far it holds, and the reason that stands where none is typed. */
export const verdictText = (dialog: TagDialog): string =>
  `Verdict ${dialog.verdict}${dialog.scope === "session" ? "" : `, for ${dialog.scope === "host" ? "this host" : "our team's profile"}`}. Reason: ${dialog.reason || REASONS[dialog.verdict]}.`;

function tagsText({ state, suggestions = [] }: ViewStore): string[] {
  const entries = entriesOf(state, suggestions);
  return [
    `Tags: ${plural(suggestions.length, "suggestion")}, ${plural(entries.length - suggestions.length, "tag")}. Up and down choose, Enter makes or changes, x takes back, a accepts all suggestions, Escape closes.`,
    ...(entries[0] ? [tagEntryText(state, entries, 0)] : []),
  ];
}

/** One line of the list of tags. */
export function tagEntryText(state: State, entries: readonly Entry[], at: number): string {
  const entry = entries[Math.min(at, entries.length - 1)];
  if (!entry) return "Nothing is tagged.";
  const place = `${Math.min(at, entries.length - 1) + 1} of ${entries.length}`;
  if ("suggestion" in entry) {
    const { selector, verdict, why } = entry.suggestion;
    return `${place}, suggested: ${selectorName(state, selector)} as ${verdict}, ${why}.`;
  }
  const { selector, verdict, analyst, reason, removed } = entry.tag;
  return `${place}, ${removed === undefined ? "" : "taken back: "}${verdict}, ${selectorName(state, selector)}, by ${analyst}: ${reason}.`;
}

/** What a key changed in the list of findings: the chosen one, or that a reason is asked for. */
export function findingText(state: State, was: FindingsDialog, is: FindingsDialog): string[] {
  if (is.dismissing && !was.dismissing)
    return ["Type why it is nothing; it is recorded with your name. Then Enter dismisses it. Escape lets it stand."];
  if (is.on === was.on) return [];
  const groups = findingGroups(state);
  const at = chosenGroup(groups, is);
  const group = groups[at];
  if (!group) return [];
  const { newest, findings, dismissed } = group;
  const times = findings.length > 1 ? `, ${findings.length} times` : "";
  return [`${at + 1} of ${groups.length}, ${dismissed ? "dismissed: " : ""}${newest.level}: ${findingNow(state, newest)}${times}.`];
}

export const CARD_LABELS: Record<CardDialog["field"], string> = {
  analyst: "who investigates",
  authorised_by: "who authorised it",
  ticket: "ticket",
  scope: "scope",
  notes: "notes",
};

/** The card's field that has the keys. */
export function fieldText(dialog: CardDialog): string {
  const place = `Field ${CARD_FIELDS.indexOf(dialog.field) + 1} of ${CARD_FIELDS.length}, ${CARD_LABELS[dialog.field]}`;
  if (dialog.field === "scope") return `${place}: ${scopeWords(SCOPES[dialog.scope] ?? [])}. Left and right change it.`;
  return `${place}: ${dialog.texts[dialog.field] || "empty"}.`;
}

/** The chosen entry of the palette. */
export function entryText(entries: readonly PaletteEntry[], at: number): string {
  const entry = entries[at];
  if (!entry) return "Nothing is called that.";
  const { title, help, keys, dangerous, disabled } = entry;
  const what = disabled === undefined ? `${help}${dangerous ? " Changes the host." : ""}` : `Not now: ${disabled}.`;
  return `${at + 1} of ${entries.length}, ${title}${keys ? `, key ${keys}` : ""}. ${what}`;
}

function helpText(keymap: Keymap): string[] {
  return [
    "Keys:",
    ...COMMANDS.map(
      ({ id, help, dangerous }) => `${keymap.labels(id).join(" ") || keymap.label(id)}: ${help}${dangerous ? " Changes the host." : ""}`,
    ),
    "These were all keys.",
  ];
}

const list = (title: string, items: readonly string[], none: string): string[] =>
  items.length === 0 ? [`${title}: ${none}.`] : [`${title}, ${items.length}:`, ...items.map((item) => `- ${item}`)];

/** What the keys of a plan's dialog do for who listens. */
function answers(dialog: ResponseProgress, second: SecondWords | undefined): string {
  const { does } = RESPONSE_WORDS[dialog.kind];
  if (!second) return `Enter ${does}. Escape cancels, nothing is changed.${isolationChoiceText(dialog)}`;
  const { text, enter, alone } = second;
  return `${text}. ${enter === undefined ? "" : `Enter ${enter}. `}${alone === undefined ? "" : `a ${alone}. `}Escape ${second.escape}.`;
}

const KEEPS = {
  stays: "It stays if this console vanishes, and ends with a reboot",
  reverts: "It reverts if this console vanishes, and ends with a reboot",
  boot: "It stays, through a reboot too: files are written to the host's disk",
} as const;

function isolationChoiceText({ choice, before }: ResponseProgress): string {
  if (!choice || !before) return "";
  const keeps = KEEPS[choice.keeps];
  return ` ${keeps}; v changes that. Plus lets an address through. r rehearses it for 10 seconds. g takes what the cut destroys. f ${choice.freeze ? "does not suspend" : "suspends"} the suspects first.`;
}

/** A rehearsal or a grab that ended while the plan is read; nothing before it did. */
export function beforeText({ before }: ResponseProgress): string | undefined {
  const { rehearsal, grab } = before ?? {};
  if (rehearsal === "running") return "Rehearsing: the rules only count, for 10 seconds.";
  if (grab === "running") return "Taking sockets, maps and executables: at most 3 seconds.";
  const said: string[] = [];
  if (typeof rehearsal === "object" && "error" in rehearsal) said.push(`The rehearsal failed: ${rehearsal.error}.`);
  else if (typeof rehearsal === "object")
    said.push(
      `Rehearsed: ${rehearsal.keepsUs ? "our login passes" : "Attention. Our login was not seen to pass"}; it would cut ${plural(rehearsal.wouldCut.length, "far end")}: ${rehearsal.wouldCut.slice(0, 14).join(", ")}.`,
    );
  if (typeof grab === "object" && "error" in grab) said.push(`Nothing could be taken: ${grab.error}.`);
  else if (typeof grab === "object") said.push(`${plural(grab.kept, "piece")} of evidence taken, ${grab.missed.length} missed.`);
  return said.length === 0 ? undefined : said.join(" ");
}

/** A response as it enters a phase. */
export function responseText(dialog: ResponseProgress, host: string, second?: SecondWords): string[] {
  const { kind, phase } = dialog;
  const words = RESPONSE_WORDS[kind];
  const on = dialog.target ?? host;
  if (kind === "check")
    return phase === "planning" ? ["Looking whether it is really cut."] : [...(dialog.words ?? []), "Enter closes this."];
  if (phase === "planning") return [`Planning to ${kind} ${on}: reading what the plan needs. Nothing has been changed. Escape cancels.`];
  if (phase === "running")
    return [
      kind === "isolate" || kind === "release"
        ? `Now the host is being ${words.done}. Wait for the result.`
        : `Now it is being done: ${kind} ${on}. Wait for the result.`,
    ];
  if (phase === "review")
    return [
      `Plan to ${kind} ${on}. ${words.means}${kind === "isolate" ? " Until somebody releases it." : ""}`,
      ...(dialog.outside
        ? [`This is outside the scope (${scopeWords(dialog.outside.scope)}). Your reason: ${dialog.outside.reason}.`]
        : []),
      `Method: ${dialog.method ?? "not known"}.`,
      dialog.keepsAccess === false ? "Attention: this console's connection dies." : "This console's connection survives.",
      ...(dialog.colleagues?.length ? [`Attention: ${colleaguesWords(dialog.colleagues)}`] : []),
      ...(dialog.deadMan ? [dialog.deadMan] : []),
      ...list("Stays allowed", dialog.allowed, "no address"),
      ...list("Dies", dialog.dies, "no connection that is open now"),
      ...list("Survives", dialog.survives, "no connection that is open now"),
      ...(kind === "isolate" && dialog.breaks ? list("May break", breaksWords(dialog.breaks), "") : []),
      ...list("Cannot be stopped by this method", dialog.leaks, "nothing that is known"),
      ...(dialog.networkBlock?.length ? list("Ask the customer's network for this as well", dialog.networkBlock, "") : []),
      ...(dialog.notes?.length ? list("To know", dialog.notes, "") : []),
      answers(dialog, second),
      ...list(
        "Exactly this runs on the host",
        (dialog.plan ?? "").split("\n").map((line) => line.replaceAll("\t", "  ")),
        "nothing",
      ),
      `That was the plan. ${answers(dialog, second)}`,
    ];
  if (phase === "failed")
    return [`To ${kind} FAILED: ${dialog.error?.what ?? "no reason was given"}. ${dialog.error?.next ?? ""}`, "Enter closes this."];
  const { verified } = dialog;
  const took = dialog.milliseconds === undefined ? "" : ` in ${Math.round(dialog.milliseconds)} milliseconds`;
  const done = `${words.done.slice(0, 1).toUpperCase()}${words.done.slice(1)}${took}.`;
  if (kind !== "isolate" && kind !== "release") return [done, "Enter closes this."];
  return [
    done,
    `Our way in ${verified?.access ? "works" : "is NOT proven"}.`,
    ...(kind === "isolate"
      ? [`The cut ${verified?.cut ? "holds: nothing of others passes" : "is NOT proven: packets of others may pass"}.`]
      : []),
    "Enter closes this.",
  ];
}
