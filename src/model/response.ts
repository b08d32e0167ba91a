import type { HostString } from "./host-string.ts";
import type { Keeps } from "./measure.ts";
import type { Scope } from "./start-card.ts";

/** What can be done to a host. */
export type ResponseKind = "isolate" | "release" | "rehearse" | "kill" | "suspend" | "resume" | "block" | "unblock" | "shutdown";

/** Of `response.*`: what is to be done to the host, and how far it got. */
export interface Response {
  id: string;
  kind: ResponseKind;
  method?: string;
  /** The script exactly as it runs on the host; `plan_sha256` is the sha256 of its UTF-8 bytes. */
  plan?: string;
  plan_sha256?: string;
  verified?: { access: boolean; cut: boolean };
  /** What was run and what it said, in order. */
  steps?: { name: string; ok: boolean; milliseconds: number; said?: HostString }[];
  undo?: string;
  leaks?: string[];
  /** Of an isolation: what becomes of it when the console vanishes after it was proven. Without "boot" it ends with a reboot. */
  keeps?: Keeps;
  /** Files that were written to the host's disk: by them it is isolated again after a reboot. */
  on_disk?: string[];
  /** Of a measure that is less than an isolation: what it is on, in words; holds host text. */
  target?: HostString;
  /** Of what takes a response back: the id of that response. */
  undoes?: string;
  /** Of a plan that was dropped: the id of the one that it was changed into. */
  replaced_by?: string;
  /** Of a release: what of the host's network was held against how it was, and what of that is not the same. */
  compared?: { against: string; same: string[]; differs: string[] };
  /** Kernel modules that were loaded because the ruleset was read: a change too. */
  modules_loaded?: string[];
  /** It went beyond what the start card authorised; `stakeout.analyst` is who did it all the same. */
  outside_scope?: { scope: Scope[]; needs: Scope; reason: string };
  error?: string;
}

/** Of `sensor.*` events of the sensor "isolation": what the watch over an isolation saw at its last look. Counts are since the cut. */
export interface IsolationReport {
  /** Our rules stood as planned. False: `wrong` says why, a sentence each. */
  holds: boolean;
  wrong?: string[];
  /** Host time of the last look at which all was as planned. */
  verified?: string;
  /** Packets of others that may have left, while our rules were gone; left out where the method does not count. */
  out?: number;
  /** Packets that were dropped, out and in. */
  dropped?: number;
  /** The guard: a living process of ours owns the rules once more; not to be had on this host; or ended by somebody. */
  guard: "up" | "none" | "down";
  /** Of one that is to stand through a reboot: the files on the host's disk for that are as they were written, or lost. */
  boot?: "kept" | "lost";
  /** How often our rules were put back. */
  put_back: number;
}

/** Which of how many confirmations of one plan this is: `given` of `needed`. */
export interface Confirmation {
  needed: number;
  given: number;
  /** Until when the others must follow, else this one counts no more (RFC 3339, the host's clock). */
  until?: string;
  /** Two were needed, nobody else was there, and the analyst went on alone. */
  override?: "alone";
}
