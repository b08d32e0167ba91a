import type { AskPassword } from "./authenticate.ts";
import type { LegOptions } from "./leg.ts";

type Asks = Pick<LegOptions, "askHostKey" | "askPassphrase" | "askPassword" | "pins">;

/**
 * What the analyst answered while we connected, so that the same session can come back without a question: passphrases, passwords and
 * the host's questions by what was asked, and the keys that the hosts on the way showed. In memory alone, until the console ends.
 */
export class Remembered {
  readonly #answers = new Map<string, string>();
  readonly #pins = new Map<string, string>();

  /** The first time: the analyst is asked, and what he said is kept; of several answers to one question the last, which was right. */
  first({ askHostKey, askPassphrase, askPassword }: Asks): Asks {
    return {
      askHostKey,
      askPassphrase: askPassphrase && (async (file) => this.#keep(file, await askPassphrase(file))),
      askPassword: askPassword && (async (question) => this.#keep(nameOf(question), await askPassword(question))),
      pins: this.#pins,
    };
  }

  /**
   * Coming back: nobody is asked. Each answer is given once a time, so that one that no longer holds (a one-time code) is not repeated
   * until the account is locked; and a host whose key is not the one of the first time is refused before anything is given to it.
   */
  again(): Asks {
    const given = new Set<string>();
    const once = async (name: string) => {
      if (given.has(name)) return undefined;
      given.add(name);
      return this.#answers.get(name);
    };
    return {
      askHostKey: undefined,
      askPassphrase: once,
      askPassword: (question) => once(nameOf(question)),
      pins: this.#pins,
    };
  }

  #keep(name: string, answer: string | undefined): string | undefined {
    if (answer !== undefined) this.#answers.set(name, answer);
    return answer;
  }
}

const nameOf = ({ user, host, prompt, for: purpose }: Parameters<AskPassword>[0]): string =>
  JSON.stringify([user, host, purpose, prompt ?? null]);
