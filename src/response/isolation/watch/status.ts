import type { HostString } from "#model/host-string";

/** What a view shows of an isolation, always true at `lookedAt`. */
export interface IsolationStatus {
  method: string;
  /** RFC 3339. */
  since: string;
  /** Our rules stood as planned at the last look. False: `wrong` says why, a sentence each. */
  holds: boolean;
  wrong: string[];
  /** Our clock, milliseconds: the last look, and the last at which all was as planned. */
  lookedAt: number;
  verifiedAt?: number;
  /** Packets of others that may have left: the most that can have, counted only while our rules were gone. Undefined: not counted by this method. */
  out?: number;
  /** Packets dropped since the cut, out and in. */
  dropped?: number;
  toAnalysts?: number;
  /** The guard: up, not to be had on this host, or lost. */
  guard: "up" | "none" | "down";
  /** Of one that is to stand through a reboot: its files on the host's disk are as they were written, or lost. */
  boot?: "kept" | "lost";
  /** How often our rules were put back. */
  putBack: number;
}

/** Something that somebody did to the isolation, or that it must follow: ready to be made a finding. */
export interface WatchFinding {
  kind:
    | "isolation-removed"
    | "isolation-changed"
    | "guard-ended"
    | "boot-changed"
    | "boot-lost"
    | "watch-ended"
    | "not-put-back"
    | "interface"
    | "address"
    | "route";
  title: string;
  /** Our clock, milliseconds. */
  at: number;
  /** The process that changed the ruleset, as the kernel names it: a pid of the machine's own namespace, and what it calls itself. */
  by?: { pid: number; name: HostString };
  /** The plan does not fit the host any more: plan again with new facts, and replace it. */
  replan?: boolean;
}
