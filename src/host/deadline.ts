/** A limit on one stage of a connection; time that the analyst takes to answer a question does not count. */
export class Deadline {
  readonly #late: (stage: string) => void;
  #stage = "";
  #ms = 0;
  #waiting = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(late: (stage: string) => void) {
    this.#late = late;
  }

  /** Starts the clock anew, for a stage that is named in the error. */
  start(stage: string, ms: number): void {
    this.#stage = stage;
    this.#ms = ms;
    this.#arm();
  }

  /** The clock stands while `answer` is awaited, and starts anew after it. */
  async waiting<T>(answer: Promise<T>): Promise<T> {
    this.#waiting++;
    clearTimeout(this.#timer);
    try {
      return await answer;
    } finally {
      this.#waiting--;
      if (this.#waiting === 0 && this.#ms > 0) this.#arm();
    }
  }

  stop(): void {
    this.#ms = 0;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#waiting === 0) this.#timer = setTimeout(() => this.#late(this.#stage), this.#ms);
  }
}
