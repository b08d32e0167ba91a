/** A frame at thirty a second. */
export const LEAST_MS = 33;

/**
 * Tells listeners that the state has changed: at once when nothing was told for a while, else at a capped rate. One event on a quiet
 * host is on the screen within a frame; ten thousand a second cost ten frames.
 */
export class Publisher {
  readonly #listeners = new Set<() => void>();
  #version = 0;
  #last = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Least milliseconds between two tellings, whatever they cost. More while there is other work that listeners wait for. */
  least = LEAST_MS;
  /** The same as it is now; follows what the last one cost, so that painting never takes over. */
  #gap = LEAST_MS;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get version(): number {
    return this.#version;
  }

  changed(): void {
    if (this.#timer) return;
    const wait = this.#last + this.#gap - performance.now();
    this.#timer = setTimeout(() => this.now(), Math.max(0, wait));
  }

  now(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#version += 1;
    const started = performance.now();
    for (const listener of this.#listeners) listener();
    this.#last = performance.now();
    this.#gap = Math.max(this.least, Math.min(100, (this.#last - started) * 6));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#listeners.clear();
  }
}
