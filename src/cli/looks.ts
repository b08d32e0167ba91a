import type { HostRunner } from "#host/runner";
import type { Investigation } from "#investigation/investigation";
import { inventoryOf } from "#sensors/look/inventory";
import { loginFactsOf } from "#sensors/look/login-facts";
import { askAboutLogins, lookAt } from "#sensors/look/look";
import { lookBackOf } from "#sensors/look/past";

/** The set-up is read again this long after something of it was touched, and each minute where no sensor tells. */
const TOUCHED_MS = 700;
const AGAIN_MS = 60_000;
/** Never more often than this: a host that touches its files without end shall not keep us busy. */
const LEAST_MS = 2000;
/** Behind sudo each look leaves a line in the host's authentication log: then only what was touched is looked at, and seldom. */
const LEAST_BEHIND_SUDO_MS = 20_000;
const ENDING_MS = 1000;
/** Logins that came together are asked about together. */
const LOGINS_MS = 300;
const MOST_LOGINS = 32;

/** Files whose change can change how the host is set up. */
const SET_UP =
  /^\/etc\/(?:passwd|shadow|group|sudoers|crontab|anacrontab|inittab|rc\.local)$|^\/etc\/(?:sudoers\.d|cron\.[a-z]+|systemd\/system|init\.d)\/|^\/var\/spool\/(?:cron|at)\/|\/\.ssh\/authorized_keys/;

/**
 * The looks at the host besides its sensors: once at what it remembers, then at how it is set up, and at each login that begins. Each is a
 * program of its own that ends by itself; one at a time.
 */
export class Looks {
  /** What there is of a connection now: it may come back as another. */
  readonly #runner: () => HostRunner;
  readonly #investigation: Investigation;
  readonly #sudo: boolean;
  readonly #halted: () => boolean;
  #begun = false;
  #closed = false;
  #busy: Promise<void> = Promise.resolve();
  #due: NodeJS.Timeout | undefined;
  #dueAt = 0;
  #last = 0;
  #logins: { id: string; pid: number; first: number }[] = [];
  #asking: NodeJS.Timeout | undefined;

  /** `sudo`: what we run on the host goes through it. `halted`: an analyst ended all that watches the host, and so are looks. */
  constructor(runner: () => HostRunner, investigation: Investigation, { sudo, halted }: { sudo: boolean; halted: () => boolean }) {
    this.#runner = runner;
    this.#investigation = investigation;
    this.#sudo = sudo;
    this.#halted = halted;
  }

  /** The sensors have told what is there. Resolves when the look back is in the log. */
  begin(): Promise<void> {
    if (this.#begun) {
      this.touchedUnseen(); // the host was started anew: what it remembered then is told
      return this.#busy;
    }
    this.#begun = true;
    return this.#next(async () => {
      const started = performance.now();
      try {
        const answer = await lookAt(this.#runner(), ["past", "set-up"]);
        if (this.#closed) return;
        this.#investigation.takeSetUp(inventoryOf(answer));
        this.#investigation.looked.past(lookBackOf(answer), (performance.now() - started) / 1000);
      } catch (error) {
        if (!this.#closed) this.#investigation.looked.blind(`what the host remembers was not read: ${(error as Error).message}`);
      }
      this.#investigation.publisher.changed();
      this.#again(AGAIN_MS);
    });
  }

  /** A watched file changed. */
  touched(path: string): void {
    if (this.#begun && SET_UP.test(path)) this.#again(TOUCHED_MS);
  }

  /** The set-up may have changed, and no file tells: something began to listen, or nothing was seen for a while. */
  touchedUnseen(): void {
    if (this.#begun) this.#again(TOUCHED_MS);
  }

  came(login: { id: string; pid: number; first: number }): void {
    if (this.#closed || this.#logins.length >= MOST_LOGINS) return;
    this.#logins.push(login);
    this.#asking ??= setTimeout(() => {
      this.#asking = undefined;
      void this.#next(() => this.#ask(this.#logins.splice(0)));
    }, LOGINS_MS);
  }

  /** Takes no more looks. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#due);
    clearTimeout(this.#asking);
  }

  /** As {@link close}; resolves when the one that is under way has left the host, or after a second: it ends by itself. */
  async end(): Promise<void> {
    this.close();
    await Promise.race([this.#busy, new Promise((late) => setTimeout(late, ENDING_MS).unref())]);
  }

  #again(ms: number): void {
    const at = Math.max(performance.now() + ms, this.#last + (this.#sudo ? LEAST_BEHIND_SUDO_MS : LEAST_MS));
    if (this.#closed || (this.#sudo && ms === AGAIN_MS) || (this.#due && this.#dueAt <= at)) return;
    clearTimeout(this.#due);
    this.#dueAt = at;
    this.#due = setTimeout(() => {
      this.#due = undefined;
      void this.#next(() => this.#setUp());
    }, at - performance.now());
    this.#due.unref();
  }

  async #setUp(): Promise<void> {
    if (this.#halted()) return this.#again(AGAIN_MS);
    this.#last = performance.now();
    try {
      const answer = await lookAt(this.#runner(), ["set-up"]);
      // half a look would call all that it did not come to gone
      if (!this.#closed && answer.complete) this.#investigation.takeSetUp(inventoryOf(answer));
    } catch {
      // the connection says by itself when it is lost
    }
    this.#again(AGAIN_MS);
  }

  async #ask(logins: readonly { id: string; pid: number; first: number }[]): Promise<void> {
    if (this.#halted()) return;
    const answer = await askAboutLogins(this.#runner(), logins).catch(() => undefined);
    if (!answer || this.#closed) return;
    for (const { id, pid } of logins) {
      const login = this.#investigation.state.logins.get(id);
      if (login) this.#investigation.looked.login(login, loginFactsOf(answer, { pid, ip: login.source?.ip, port: login.source?.port }));
    }
    this.#investigation.publisher.changed();
  }

  #next(look: () => Promise<void>): Promise<void> {
    this.#busy = this.#busy.then(() => (this.#closed ? undefined : look()));
    return this.#busy;
  }
}
