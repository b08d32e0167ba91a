import { isIP } from "node:net";
import type { HostString } from "./host-string.ts";

/** A process of the host, as a response names it. */
export interface ProcessRef {
  pid: number;
  /** Start in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)), within one tick: a pid that is used again is another. */
  startTicks: number;
  name?: HostString;
}

/** What becomes of an isolation: it stays, it reverts when its console vanishes, or it stays and stands again after a reboot. */
export type Keeps = "stays" | "reverts" | "boot";

/** How an isolation is wanted; changed in its dialog, each change makes a new plan. */
export interface IsolationChoice {
  /** Further addresses that may log in to the host. */
  logins: readonly string[];
  /** Servers that the host may still reach, by number: an imaging server, an EDR's. */
  servers: readonly { ip: string; port: number }[];
  keeps: Keeps;
  /** Suspend the suspects before the cut. */
  freeze: boolean;
}
export const PLAIN_CHOICE: IsolationChoice = { logins: [], servers: [], keeps: "stays", freeze: false };

/** What a block is of: a far end, what an account sends, or what the control group of a process sends (its login's, with systemd). */
export type BlockTarget =
  | { kind: "address"; ip: string; port?: number }
  | { kind: "user"; uid: number }
  | { kind: "cgroup"; pid: number; startTicks: number };

/** A measure that is less than an isolation, as an analyst chooses it for the selected thing. */
export type Measure =
  | { response: "block"; on: { address: string; port?: number } | { account: number } | { group: string } }
  /** Of a process with all below it, or of a login. */
  | { response: "suspend" | "resume" | "kill"; on: { process: string } | { login: string } }
  /** Takes back the response with this id. */
  | { response: "unblock"; undoes: string };

/**
 * An address that is let through, as typed: `192.0.2.9` may log in; `192.0.2.9:443` and `[2001:db8::9]:443` may be reached by the host.
 * Undefined for everything else.
 */
export function parseAllowed(text: string): { ip: string; port?: number } | undefined {
  const match = /^\s*(?:\[([0-9a-fA-F:.]+)\]:(\d{1,5})|([0-9.]+):(\d{1,5})|\[?([0-9a-fA-F:.]+)\]?)\s*$/.exec(text);
  const ip = match?.[1] ?? match?.[3] ?? match?.[5];
  const port = match?.[2] ?? match?.[4];
  if (ip === undefined || isIP(ip) === 0 || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))) return undefined;
  return { ip, ...(port === undefined ? {} : { port: Number(port) }) };
}
