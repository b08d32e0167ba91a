import type { Company } from "#commands/command";
import type { SharedIntent } from "#commands/intent";
import type { Verdict } from "#model/event";
import type { LinkView } from "#model/link";
import type { Suggestion } from "#model/profile";
import type { ResponseProgress } from "#model/response-progress";
import type { ProposedCard } from "#model/start-card";
import type { State } from "#state/state";
import type { Millis } from "#state/time";
import type { Destination } from "./find.ts";

/** What is constant for a screen, or told by whoever runs the session. */
export interface ViewMeta {
  mode: "live" | "replay";
  /** How the analyst named the host: an alias or an address. */
  hostLabel: string;
  /** Folder of the session, as it is to be shown. */
  sessionPath: string;
  analyst: string;
  /** The way to the host while it is not there; left out while it is. */
  link?: LinkView;
  /** The start card that is to be asked for when the screen opens, with what is known beforehand. */
  ask?: ProposedCard;
  /** Only in a replay: where it stands. Times are on the host's clock. */
  replay?: ReplayPlace;
}

export interface ReplayPlace {
  at: Millis;
  from: Millis;
  to: Millis;
  /** Events taken in, of how many. */
  position: number;
  length: number;
  playing: boolean;
  /** More is read of the session still: what is shown last is not its end. */
  reading?: boolean;
  speed: number;
  /** Moments worth a jump, oldest first. */
  marks: readonly ReplayMark[];
}
export interface ReplayMark {
  kind: "tag" | "isolate" | "release" | "login" | "binary" | "sensor" | "finding";
  /** Of a tag. */
  verdict?: Verdict;
  at: Millis;
}

/** Where others come in, as it stands. */
export interface DoorView {
  /** Left out while it is shut. */
  open?: {
    /** The line to paste into the call. */
    line: string;
    /** Of the server's key, as the partner's ssh shows it. */
    fingerprint: string;
    address: string;
    analysts: readonly { name: string; mayDrive: boolean }[];
  };
  /** Options or settings say whose keys these are. */
  configured: boolean;
  /** What was refused or changed in the lists of keys, a sentence each. */
  notes: readonly string[];
}

/** A line for the analyst: the outcome of something, a warning. Shown until another object takes its place or a key is pressed. */
export interface Message {
  text: string;
  level: "info" | "warn" | "error";
  /** It says what is so just now: a key does not put it away. */
  lasting?: boolean;
  /** What it is about: the cursor goes there with it, once. */
  about?: Destination;
}

/**
 * All that the screen knows of the investigation. `state` is changed in place; a listener is called after it changed
 * (at most ten times a second, and at once after an intent), with another `version` each time.
 */
export interface ViewStore {
  subscribe(listener: () => void): () => void;
  getSnapshot(): { version: number };
  /** Another object after a replay went back. */
  readonly state: State;
  readonly meta: ViewMeta;
  readonly dialog: ResponseProgress | undefined;
  readonly message: Message | undefined;
  /** Who else is on the session; left out where it cannot be shared. The door is the console's alone. */
  readonly company?: (Company & { door?: DoorView }) | undefined;
  /** What profiles of the team suggest to tag, and nobody has decided yet. */
  readonly suggestions?: readonly Suggestion[] | undefined;
  /** The host's time now (in a replay: of the moment shown). */
  now(): Millis;
  /** A `plan` sets `dialog` (phase "planning") before this returns, so that no key falls past the dialog that opens. */
  propose(intent: SharedIntent): void;
}
