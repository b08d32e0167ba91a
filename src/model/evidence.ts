import type { HostString } from "./host-string.ts";

/** Bytes taken from a host, with what proves them. */
export interface Evidence {
  /** What it is: 'sockets', 'memory map of 812', 'executable of 812'. */
  what: string;
  /** The process that it is of. */
  process?: { pid: number; name?: HostString };
  /** Where the host has it: a path or a command. */
  source: HostString;
  bytes: Buffer;
  sha256: string;
  /** RFC 3339, our clock. */
  collected: string;
  /** False: it was cut at a limit of size or time, or the host failed while it gave it; `problem` says which. */
  complete: boolean;
  problem?: string;
}

/** Where evidence goes as it comes. Rejects if it could not be kept. */
export interface EvidenceSink {
  keep(evidence: Evidence): Promise<void>;
}
