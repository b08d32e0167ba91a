/** A page of the ring buffer, as a shell's tracer sends it, and the length of a text's head. */
const PAGE = 4096;
const HEAD = 16;
/** A text of the tracer begins with this where a page has its time stamp: as one it would be 192 years after boot. */
const MARK = Buffer.from("STAKEOUT", "latin1");
const LONGEST_TEXT = 65_536;
/** What a login script may print before. */
const MOST_PREAMBLE = 65_536;

/**
 * The channel of a shell's tracer (collectors/shell/trace.ts) as pages and lines. Any split of the bytes gives the same. It never throws: where
 * the bytes are neither, `broken` says so, and nothing more is read.
 */
export class TraceStream {
  broken: string | undefined;
  readonly #onPage: (page: Buffer) => void;
  readonly #onLine: (line: string) => void;
  #rest: Buffer = Buffer.alloc(0);
  #begun = false;

  /** `onLine`: without its newline, one character a byte. */
  constructor(onPage: (page: Buffer) => void, onLine: (line: string) => void) {
    this.#onPage = onPage;
    this.#onLine = onLine;
  }

  push(bytes: Uint8Array): void {
    if (this.broken !== undefined) return;
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    if (!this.#begun && !this.#begins()) return;
    let at = 0;
    for (;;) {
      const left = this.#rest.length - at;
      if (left < HEAD) break;
      const marked = this.#rest.subarray(at, at + MARK.length).equals(MARK);
      const length = marked ? this.#textLength(at) : PAGE;
      if (length === undefined) {
        this.broken = "its channel holds what is neither a page nor a text";
        break;
      }
      if (left < length) break;
      const part = this.#rest.subarray(at, at + length);
      at += length;
      if (marked) this.#lines(part.subarray(HEAD));
      else this.#onPage(part);
    }
    this.#rest = this.broken === undefined ? Buffer.from(this.#rest.subarray(at)) : Buffer.alloc(0);
  }

  /** What a login script prints is passed over. */
  #begins(): boolean {
    const at = this.#rest.indexOf(MARK);
    if (at < 0) {
      if (this.#rest.length > MOST_PREAMBLE) this.broken = "what came first was not ours";
      return false;
    }
    this.#begun = true;
    this.#rest = this.#rest.subarray(at);
    return true;
  }

  /** With its head; undefined where that is none. */
  #textLength(at: number): number | undefined {
    const [, digits] = /^ *(\d+)\n$/.exec(this.#rest.toString("latin1", at + MARK.length, at + HEAD)) ?? [];
    return digits === undefined || Number(digits) > LONGEST_TEXT ? undefined : HEAD + Number(digits);
  }

  #lines(text: Buffer): void {
    for (const line of text.toString("latin1").split("\n")) if (line !== "") this.#onLine(line);
  }
}
