import type { Finding, StakeoutEvent, Tag } from "#model/event";
import { type Subject, subjectKey } from "#model/presence";
import { criteriaOf } from "./criteria.ts";
import type { AnalystState } from "./decided-state.ts";
import { findingNow } from "./finding-words.ts";
import type { State } from "./state.ts";
import type { Millis } from "./time.ts";
import { criteriaWords, outcomeOf, RESPONSE_DONE } from "./words.ts";

/** What is kept of one analyst's acts, and of how many analysts: a forged log can name as many as it likes. */
const MOST_ACTS = 500;
const MOST_ANALYSTS = 100;
const MOST_CLAIMS = 5000;

function analyst(state: State, name: string, at: Millis): AnalystState | undefined {
  const known = state.analysts.get(name);
  if (known) return known;
  if (state.analysts.size >= MOST_ANALYSTS) return undefined;
  const made: AnalystState = { name, first: at, last: at, seats: [], acts: [], more: 0 };
  state.analysts.set(name, made);
  return made;
}

export function joined(state: State, { stakeout }: StakeoutEvent, at: Millis): void {
  const { analyst: name, joined: given } = stakeout;
  if (name === undefined || !given) return;
  const who = analyst(state, name, at);
  if (who && !who.seats.includes(given.seat)) who.seats.push(given.seat);
  if (given.role === "driver") state.driver = name;
}

export function left(state: State, { stakeout }: StakeoutEvent): void {
  const who = stakeout.analyst === undefined ? undefined : state.analysts.get(stakeout.analyst);
  if (who) who.seats = who.seats.filter((seat) => seat !== stakeout.left?.seat);
}

export function handedOver(state: State, { stakeout }: StakeoutEvent): void {
  if (stakeout.handover) state.driver = stakeout.handover.to;
}

export function ruled(state: State, { stakeout }: StakeoutEvent): void {
  if (stakeout.rule) state.twoPeople = stakeout.rule.people === 2;
}

export function noted(state: State, { stakeout }: StakeoutEvent, at: Millis): void {
  const { analyst: by = "unknown", note: text = "", subject } = stakeout;
  state.notes.push({ at, analyst: by, text, ...(subject ? { on: subject } : {}) });
}

export function claimed(state: State, { stakeout }: StakeoutEvent, at: Millis): void {
  const { analyst: by, claim, subject } = stakeout;
  if (by === undefined || !claim || !subject) return;
  const key = subjectKey(subject);
  if (claim === "free") state.claims.delete(key);
  else if (state.claims.size < MOST_CLAIMS || state.claims.has(key)) state.claims.set(key, { on: subject, analyst: by, claim, at });
}

/** Keeps what was done under the name of who did it: every event that an analyst is the author of. */
export function acted(state: State, event: StakeoutEvent, at: Millis): void {
  const { stakeout } = event;
  const name = stakeout.analyst;
  // What the host itself says of an earlier isolation is not done in this session; the tag on our own login is the console's.
  if (name === undefined || event.event.action.startsWith("baseline.") || ownTag(state, event)) return;
  const who = analyst(state, name, at);
  if (!who) return;
  who.last = Math.max(who.last, at);
  const on = subjectOf(event);
  who.acts.push({ at, sequence: event.event.sequence, action: event.event.action, what: wordsOf(state, event), ...(on ? { on } : {}) });
  if (who.acts.length <= MOST_ACTS) return;
  who.acts.shift();
  who.more += 1;
}

function ownTag(state: State, { stakeout: { tag } }: StakeoutEvent): boolean {
  return tag !== undefined && "login" in tag.selector && state.logins.get(tag.selector.login)?.ours === true;
}

function subjectOf({ stakeout: { subject, tag } }: StakeoutEvent): Subject | undefined {
  if (!tag) return subject;
  if ("login" in tag.selector) return { kind: "login", id: tag.selector.login };
  return "process" in tag.selector ? { kind: "process", id: tag.selector.process } : undefined;
}

/** As it is true when he does it: it may have been found of somebody whom a tag names since. */
function findingWords(state: State, finding: Finding | undefined): string {
  const known = state.findings.get(finding?.id ?? "");
  return known ? findingNow(state, known) : (finding?.title ?? "unknown");
}

/** What a tag by criteria is on. */
const everything = (tag: Tag) => {
  const criteria = criteriaOf(tag.selector);
  return criteria ? ` (${criteriaWords(criteria)})` : "";
};

const told = (reason: string | undefined) => (reason === undefined || reason === "" ? "" : `: ${reason}`);

function wordsOf(state: State, { event, stakeout }: StakeoutEvent): string {
  const { tag, command, response, confirmation, claim, note, joined: came, handover, rule, finding, evidence } = stakeout;
  const kind = response?.kind ?? "act";
  switch (event.action) {
    case "session.start":
      return "opened the session";
    case "session.end":
      return "ended the session";
    case "session.join": {
      const from = came?.address === undefined ? "" : ` from ${came.address}`;
      return `joined as ${came?.role ?? "spectator"}${from}${came?.key === undefined ? "" : ` with the key ${came.key}`}`;
    }
    case "session.leave":
      return `left${told(event.reason)}`;
    case "session.handover":
      return `the drive went from ${handover?.from ?? "unknown"} to ${handover?.to ?? "unknown"}${told(event.reason)}`;
    case "session.rule":
      return rule?.people === 2 ? "asked that two confirm what changes the host" : "asked that one confirmation be enough again";
    case "tag.apply":
      return `tagged ${tag?.verdict ?? "unknown"}${tag ? everything(tag) : ""}${told(tag?.reason)}`;
    case "tag.remove":
      return `took back the tag ${tag?.verdict ?? "unknown"}${tag ? everything(tag) : ""}`;
    case "command.start":
      return `ran on the host: ${command?.line ?? ""}`;
    case "command.end":
      return `the command ended: ${command ? outcomeOf(command) : "nobody knows how"}`;
    case "note.add":
      return `noted: ${note ?? ""}`;
    case "finding.dismiss":
      return `dismissed the finding: ${findingWords(state, finding)}${told(event.reason)}`;
    case "finding.restore":
      return `brought back the finding: ${findingWords(state, finding)}`;
    case "finding.claim":
      return claim === "done" ? "is done with it" : claim === "free" ? "gave it back" : "took it on";
    case "response.proposed":
      return `planned to ${kind}`;
    case "response.confirmed": {
      if (confirmation?.override) return `confirmed to ${kind} alone, where two were needed and nobody else was there`;
      return `confirmed to ${kind}${(confirmation?.needed ?? 1) > 1 ? ` (${confirmation?.given} of ${confirmation?.needed})` : ""}`;
    }
    case "response.dismissed":
      return response?.replaced_by === undefined ? `dropped the plan to ${kind}` : `changed the plan to ${kind}`;
    case "response.succeeded":
      return RESPONSE_DONE[kind] ?? `${kind}: done`;
    case "response.failed":
      return `${kind}: failed`;
    case "evidence.collect":
      return `collected evidence${evidence ? `: ${evidence.what}` : ""}`;
    default:
      return event.action;
  }
}
