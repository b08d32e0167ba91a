import type { HostString } from "./host-string.ts";
import type { IsolationChoice } from "./measure.ts";
import type { Response, ResponseKind } from "./response.ts";

export interface ResponseStep {
  name: string;
  status: "waiting" | "running" | "ok" | "failed";
  milliseconds?: number;
  said?: HostString;
}

/** A response from its plan to its result; made by the investigation, shown by the screen. */
export interface ResponseProgress {
  /** Of the response: what `confirm` and `dismiss` name. */
  id: string;
  kind: ResponseKind | "check";
  /** Of a measure: what it is on. Host text. */
  target?: HostString;
  /** Who planned it. */
  by: string;
  /** Where two must confirm: who has, and until when the other must follow (milliseconds on the host's clock). */
  two?: { confirmed?: { by: string; until: number } };
  phase: "planning" | "review" | "running" | "succeeded" | "failed";
  /** In words: 'nft inet + netdev, one transaction'. */
  method?: string;
  /** The script exactly as it will run. */
  plan?: string;
  plan_sha256?: string;
  /** Connections, a line each: by whom, to where, whose login. Holds host text. */
  dies: readonly string[];
  survives: readonly string[];
  /** Addresses that may still reach the host's sshd. */
  allowed: readonly string[];
  /** What the method cannot stop, a sentence each; empty only if nothing is known to pass. */
  leaks: readonly string[];
  /** Whether the console's own connection is among what survives. */
  keepsAccess?: boolean;
  /** What happens if we vanish before access is verified, a sentence. */
  deadMan?: string;
  /** What an analyst should know of it, a sentence each. */
  notes?: readonly string[];
  /** Logins that look like ours, that nobody tagged and that would be cut off. Host text. */
  colleagues?: readonly string[];
  /** What it was seen to break, in the customer's words, and what to ask the customer's network for. */
  breaks?: readonly string[];
  networkBlock?: readonly string[];
  /** Of an isolation: how it is wanted, and what can be done before the cut. */
  choice?: IsolationChoice;
  /** Why it could not stand through a reboot, the end of a sentence; left out where it could. Holds host text. */
  noBoot?: string;
  before?: BeforeCut;
  /** Of a check: the answer, a sentence each. */
  words?: readonly string[];
  /** It is more than the start card authorises, and why it is wanted all the same. */
  outside?: NonNullable<Response["outside_scope"]>;
  steps: readonly ResponseStep[];
  /** For a release, `cut: false` is what was wanted: the host is reachable again. */
  verified?: { access: boolean; cut: boolean };
  /** From Enter to the host's answer. */
  milliseconds?: number;
  error?: { what: string; next: string };
}

/** What is offered before a cut, and what came of it. */
export interface BeforeCut {
  /** The suspects, in words: whom a grab takes and whom the cut would suspend. Host text. */
  suspects: readonly string[];
  /** Left out where the method cannot be rehearsed. */
  rehearsal?: "offered" | "running" | { error: string } | Rehearsed;
  grab?: "running" | { error: string } | { kept: number; missed: readonly string[]; milliseconds: number };
}
export interface Rehearsed {
  seconds: number;
  /** Far ends that the cut would have ended, in words. */
  wouldCut: readonly string[];
  /** Packets that would have been dropped, out and in. */
  dropped: number;
  /** Our own login was seen to pass the rules. */
  keepsUs: boolean;
  /** The counting rules are gone again. */
  cleared: boolean;
}
