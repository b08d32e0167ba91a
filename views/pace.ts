/** What rows are made of costs a pass over all that the host runs: at most this share of the time goes into it. */
const SHARE = 10;
/** What costs less is done at once, whatever the share, milliseconds. */
const CHEAP = 3;
/** On a busy host a picture comes by itself within this many milliseconds of the work being due, and does it: no other is asked for. */
const PICTURE = 110;
/** Pictures one after the other, no further apart than that, after which the host counts as busy. */
const BUSY = 10;

/** Lets costly work wait while it would take over: a key is answered from the rows that are there. */
export class Pace {
  readonly #again: () => void;
  readonly #still: () => boolean;
  readonly #share: number;
  #cost = 0;
  /** What the last one took. */
  #last: number | undefined;
  #at = 0;
  #timer: NodeJS.Timeout | undefined;
  /** When it was last asked whether the work is due, and how often in a row. */
  #asked = 0;
  #pictures = 0;
  /** Until what is at hand is done: see {@link soon}. */
  #waits = false;

  /**
   * `again` is called soon after work that was put off is due, unless it was done by then. While `still` holds nothing is put off: there is only what was
   * asked for. One part in `share` of the time may go into it.
   */
  constructor(again: () => void, still: () => boolean = () => false, share = SHARE) {
    this.#again = again;
    this.#still = still;
    this.#share = share;
  }

  /** True when the work may be done now; otherwise `again` will be called. */
  due(): boolean {
    if (this.#waits) return false;
    const now = performance.now();
    this.#pictures = now - this.#asked < PICTURE ? this.#pictures + 1 : 0;
    this.#asked = now;
    const wait = this.#wait();
    if (wait <= 0) return true;
    this.#timer ??= this.#after(wait + (this.#pictures >= BUSY ? PICTURE : 0));
    return false;
  }

  /** Milliseconds until the work is due. */
  #wait(): number {
    return this.#cost <= CHEAP || this.#still() ? 0 : this.#at + this.#cost * this.#share - performance.now();
  }

  /** A timer counts whole milliseconds, from when its turn of the event loop began: it can be early by all that was done in that turn. */
  #after(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      const early = this.#wait();
      this.#timer = early > 0 ? this.#after(early) : undefined;
      if (early <= 0) this.#again();
    }, Math.ceil(ms));
  }

  /** The work is not done now, whatever it costs, but as soon as what is at hand is: then `again` is called. False where nothing is put off. */
  soon(): boolean {
    if (this.#still()) return false;
    this.close();
    this.#waits = true;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#waits = false;
      this.#at = Number.NEGATIVE_INFINITY;
      this.#again();
    }, 0);
    return true;
  }

  /** Does the work and remembers what it cost. */
  run<T>(work: () => T): T {
    this.close();
    const started = performance.now();
    const done = work();
    this.#at = performance.now();
    const cost = this.#at - started;
    // the lesser of the last two: one that was held up, by a collection of garbage or a busy machine, says nothing of the next
    this.#cost = Math.min(cost, this.#last ?? cost);
    this.#last = cost;
    return done;
  }

  /** When the work was last done, and what it costs, milliseconds. */
  get at(): number {
    return this.#at;
  }
  get cost(): number {
    return this.#cost;
  }

  /** Somebody else has done it: the next time is reckoned from then. */
  took(at: number, cost: number): void {
    this.close();
    this.#at = at;
    this.#cost = cost;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waits = false;
  }
}
