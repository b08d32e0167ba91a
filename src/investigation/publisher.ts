/** A frame at thirty a second. */
export const LEAST_MS = 33;
/** A frame at ten a second: what costs much is painted no more often than that, and no less. */
const MOST_MS = 90;
/** Changes a second from which on that is the pace, whatever a picture costs: nobody reads them any faster. */
const MANY = 500;
/** Tellings one after the other that had so many to tell before it is the pace: a first snapshot is many as well, and is waited for. */
const BUSY = 5;
/** One part in so many of the time may go into telling, between the two. */
const SHARE = 10;

/**
 * Tells listeners that the state has changed: at once when nothing was told for a while, else at a capped rate. One event on a quiet
 * host is on the screen within a frame; ten thousand a second cost ten frames.
 */
export class Publisher {
  readonly #listeners = new Set<() => void>();
  /** Those whose picture has a way to go. */
  readonly #far = new Set<() => void>();
  #version = 0;
  #last = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Since the last telling. */
  #changes = 0;
  /** Tellings until now, one after the other, that had many to tell. */
  #busy = 0;
  /** Least milliseconds between two tellings, whatever they cost. More while there is other work that listeners wait for. */
  least = LEAST_MS;
  /** The same as it is now; follows what the last picture cost, so that painting never takes over. */
  #gap = LEAST_MS;

  /** Who is `far`, at the other end of a line, is told first: his picture is on its way while the others are painted. */
  subscribe = (listener: () => void, far = false): (() => void) => {
    const those = far ? this.#far : this.#listeners;
    those.add(listener);
    return () => those.delete(listener);
  };

  get version(): number {
    return this.#version;
  }

  /** So many things have changed: it is told soon. */
  changed(things = 1): void {
    this.#changes += things;
    if (this.#timer) return;
    const wait = this.#last + this.#gap - performance.now();
    this.#timer = setTimeout(() => this.now(), Math.max(0, wait));
  }

  now(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#version += 1;
    const started = performance.now();
    this.#busy = this.#changes * 1000 > MANY * (started - this.#last) ? this.#busy + 1 : 0;
    const many = this.#busy >= BUSY;
    this.#changes = 0;
    for (const those of [this.#far, this.#listeners]) for (const listener of those) listener();
    this.#last = performance.now();
    // React paints in a microtask that the listener has queued: behind it the picture is made, and its cost known
    queueMicrotask(() => {
      this.#last = performance.now();
      this.#gap = Math.max(this.least, many ? MOST_MS : Math.min(MOST_MS, (this.#last - started) * SHARE));
    });
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const those of [this.#far, this.#listeners]) those.clear();
  }
}
