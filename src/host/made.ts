import type { HostString } from "#model/host-string";

/** One method that let us in. Never a secret. */
export interface LetIn {
  method: "none" | "publickey" | "password" | "keyboard-interactive";
  /** Of the key, as `ssh-keygen -l` shows it. */
  key?: string;
}
/** A password that was typed: whoever is root on that host may have read it, so it is to be changed. */
export interface Typed {
  user: string;
  host: string;
  for: "login" | "sudo";
}
/** One SSH session on the way, as the log records it. */
export interface LegMade {
  address: string;
  port: number;
  user: string;
  /** Type and fingerprint. */
  host_key: string;
  /** What the server calls itself: hostile, bounded. */
  server: HostString;
  authentication: LetIn[];
}
/** How the host was reached, for the first line of the log. */
export interface ConnectionMade extends LegMade {
  /** Jump hosts, in the order in which they were visited. */
  via?: LegMade[];
  /** Whether what runs on the host runs as root. */
  privilege: "root" | "sudo" | "sudo with a password" | "none";
  passwords_typed?: Typed[];
}
