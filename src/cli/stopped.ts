/** The collector ends itself when it has heard nothing from us for this long. */
const COLLECTOR_PATIENCE_MS = 5000;
const BEAT_MS = 250;

/** Notices how long the whole program stood still: a stopped process runs no timer. */
export class StoppedTime {
  #last = performance.now();
  /** The last beat that came much too late: when the program goes on, a beat may come before anybody asks. */
  #late = { at: 0, gap: 0 };
  readonly #timer = setInterval(() => {
    const now = performance.now();
    if (now - this.#last > 2 * BEAT_MS) this.#late = { at: now, gap: now - this.#last };
    this.#last = now;
  }, BEAT_MS);

  constructor() {
    this.#timer.unref();
  }

  /** Milliseconds since the program last ran, to be asked first thing when it goes on. */
  measure(): number {
    const now = performance.now();
    const gap = now - this.#last + (now - this.#late.at < 2 * BEAT_MS ? this.#late.gap : 0);
    this.#last = now;
    this.#late = { at: 0, gap: 0 };
    return gap;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** What is known of a time in which the program was stopped. */
export function stoppedWords(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return milliseconds < COLLECTOR_PATIENCE_MS - 500
    ? `The console was stopped for ${seconds} s; the host's sensor went on, and what it saw is taken in now.`
    : `The console was stopped for ${seconds} s. The host's sensor ends itself when it hears nothing from us for 5 s: what happened after that was not seen, and it is started again.`;
}
