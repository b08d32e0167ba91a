import type { ExistingIsolation, HostFacts, Route } from "../facts/host-facts.ts";

/** A server of ours that an isolated host may still open TCP connections to. */
export interface Server {
  ip: string;
  port: number;
}

/** What a method turns into rules: addresses are canonical, everything by number. */
export interface MethodInput {
  /** 12 hexadecimal digits, which mark what is ours on the host. */
  nonce: string;
  analyst: string;
  session: string;
  /** RFC 3339, our clock. */
  since: string;
  /** Our sshd's port. */
  port: number;
  /** Addresses that may log in, and the host's own addresses. */
  allowed: readonly string[];
  own: readonly string[];
  /** Servers that the host itself may reach: an imaging server, an EDR's. */
  servers: readonly Server[];
  /** Where the analysts' packets leave the wire: the analyst himself where he is on it, else a gateway. */
  nextHops: readonly string[];
  /** An address of ours is leased: its renewal on the wire stays open, or it would be lost and the analysts with it. */
  leased: { v4: boolean; v6: boolean };
  /** How each allowed address is reached. */
  routes: Readonly<Record<string, Route>>;
  /** What of ours is on the host already. */
  existing?: ExistingIsolation;
}

/**
 * A way to isolate, as text for the host's POSIX shell. `revert`, `revertOwn` and `stands` go into an argument of the dead man, so they hold no
 * single quote. Each prints what its tools say.
 */
export interface BuiltMethod {
  /** Exits with 0 if the host would take it; changes nothing. */
  check: string;
  /** Exits with 0 if all of it was applied; else nothing of it is left. A command that `reads` them from standard input is given the rules. */
  apply: string | { reads: string; rules: string };
  /** Removes exactly this, whole or half. */
  revert: string;
  /**
   * What the dead man runs: removes this one, and leaves what another console has put in its place, however close in time. Where it is
   * left out, {@link stands} is asked before {@link revert}, and a replacement between the two would be removed.
   */
  revertOwn?: string;
  /** Exits with 0 if this one is on the host, no other. */
  stands: string;
  /** Puts all of it on the host, whatever is there of it. */
  reapply: string;
  /** Prints a sum of what the kernel has of it, the same as long as nobody has changed it. */
  intact: string;
  /** Tells of each change of the host's rules as it is made, until it is ended; where the method has none, they are looked at often. */
  monitor?: string;
  /** Prints the kernel's own listing of it, in sections opened by `s NAME$1`. */
  look: string;
  /** The rules as their tool reads them, for people. */
  rules: string;
  /** What it cannot stop, a sentence each. */
  leaks: string[];
  /** Interfaces that are hooked by name. */
  devices: string[];
}

/** Packets since the rules were loaded, by the rules' own counters. */
export interface Counts {
  analysts: number;
  neighbours: number;
  /** To the servers that are let through. */
  servers: number;
  droppedOut: number;
  droppedIn: number;
}

/** What a look at the host says: what is wrong with the rules, a sentence each, and what they have counted where they count. */
export interface Judgement {
  wrong: string[];
  counts?: Counts;
}

export interface Method {
  id: string;
  title: string;
  /** Why the host cannot even be asked whether it takes it, or undefined. */
  unusable(facts: HostFacts, input: MethodInput): string | undefined;
  build(input: MethodInput, facts: HostFacts): BuiltMethod;
  /** Holds a look against what was loaded; `get` gives a section's text. */
  judge(plan: Pick<BuiltMethod, "rules" | "devices"> & { nonce: string }, get: (section: string) => string): Judgement;
}
