import type { EvidenceSink } from "#model/evidence";
import type { HostString } from "#model/host-string";
import type { BlockTarget, IsolationChoice, ProcessRef } from "#model/measure";
import type { Response, ResponseKind } from "#model/response";
import type { Rehearsed } from "#model/response-progress";
import type { LiveConnection } from "#response/isolation/facts/host-facts";
import type { IsolationStatus, WatchFinding } from "#response/isolation/watch/status";
import type { WatchEnd } from "#response/isolation/watch/watch";

/** What a plan is wanted for, beyond its kind; whatever belongs to the kind is there. */
export interface Particulars {
  choice?: IsolationChoice;
  /** Who would be grabbed or suspended before the cut. */
  suspects?: readonly ProcessRef[];
  block?: BlockTarget;
  processes?: readonly ProcessRef[];
  /** What a measure is on, in words; host text. */
  target?: HostString;
  /** Of what takes a response back: that one. */
  undoes?: { id: string; undo: string };
}

/** A response as planned, before anything was changed on the host. */
export interface Prepared {
  response: Omit<Response, "id">;
  preview: {
    dies: LiveConnection[];
    survives: LiveConnection[];
    allowed: string[];
    keepsAccess?: boolean;
    deadMan?: string;
    notes?: string[];
    /** What the cut was seen to break, in the customer's words; left out of what breaks nothing. */
    breaks?: string[];
    networkBlock?: string[];
    noBoot?: string;
  };
  execute(onStep: (step: { name: string; ok: boolean; milliseconds: number; said?: HostString }) => void): Promise<Executed>;
  /** Of an isolation by a method that can count alone. */
  rehearse?(seconds: number): Promise<Rehearsed>;
  /** Of an isolation: takes what the cut destroys. */
  grab?(suspects: readonly ProcessRef[], sink: EvidenceSink): Promise<{ kept: number; missed: string[]; milliseconds: number }>;
  /** Of an isolation that was carried out: keeps it. */
  watch?: StartWatch;
  /** Lets go of what was opened for it. */
  dispose(): void;
}

export interface Executed {
  ok: boolean;
  durationNs: number;
  response: Omit<Response, "id">;
  error?: { what: string; next: string };
}

export interface WatchEars {
  status(status: IsolationStatus): void;
  finding(finding: WatchFinding): void;
  /** The isolation was made anew for the host as it is now, because of what the finding said. */
  renewed(response: Omit<Response, "id">, because: string): void;
  ended(why: WatchEnd): void;
}
/** `restarted`: the host was started anew since it was isolated, and stands isolated: what no boot can hook is hooked first. */
export type StartWatch = (ears: WatchEars, restarted?: boolean) => Promise<{ stop(): void }>;

/** Asks the host for its facts and plans. Rejects with an Error whose message says why it cannot be done and what to do. */
export type PrepareResponse = (kind: ResponseKind, partners: string[], analyst: string, more: Particulars) => Promise<Prepared>;
