import type { Selector, Verdict } from "./event.ts";

/** One of our own people, as a profile names him. */
export interface ProfileAnalyst {
  name: string;
  /** Fingerprints of his keys, as `ssh-keygen -l` shows them: `SHA256:…`. */
  keys: readonly string[];
  /** Addresses and networks (CIDR) that he comes from. */
  addresses: readonly string[];
  /** Accounts that he logs in as. */
  users: readonly string[];
}
/** A tag that the team made once for everywhere. */
export interface ProfileTag {
  verdict: Verdict;
  selector: Selector;
  reason: string;
}
/** Who we are and what we use, from a file on an analyst's machine. It suggests, and decides nothing. */
export interface Profile {
  /** Of the file, without its ending. */
  name: string;
  analysts: readonly ProfileAnalyst[];
  /** Networks (CIDR) that the customer's own people come from. */
  customer: readonly string[];
  /** Patterns of commands that responders run. */
  tools: readonly string[];
  tags: readonly ProfileTag[];
}
/** A tag that somebody could make, and why. */
export interface Suggestion {
  /** Stays the same while it is the same suggestion. */
  key: string;
  selector: Selector;
  verdict: Verdict;
  reason: string;
  /** What it is drawn from: `team.yml: an address of jm's`. */
  why: string;
}
