import type { Claim, Finding, RecordedCommand, Tag } from "#model/event";
import type { Subject } from "#model/presence";
import type { IsolationReport, Response } from "#model/response";
import type { Millis } from "./time.ts";

/** What analysts made of it all: what they judged, decided and did, and the findings that they were to look at. */

/** A tag as it stands: whose it is, and whether it was taken back. */
export interface TagState extends Tag {
  analyst: string;
  applied: Millis;
  /** Of its event in the log: which of two tags is newer. */
  sequence: number;
  removed?: Millis;
}

/** A finding, put aside or not. */
export interface FindingState extends Finding {
  at: Millis;
  /** Of its event in the log. */
  sequence: number;
  dismissed?: Dismissal;
}

/** An analyst looked at a finding and put it aside: who, when, why. */
export interface Dismissal {
  at: Millis;
  analyst: string;
  reason: string;
}

/** A command that an analyst ran through the console. */
export interface CommandState extends RecordedCommand {
  analyst: string;
  start: Millis;
  end?: Millis;
}

/** What the host itself says of an isolation that was found on it. */
export interface Found {
  /** When it was planned, as its own rules say: root can forge that, and it was cut off only after. */
  planned?: Millis;
}

/** What was to be done to the host, and how far it got. */
export interface ResponseState extends Response {
  analyst: string;
  /** "confirmed" once all whom it needs have; `analyst` is who did the last of it. */
  phase: "proposed" | "confirmed" | "dismissed" | "succeeded" | "failed";
  at: Millis;
  /** Who confirmed, in order; of a first confirmation that nobody followed in time, nothing is kept. */
  confirmedBy?: string[];
  /** Two were needed, and one went on alone because nobody else was there. */
  alone?: boolean;
  /** The response that took it back. */
  undone?: string;
  /** It stood on the host when this console looked, `at`: made by another or before, and since when is not known. */
  found?: Found;
}

/** The host is isolated: by which response, and whether it holds. */
export interface IsolatedState {
  response: string;
  /** Of one that was found: when. */
  since: Millis;
  verified?: { access: boolean; cut: boolean };
  /** What the watch over it saw last, and when; left out where this console has none. */
  watch?: { report: IsolationReport; at: Millis; verified?: Millis; status: "running" | "lost" };
}

/** The host is being cut off, or opened again: it was confirmed, and what came of it is not known yet. */
export interface UnderwayState {
  response: string;
  kind: "isolate" | "release";
  since: Millis;
  /** It was not proven, and rules may stand on the host: nobody has looked since. */
  failed?: true;
}

/** One thing that an analyst did. */
export interface Act {
  at: Millis;
  /** Of its event in the log. */
  sequence: number;
  action: string;
  /** What was done, in words; holds the analyst's own words, and no host text. */
  what: string;
  on?: Subject;
}

/** Who was here, and what he did last. */
export interface AnalystState {
  name: string;
  first: Millis;
  last: Millis;
  /** Seats that are open. */
  seats: string[];
  /** The last ones, oldest first, and how many older ones there were. */
  acts: Act[];
  more: number;
}

/** Who took a thing on, or is done with it. */
export interface ClaimState {
  on: Subject;
  analyst: string;
  claim: Exclude<Claim, "free">;
  at: Millis;
}

/** All of it, as a part of the state. */
export interface DecidedState {
  tags: Map<string, TagState>;
  findings: Map<string, FindingState>;
  /** What findings brought back into view: entity_id to the finding. */
  exposed: Map<string, string>;
  /** The last ones, oldest first. */
  commands: Map<string, CommandState>;
  responses: Map<string, ResponseState>;
  /** Set while the host is isolated: the response that did it. */
  isolated?: IsolatedState;
  /** Set from the Enter to isolate or to release until its outcome is known. */
  underway?: UnderwayState;
  /** Who took a thing on or is done with it, by `kind:id`. */
  claims: Map<string, ClaimState>;
  /** Everybody who did something in this session, by name. */
  analysts: Map<string, AnalystState>;
  /** Who may act on the host; left out until somebody joins or the drive changes hands. */
  driver?: string;
  /** Two analysts must confirm what changes the host. */
  twoPeople: boolean;
}
