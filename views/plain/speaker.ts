import type { Writable } from "node:stream";
import { printable } from "#model/host-string";
import { columns } from "../HostText.ts";

/** Lines that may wait for a terminal that does not read, or for a line that is being typed. */
const MOST_WAITING = 500;
/** Bytes that may wait in the terminal's own queue. */
const MOST_QUEUED = 1 << 16;

/** Says sentences, a line each, in the order they come; never in the middle of a line that somebody types. */
export class Speaker {
  readonly #out: Writable;
  readonly #form: (text: string) => string;
  readonly #drained = () => this.#flush();
  #waiting: string[] = [];
  #leftOut = 0;
  /** What stands on the line that is being typed; undefined while none is. */
  #typed: string | undefined;

  /** `form` brings a text into what the terminal can show. */
  constructor(out: Writable, form: (text: string) => string) {
    this.#out = out;
    this.#form = form;
    out.on("drain", this.#drained);
  }

  say(...lines: readonly string[]): void {
    for (const line of lines) {
      if (this.#waiting.length < MOST_WAITING) this.#waiting.push(line);
      else this.#leftOut += 1;
    }
    this.#flush();
  }

  /** The line that is typed is now `text`: what came or went is echoed. `label` stands before it when it begins. */
  type(label: string, text: string): void {
    if (this.#typed === undefined) {
      this.#typed = text;
      this.#out.write(this.#form(`${printable(label)}: ${printable(text)}`));
      return;
    }
    const before = this.#typed;
    this.#typed = text;
    if (text === before) return;
    if (text.startsWith(before)) this.#out.write(this.#form(printable(text.slice(before.length))));
    else if (before.startsWith(text)) this.#out.write("\b \b".repeat(columns(before.slice(text.length), 400)));
    else this.#out.write(this.#form(`\n${printable(label)}: ${printable(text)}`));
  }

  /** The typed line is over: what waited for it is said. */
  typed(): void {
    if (this.#typed === undefined) return;
    this.#typed = undefined;
    this.#out.write("\n");
    this.#flush();
  }

  close(): void {
    this.typed();
    this.#out.off("drain", this.#drained);
  }

  #flush(): void {
    while (this.#typed === undefined && this.#waiting.length > 0 && this.#out.writableLength < MOST_QUEUED)
      this.#out.write(`${this.#form(printable(this.#waiting.shift() as string))}\n`);
    if (this.#waiting.length > 0 || this.#leftOut === 0) return;
    const left = this.#leftOut;
    this.#leftOut = 0;
    this.say(`Attention. ${left} lines were not said, the terminal could not take them: the panes have it all.`);
  }
}
