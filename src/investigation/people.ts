import type { Claim, EventDraft } from "#model/event";
import type { Role, Subject } from "#model/presence";
import type { State } from "#state/state";

interface PeopleOptions {
  state: State;
  append: (draft: EventDraft) => void;
  /** RFC 3339: the host's time now. */
  hostNow: () => string;
  changed: () => void;
}

/** Longest note, characters: it is read on a screen and in a report. */
const LONGEST_NOTE = 2000;

/**
 * What analysts say and who they are, as far as it belongs to the record: who came and went and by which key, who could act on the host,
 * notes and claims. Where they look and what they chat is presence, and never gets here.
 */
export class People {
  readonly #options: PeopleOptions;

  constructor(options: PeopleOptions) {
    this.#options = options;
  }

  joined(analyst: string, joined: { seat: string; role: Role; key?: string; address?: string }): void {
    this.#append("session.join", "session", "info", analyst, { joined });
  }

  left(analyst: string, seat: string, reason?: string): void {
    this.#append("session.leave", "session", "info", analyst, { left: { seat } }, reason);
  }

  /** `analyst` is who brought it about: who gave the drive, took it back, or left with it. */
  handedOver(analyst: string, from: string, to: string, reason?: string): void {
    this.#append("session.handover", "session", "change", analyst, { handover: { from, to } }, reason);
  }

  /** From here on so many must confirm what changes the host. */
  ruled(analyst: string, people: 1 | 2): void {
    if (this.#options.state.twoPeople === (people === 2)) return;
    this.#append("session.rule", "session", "change", analyst, { rule: { people } });
  }

  /** A note on a thing, or on the session. @returns why it was not taken */
  note(analyst: string, text: string, subject?: Subject): string | undefined {
    const note = text.trim();
    if (note === "") return "nothing was written";
    if (Array.from(note).length > LONGEST_NOTE) return `a note has at most ${LONGEST_NOTE} characters`;
    this.#append("note.add", "configuration", "info", analyst, { note, ...(subject ? { subject } : {}) });
    return undefined;
  }

  /** 'Mine', 'done', or given back. What another took on can be taken over: the log knows both. */
  claim(analyst: string, subject: Subject, claim: Claim): void {
    this.#append("finding.claim", "configuration", "change", analyst, { subject, claim });
  }

  #append(
    action: EventDraft["event"]["action"],
    category: string,
    type: string,
    analyst: string,
    fields: Partial<EventDraft["stakeout"]>,
    reason?: string,
  ): void {
    this.#options.append({
      "@timestamp": this.#options.hostNow(),
      event: { action, category: [category], type: [type], ...(reason === undefined ? {} : { reason }) },
      stakeout: { sensor: "console", tier: "analyst", analyst, ...fields },
    });
    this.#options.changed();
  }
}
