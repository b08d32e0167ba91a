import type { HostConnection } from "#host/connection";
import { HostError } from "#host/errors";
import type { LinkView } from "#model/link";
import type { Collector } from "#sensors/collector";

/**
 * Milliseconds before each try; the last one again and again. Before the first: a sensor that ends may be a sign that the whole connection
 * has, and so long we wait to know.
 */
const BACK_OFF_MS = [250, 1000, 2000, 4000, 8000, 15_000, 30_000];
/** A line that held this long begins anew with short pauses. */
const STABLE_MS = 30_000;
/** So often may a host refuse our keys in a row: whoever goes on is taken for an attacker, and locked out. */
const MOST_REFUSALS = 3;

export interface LinkOptions {
  /** The connection that is there. */
  connection: HostConnection;
  /** Connects again, without a question to the analyst. */
  connect(): Promise<HostConnection>;
  /** Starts the sensor; `onEnd` is called when it ends by itself. */
  watch(connection: HostConnection, onEnd: (what: string) => void): Promise<Collector>;
  /** Called when nothing is seen any more. */
  onAway(what: string): void;
  /** Called with the connection that is there again, just before the sensor is started. */
  onConnected(connection: HostConnection): void;
  /** Called when the sensor says something again. */
  onBack(): void;
  /** Called when it is not tried any more by itself. */
  onStopped(why: string): void;
  /** Called when `view` has changed. */
  changed(): void;
}

type Standing = Omit<LinkView, "seenAgoMs" | "nextInMs"> & { nextAt?: number };

/**
 * The way to the host for as long as the session lives. When the connection is lost or the sensor ends, it comes back by itself: the same
 * host key, the same credentials, with longer and longer pauses; never with a question. What would not get better by trying ends it: another
 * host key, or keys that are refused again and again.
 */
export class Link {
  #view: Standing | undefined;
  connection: HostConnection;
  collector: Collector | undefined;
  readonly #options: LinkOptions;
  #dead = false;
  #closed = false;
  #heard = Date.now();
  #backSince = 0;
  #level = 0;
  #round = 0;
  #wake: (() => void) | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.connection = options.connection;
    this.#follow(options.connection);
  }

  /** Starts the first sensor. @throws whatever the sensor does */
  async begin(): Promise<void> {
    this.#take(await this.#watch());
  }

  /** The sensor has said something. */
  heard(): void {
    this.#heard = Date.now();
  }

  /** What there is to say of it now; undefined while all is well. */
  get view(): LinkView | undefined {
    if (!this.#view) return undefined;
    const { nextAt, ...view } = this.#view;
    const now = Date.now();
    return { ...view, seenAgoMs: Math.max(0, now - this.#heard), ...(nextAt === undefined ? {} : { nextInMs: Math.max(0, nextAt - now) }) };
  }

  /** Tries at once. @returns why not */
  tryNow(): string | undefined {
    if (!this.#view) return "the host is connected";
    if (this.#view.phase === "stopped") void this.#comeBack(this.#view.why);
    else if (this.#view.trying) return "a try is under way";
    else this.#wake?.();
    return undefined;
  }

  /** Nothing watches the host any more, by the word of `analyst`; or, while it is lost, no more tries by itself. @returns why not */
  stop(analyst: string): string | undefined {
    if (!this.#view) return this.#halt(analyst);
    if (this.#view.phase === "stopped") return "it is not tried any more";
    this.#stop(this.#view.why);
    this.#wake?.();
    return undefined;
  }

  #halt(analyst: string): string | undefined {
    const { collector } = this;
    if (!collector) return "no sensor runs";
    this.collector = undefined;
    const why = `${analyst} ended all that watches the host`;
    this.#options.onAway(why);
    this.#round += 1;
    this.#stop(why, true);
    void collector.stop();
    return undefined;
  }

  /** Ends sensor and connection. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    await this.collector?.stop();
  }

  #follow(connection: HostConnection): void {
    this.#dead = false;
    void connection.lost.then((error) => {
      if (connection !== this.connection) return;
      this.#dead = true;
      this.#lose(error.message);
    });
  }

  async #watch(): Promise<{ collector: Collector; words(): string }> {
    let said = "the sensor ended";
    const collector = await this.#options.watch(this.connection, (what) => {
      said = what;
    });
    return { collector, words: () => said };
  }

  /** The sensor runs, and may have ended already. */
  #take({ collector, words }: { collector: Collector; words(): string }): void {
    this.collector = collector;
    this.#backSince = Date.now();
    void collector.ended.then(({ why }) => {
      if (why === "exit" && this.collector === collector) this.#lose(words());
    });
  }

  #lose(what: string): void {
    if (this.#closed || this.#view || !this.collector) return;
    this.collector = undefined;
    if (Date.now() - this.#backSince > STABLE_MS) this.#level = 0;
    this.#options.onAway(what);
    void this.#comeBack(what);
  }

  #see(view: Standing | undefined): void {
    this.#view = view;
    this.#options.changed();
  }

  #stop(why: string, halted = false): void {
    this.#see({ phase: "stopped", attempt: this.#view?.attempt ?? 0, trying: false, why, ...(halted ? { halted } : {}) });
    this.#options.onStopped(why);
  }

  /** Whether this round of tries is still wanted: it may have been stopped, and another begun. */
  #goesOn(round: number): boolean {
    return !this.#closed && this.#view?.phase === "away" && round === this.#round;
  }

  async #comeBack(what: string): Promise<void> {
    const round = ++this.#round;
    let why = what;
    let refusals = 0;
    this.#see({ phase: "away", attempt: 1, trying: true, why });
    await this.#pause(this.#nextPause());
    for (let attempt = 1; this.#goesOn(round); attempt++) {
      this.#see({ phase: "away", attempt, trying: true, why });
      const error = await this.#try(round);
      if (error === undefined) return;
      why = error.message;
      refusals = error instanceof HostError && error.level === "auth" ? refusals + 1 : 0;
      if (!this.#goesOn(round)) return;
      if (error instanceof HostError && (error.level === "hostkey" || error.level === "config")) return this.#stop(why);
      if (refusals >= MOST_REFUSALS) return this.#stop(why);
      const pause = this.#nextPause();
      this.#see({ phase: "away", attempt, trying: false, nextAt: Date.now() + pause, why });
      await this.#pause(pause);
    }
  }

  #nextPause(): number {
    const pause = BACK_OFF_MS[Math.min(this.#level, BACK_OFF_MS.length - 1)] as number;
    this.#level += 1; // also of a try that succeeds: what is lost again at once is not to be hurried
    return pause;
  }

  /** One try; gives the error that it ended with. */
  async #try(round: number): Promise<Error | undefined> {
    try {
      if (this.#dead) {
        await this.connection.close();
        const connection = await this.#options.connect();
        if (!this.#goesOn(round)) {
          await connection.close();
          return new Error("nobody wanted it any more");
        }
        this.connection = connection;
        this.#follow(connection);
      }
      this.#options.onConnected(this.connection);
      const watching = await this.#watch();
      if (!this.#goesOn(round)) {
        await watching.collector.stop();
        return new Error("nobody wanted it any more");
      }
      this.#see(undefined);
      this.#options.onBack();
      this.#take(watching);
    } catch (error) {
      if (round === this.#round && error instanceof HostError) this.#dead = true; // the next time anew; a sensor that does not begin needs no other login
      return error as Error;
    }
    return undefined;
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, milliseconds);
      const wake = done;
      function done() {
        clearTimeout(timer);
        resolve();
      }
      this.#wake = wake;
    });
  }
}
