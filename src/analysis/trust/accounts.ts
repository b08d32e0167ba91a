import type { LoginState, ProcessState, State } from "#state/state";
import type { Millis } from "#state/time";
import { isStranger, isTrusted, processOf, programOf, type Scene, type Suspicion, trustedLogins, whoOf } from "./scene.ts";

/** How long sudo takes a password as given (sudoers(5), timestamp_timeout: 15 minutes in Debian). */
const TIMESTAMP_MS = 15 * 60_000;
const MOST = 10_000;

/** Fingerprint of the key that let a login in, where the host's log or environment told it. */
const keyOf = (login: LoginState): string | undefined => login.info?.key;

/** What one account lends to another: keys that are used twice, and the time in which sudo asks for no password. */
export class AccountWatch {
  /** The last sudo of each user by a tagged login. */
  readonly #sudo = new Map<number, { process: string; who: string; tty: string | undefined; at: Millis }>();

  /**
   * The last user other than root of a process, by its id. sudo makes itself root within a millisecond of its start: what is read of it later
   * no longer says who called it, but the shell that it was before does.
   */
  readonly #users = new Map<string, number>();

  look(scene: Scene): Suspicion[] {
    const { event } = scene;
    const found =
      event.event.action === "process.start"
        ? this.#rides(scene)
        : event.event.action === "login.start" || event.event.action === "login.info"
          ? this.sameKey(scene.state, scene.state.logins.get(event.process?.entity_id ?? ""))
          : this.#stamps(scene);
    return found ? [found] : [];
  }

  /** A second login with the key of a tagged one, from another address; or one from its address with another key. */
  sameKey(state: State, login: LoginState | undefined): Suspicion | undefined {
    const key = login && keyOf(login);
    if (!login || key === undefined || login.source === undefined || login.ours) return undefined;
    for (const other of trustedLogins(state)) {
      if (other.id === login.id || other.ours || other.source === undefined) continue;
      const [sameKey, sameAddress] = [keyOf(other) === key, other.source.ip === login.source.ip];
      if (sameKey && !sameAddress)
        return {
          rule: "tagged-key-from-elsewhere",
          title: "the key of a tagged login was used from another address",
          level: "high",
          technique: ["T1078", "T1552.004"],
          // whose key it is nobody can say: both are in view
          entities: [login.id, other.id],
          exposes: [login.id, other.id],
          about: [login.id, other.id].sort().join(" "),
        };
      if (!sameKey && sameAddress && keyOf(other) !== undefined && isTrusted(login))
        return {
          rule: "tagged-address-other-key",
          title: "a login from a tagged address came with another key",
          level: "medium",
          technique: ["T1078"],
          entities: [login.id, other.id],
          exposes: [login.id],
          about: `${login.id} ${key}`,
        };
    }
    return undefined;
  }

  #rides({ state, event, actor }: Scene): Suspicion | undefined {
    if (!actor) return undefined;
    if (!/^(?:sudo|doas)$/.test(programOf(actor))) {
      if (actor.uid) this.#remember(actor.id, actor.uid);
      return undefined;
    }
    // a program that is set to root's id keeps who called it as its real user, until it changes that as well
    const above = processOf(state, actor.parent);
    const user = actor.uid || this.#users.get(actor.id) || above?.uid || (above && this.#asked(state, above));
    if (user === undefined || user === 0) return undefined;
    const at = Date.parse(event["@timestamp"]);
    if (!isTrusted(actor)) return this.#ridden(user, actor, at);
    if (this.#sudo.size < MOST) this.#sudo.set(user, { process: actor.id, who: whoOf(actor), tty: actor.tty, at });
    return undefined;
  }

  /** The account that su was asked for, if a tagged login has sudo by it. */
  #asked(state: State, { args = [], ...program }: ProcessState): number | undefined {
    if (!/^(?:su|runuser)$/.test(programOf(program))) return undefined;
    return [...this.#sudo.keys()].find((uid) => args.slice(1).some((arg) => arg === state.users.get(uid)));
  }

  #remember(process: string, user: number): void {
    this.#users.delete(process);
    this.#users.set(process, user);
    if (this.#users.size > MOST) this.#users.delete(this.#users.keys().next().value ?? "");
  }

  #ridden(user: number, actor: ProcessState, at: Millis): Suspicion | undefined {
    const last = this.#sudo.get(user);
    if (!last || last.who === whoOf(actor) || at - last.at > TIMESTAMP_MS) return undefined;
    if (last.tty !== undefined && last.tty === actor.tty) return undefined; // a terminal that was not seen is not the same one
    return {
      rule: "tagged-sudo-ridden",
      title: "sudo under the account of a tagged login, from another terminal, while its password counted",
      level: "medium",
      technique: ["T1548.003"],
      entities: [actor.id, last.process],
      exposes: [last.who],
      about: `${whoOf(actor)} ${last.who}`,
    };
  }

  /**
   * sudo's time stamps are sudo's own: another program that opens or writes them forges one. Which one sudo itself opens says whose account
   * it is, also where sudo had ended before its user was read. The file is called as the account, or by its number.
   */
  #stamps({ state, event, actor }: Scene): Suspicion | undefined {
    const path = event.file?.path;
    if (path === undefined || !/^\/(?:var\/)?run\/sudo\/ts(?:\/|$)/.test(path) || !isStranger(actor)) return undefined;
    if (/^(?:sudo|sudoedit|su)$/.test(programOf(actor))) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      const user = /^\d+$/.test(name) ? Number(name) : [...this.#sudo.keys()].find((uid) => state.users.get(uid) === name);
      return user === undefined ? undefined : this.#ridden(user, actor, Date.parse(event["@timestamp"]));
    }
    const lent = [...this.#sudo.values()];
    return {
      rule: "sudo-timestamp-touched",
      title: "sudo's time stamps were opened by another program",
      level: "high",
      technique: ["T1548.003"],
      entities: [actor.id, ...lent.map(({ process }) => process)],
      exposes: lent.map(({ who }) => who),
      path: path as NonNullable<Suspicion["path"]>,
      about: `${whoOf(actor)} ${path}`,
    };
  }
}
