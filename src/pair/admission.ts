import { isIPv6 } from "node:net";

/** How much the server takes from strangers, and from those whom it knows. */
export interface Limits {
  /** Connections from one address that are answered at once; one more every `perAddressMs`. */
  perAddress: number;
  perAddressMs: number;
  /** The same over all addresses. */
  inAll: number;
  inAllMs: number;
  /** Connections at a time that have not shown a listed key yet. */
  strangers: number;
  /** Screens at a time, and of one analyst. */
  clients: number;
  clientsEach: number;
  /** From the first byte to an open screen. */
  authMs: number;
  /** Keys that one connection may offer, and signatures that it may get wrong. */
  offers: number;
  signatures: number;
  /** Bytes that a connection may send before it has shown a listed key. */
  strangerBytes: number;
  /** Without a key pressed. */
  idleMs: number;
  /** Without taking what is sent to it. */
  stalledMs: number;
}

export const LIMITS: Limits = {
  perAddress: 10,
  perAddressMs: 3000,
  inAll: 40,
  inAllMs: 500,
  strangers: 10,
  clients: 8,
  clientsEach: 3,
  authMs: 20_000,
  offers: 20,
  signatures: 3,
  strangerBytes: 256 * 1024,
  idleMs: 2 * 60 * 60 * 1000,
  stalledMs: 20_000,
};

/** Tokens that come back one by one. */
interface Bucket {
  tokens: number;
  at: number;
}
const MOST_ADDRESSES = 4096;

/** Decides whom to talk to, before a single byte is worked on. Reads no clock. */
export class Admission {
  readonly #limits: Limits;
  readonly #now: () => number;
  readonly #addresses = new Map<string, Bucket>();
  readonly #all: Bucket;
  #strangers = 0;

  constructor(limits: Limits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
    this.#all = { tokens: limits.inAll, at: now() };
  }

  /** Addresses that are remembered just now. */
  get remembered(): number {
    return this.#addresses.size;
  }

  /** @returns what to do when the connection has ended, or why it is not answered */
  enter(address: string): { known(): void; gone(): void } | string {
    const { perAddress, perAddressMs, inAll, inAllMs, strangers } = this.#limits;
    if (this.#strangers >= strangers) return "too many connections at once that showed no key";
    const from = networkOf(address);
    const bucket = this.#bucket(from);
    this.#refill(bucket, perAddress, perAddressMs);
    this.#refill(this.#all, inAll, inAllMs);
    if (bucket.tokens < 1) return "too many attempts from this address";
    if (this.#all.tokens < 1) return "too many attempts";
    bucket.tokens -= 1;
    this.#all.tokens -= 1;
    this.#strangers += 1;
    let stranger = true;
    const leave = () => {
      if (stranger) this.#strangers -= 1;
      stranger = false;
    };
    return {
      known: () => {
        leave();
        bucket.tokens = Math.min(perAddress, bucket.tokens + 1); // who may join has used nothing up
        this.#all.tokens = Math.min(inAll, this.#all.tokens + 1);
      },
      gone: leave,
    };
  }

  #bucket(from: string): Bucket {
    const known = this.#addresses.get(from);
    if (known) return known;
    if (this.#addresses.size >= MOST_ADDRESSES) this.#forget();
    const fresh = { tokens: this.#limits.perAddress, at: this.#now() };
    this.#addresses.set(from, fresh);
    return fresh;
  }

  /** Those that have their tokens back need no memory; if all are at it, the oldest go: the limit over all holds them. */
  #forget(): void {
    for (const [from, bucket] of this.#addresses) {
      this.#refill(bucket, this.#limits.perAddress, this.#limits.perAddressMs);
      if (bucket.tokens >= this.#limits.perAddress) this.#addresses.delete(from);
    }
    for (const from of this.#addresses.keys()) {
      if (this.#addresses.size < MOST_ADDRESSES / 2) break;
      this.#addresses.delete(from);
    }
  }

  #refill(bucket: Bucket, most: number, everyMs: number): void {
    const now = this.#now();
    bucket.tokens = Math.min(most, bucket.tokens + Math.max(0, now - bucket.at) / everyMs);
    bucket.at = now;
  }
}

/** One customer of a provider has a whole /64 (RFC 6177): its addresses count as one. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length;
  const groups = [...front, ...Array.from({ length: Math.max(0, zeros) }, () => "0"), ...back];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
