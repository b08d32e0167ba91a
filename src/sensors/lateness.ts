/** Seconds that a collector waits for a heartbeat where we have told it that the line is slow. */
export const PATIENCE_ON_SLOW_LINES = 20;
/** A line is slow when what it brings comes this much later than at its best: our heartbeats may then come as late as its queue is long. */
const SLOW_MS = 500;
/** Ticks come once a second. */
const SILENT_MS = 2000;
/** Two clocks drift apart: by how much of a millisecond a second (1000 ppm) the best is taken to be less good, which is far more than they do. */
const DRIFT = 0.001;

/**
 * How much later than at its best a line brings what the host sends with a time of its own. A slow line with a long queue (50 kB/s and a
 * router that drops nothing) is seconds behind at its worst, and a heartbeat that is lost on it is sent again only after that: the
 * collector is told to be as patient.
 */
export class Lateness {
  #best = Number.POSITIVE_INFINITY;
  #at = Number.NEGATIVE_INFINITY;
  #ms = 0;

  /** `sent`: by the host's clock, `now`: by ours, both in milliseconds from any moment on. */
  take(sent: number, now: number): void {
    const drifted = Number.isFinite(this.#at) ? Math.max(0, now - this.#at) * DRIFT : 0;
    this.#best = Math.min(this.#best + drifted, now - sent);
    this.#at = now;
    this.#ms = now - sent - this.#best;
  }

  /** Whether what was sent last came late, or nothing has come for two seconds. */
  slow(now: number): boolean {
    return this.#ms > SLOW_MS || (Number.isFinite(this.#at) && now - this.#at > SILENT_MS);
  }
}
