import type { AnyAuthMethod, AuthenticationType, AuthHandlerMiddleware, Prompt } from "ssh2";
import type { HostString } from "#model/host-string";
import { bounded } from "./errors.ts";
import type { Identities } from "./identities.ts";
import type { LetIn } from "./made.ts";

export interface PasswordQuestion {
  user: string;
  host: string;
  /** The host's own words, if it chose them (keyboard-interactive); hostile. */
  prompt?: HostString;
  /** Whether the answer may be shown while it is typed. */
  echo: boolean;
  /** To be let in, or to run commands as root. */
  for: "login" | "sudo";
}
export type AskPassword = (question: PasswordQuestion) => Promise<string | undefined>;

const TRIES = 3; // as NumberOfPasswordPrompts (ssh_config(5))
const MAX_PROMPTS = 8; // in one request: a host that asks for more is playing with us

/**
 * Offers keys, then answers questions, in ssh's order; remembers what was tried, for the error, and what let us in, for the
 * second connection that proves our access.
 */
export class Authentication {
  /** What was tried, and why it failed where we know. */
  readonly tried: string[] = [];
  /** What the host would accept, in its own words (bounded, hostile). */
  offered: HostString[] = [];
  readonly #user: string;
  readonly #host: string;
  readonly #identities: Identities;
  readonly #ask: AskPassword | undefined;
  readonly #accepted: AnyAuthMethod[] = [];
  /** What let us in, in order, as it may be recorded. */
  readonly letIn: LetIn[] = [];
  /** Something secret was typed and sent to the host, whether or not it was right. */
  typed = false;
  #last: AnyAuthMethod | undefined;
  #lastKey: string | undefined;
  #nextKey = 0;
  #interactive = 0;
  #passwords = 0;
  #over = false;

  constructor(options: { user: string; host: string; identities: Identities; ask: AskPassword | undefined }) {
    this.#user = options.user;
    this.#host = options.host;
    this.#identities = options.identities;
    this.#ask = options.ask;
    this.tried.push(...options.identities.notes);
  }

  /** The methods that let us in, in order; call it once the host said yes. */
  succeeded(): AnyAuthMethod[] {
    this.#over = true;
    if (this.#last && this.#last.type !== "none") this.#accepted.push(this.#last);
    this.#note();
    return this.#accepted;
  }

  #note(): void {
    if (!this.#last) return;
    const { type } = this.#last;
    if (type === "agent") this.letIn.push({ method: "publickey", ...(this.#lastKey === undefined ? {} : { key: this.#lastKey }) });
    else if (type === "none" || type === "password" || type === "keyboard-interactive") this.letIn.push({ method: type });
  }

  /** Why the last method could not be completed on our side. */
  problem(message: string): void {
    const last = this.tried.pop();
    this.tried.push(last === undefined ? message : `${last}: ${message}`);
  }

  readonly handler: AuthHandlerMiddleware = (left, partialSuccess, next) => {
    if (this.#over) return; // a refusal after the welcome: a game that we do not play
    if (partialSuccess && this.#last) {
      this.#accepted.push(this.#last);
      this.#note();
    }
    this.#choose(left as AuthenticationType[] | null)
      .catch(() => undefined) // whoever asks the analyst failed to
      .then((method) => {
        this.#last = method;
        next(method ?? GIVE_UP);
      })
      .catch(() => {}); // the connection ended while the analyst was thinking: it has been told already
  };

  async #choose(left: AuthenticationType[] | null): Promise<AnyAuthMethod | undefined> {
    const username = this.#user;
    if (left === null) return { type: "none", username }; // asks the host what it would accept (RFC 4252, section 5.2)
    this.offered = left.slice(0, 8).map((name) => bounded(name, 40));
    if (left.includes("publickey")) {
      const identity = this.#identities.list[this.#nextKey++];
      if (identity) {
        this.tried.push(identity.label);
        this.#lastKey = identity.fingerprint;
        return { type: "agent", username, agent: identity.agent };
      }
    }
    if (this.#ask && left.includes("keyboard-interactive") && this.#interactive++ < TRIES) {
      this.tried.push("the host's questions");
      return {
        type: "keyboard-interactive",
        username,
        prompt: (_name, _instructions, _language, prompts, finish) => void this.#answer(prompts, finish),
      };
    }
    if (this.#ask && left.includes("password") && this.#passwords++ < TRIES) {
      const password = await this.#ask({ user: username, host: this.#host, echo: false, for: "login" });
      if (password === undefined) return undefined;
      this.typed = true;
      this.tried.push("password");
      return { type: "password", username, password };
    }
    return undefined;
  }

  /** Answers by prompt are kept: the second connection gives the same to the same words (a one-time code will then be refused). */
  readonly #answers = new Map<string, string>();

  async #answer(prompts: Prompt[], finish: (answers: string[]) => void): Promise<void> {
    const answers: string[] = [];
    try {
      for (const { prompt, echo } of prompts.slice(0, MAX_PROMPTS)) {
        const known = this.#over ? this.#answers.get(prompt) : undefined;
        const answer =
          known ??
          (this.#over
            ? undefined
            : await this.#ask?.({ user: this.#user, host: this.#host, prompt: bounded(prompt), echo: echo === true, for: "login" }));
        if (answer === undefined) this.#interactive = TRIES;
        else {
          this.#answers.set(prompt, answer);
          this.typed = true;
        }
        answers.push(answer ?? "");
      }
    } catch {
      this.#interactive = TRIES; // whoever asks the analyst failed to: do not ask again
    }
    try {
      finish(prompts.map((_, i) => answers[i] ?? ""));
    } catch {
      // the connection ended while the analyst was thinking: it has been told already
    }
  }
}

/** Gives the methods that let us in before again, in order, and nothing else; none at all means that the host asked for nothing. */
export function replay(username: string, methods: readonly AnyAuthMethod[]): AuthHandlerMiddleware {
  const rest: AnyAuthMethod[] = methods.length > 0 ? [...methods] : [{ type: "none", username }];
  return (_left, _partial, next) => next(rest.shift() ?? GIVE_UP);
}

/** ssh2 takes `false` for "nothing more to try"; its types leave that out. */
const GIVE_UP = false as unknown as AnyAuthMethod;
