import type { Selection } from "#commands/command";
import { Copier, clipboardSequence } from "./copy.ts";
import { factsOf } from "./facts/facts.ts";
import type { Notice } from "./notice.ts";
import type { Picture } from "./picture.ts";

const NONE = "this terminal has no clipboard that could be reached";

/** The clipboard of the analyst's terminal: what is sent there is named. */
export class Clipboard {
  readonly #send: ((sequence: string) => void) | undefined;
  readonly #notice: Notice;
  readonly #copier = new Copier();

  /** `send` puts an escape sequence of our own making on the terminal; missing where it could not understand one. */
  constructor(notice: Notice, send: ((sequence: string) => void) | undefined) {
    this.#notice = notice;
    this.#send = send;
  }

  /** The next value of what is selected, or all that is told of it. */
  copy({ theme, seen, seenNow }: Picture, selection: Selection | undefined, what: "value" | "details"): void {
    if (!selection) return;
    if (!this.#send) return this.#notice.say(NONE);
    const facts = what === "details" ? factsOf(theme, seen, selection, seenNow) : undefined;
    const { notice, send } = this.#copier.copy(seen, selection, facts);
    this.#notice.say(notice, send !== undefined);
    if (send !== undefined) this.#send(send);
  }

  /** A text that a dialog hands over; `notice` is what is said of it. */
  take(text: string, notice: string | undefined): void {
    if (!this.#send) return this.#notice.say(NONE);
    this.#notice.say(notice, true);
    this.#send(clipboardSequence(text));
  }
}
