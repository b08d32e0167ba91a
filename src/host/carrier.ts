import type { LookupAddress } from "node:dns";
import type { Duplex } from "node:stream";
import { dial } from "./dial.ts";
import type { HostError } from "./errors.ts";

/** What carries an SSH session: a TCP connection of ours, or a channel through a jump host. */
export interface Carrier {
  stream: Duplex;
  /** Of the far end, as far as we know it: behind a jump host it is the name or address that the jump host was given. */
  address: string;
  /** Our own end as this machine has it; "" and 0 behind a jump host, where the host sees another. */
  localAddress: string;
  localPort: number;
  /** Milliseconds that the TCP handshake took, a name's look-up left out; undefined behind a jump host. */
  roundTripMs?: number;
  /** Resolves when what carries it is lost: that is then why the session is. */
  lost?: Promise<HostError>;
}

/** @throws HostError */
export async function dialCarrier(host: string, addresses: LookupAddress[], port: number, timeoutMs: number): Promise<Carrier> {
  const began = performance.now();
  const socket = await dial(host, addresses, port, timeoutMs);
  return {
    roundTripMs: performance.now() - began,
    stream: socket,
    address: socket.remoteAddress ?? host,
    localAddress: socket.localAddress ?? "",
    localPort: socket.localPort ?? 0,
  };
}
