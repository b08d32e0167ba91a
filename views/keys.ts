import { StringDecoder } from "node:string_decoder";

/**
 * `name` is what the command registry lists: 'j', 'T', 'up', 'shift-tab', 'ctrl-c', 'enter', 'f5'. `text` is what a text field would
 * take. 'paste' has only text and 'mouse' only a place: no command can have either as its key.
 */
export interface Key {
  name: string;
  text?: string;
  mouse?: Mouse;
}

/** The left button or the wheel, at a cell counted from 0 in the upper left corner. */
export interface Mouse {
  what: "click" | "wheel-up" | "wheel-down";
  x: number;
  y: number;
}

// Final bytes of CSI and SS3 sequences, and numbers of `CSI n ~` (xterm's "PC-style function keys", ctlseqs).
const FINALS: Record<string, string> = { A: "up", B: "down", C: "right", D: "left", H: "home", F: "end", Z: "shift-tab" };
/** SS3 alone: the keypad's Enter, and the first function keys. */
const SS3_FINALS: Record<string, string> = { ...FINALS, M: "enter", P: "f1", Q: "f2", R: "f3", S: "f4" };
const NUMBERS: Record<string, string> = {
  ...{ "1": "home", "2": "insert", "3": "delete", "4": "end", "5": "pageup", "6": "pagedown", "7": "home", "8": "end" },
  ...{ "11": "f1", "12": "f2", "13": "f3", "14": "f4", "15": "f5", "17": "f6", "18": "f7", "19": "f8", "20": "f9", "21": "f10" },
  ...{ "23": "f11", "24": "f12" },
};
/** Buttons of SGR mouse reports (xterm ctlseqs, mode 1006); bits 2 to 4 say which modifiers were held. */
const BUTTONS: Record<number, Mouse["what"]> = { 0: "click", 64: "wheel-up", 65: "wheel-down" };
const MODIFIERS = 4 | 8 | 16;
/** Bytes of a mouse report of mode 1000 without 1006, after its `CSI M`: they must never be taken for keys. */
const OLD_REPORT = 3;
const CONTROLS: Record<string, string> = { "\r": "enter", "\n": "enter", "\t": "tab", "\x7f": "backspace", "\b": "backspace", " ": " " };
const PASTE_END = "\x1b[201~";
const LONGEST_SEQUENCE = 64;
/** Characters of one paste that are kept; the rest is read and dropped. */
const LONGEST_PASTE = 4096;

/**
 * Keys from the raw bytes of a terminal. Any split of the bytes gives the same keys; what is typed ahead comes out key by key.
 * A lone Escape is only known by nothing following: while `waiting`, the owner calls {@link flush} after some milliseconds.
 */
export class KeyParser {
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";
  #paste: string | undefined;

  /** An escape sequence has begun and may be a lone Escape key. */
  get waiting(): boolean {
    return this.#paste === undefined && this.#rest !== "";
  }

  feed(chunk: Uint8Array | string): Key[] {
    this.#rest += typeof chunk === "string" ? chunk : this.#decoder.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    const keys: Key[] = [];
    while (this.#rest !== "") {
      const key = this.#paste === undefined ? this.#next() : this.#pasted();
      if (key === "more") break;
      if (key) keys.push(key);
    }
    return keys;
  }

  /** Nothing followed: what waits is the Escape key, and what came after it are keys of their own. */
  flush(): Key[] {
    if (!this.waiting) return [];
    const after = this.#rest.slice(1);
    this.#rest = "";
    return [{ name: "escape" }, ...(after ? this.feed(after) : [])];
  }

  #take(length: number): string {
    const text = this.#rest.slice(0, length);
    this.#rest = this.#rest.slice(length);
    return text;
  }

  #next(): Key | undefined | "more" {
    const first = this.#rest[0] as string;
    if (first === "\x1b") return this.#escape();
    const control = CONTROLS[first];
    if (control !== undefined) {
      this.#take(1);
      return first === " " ? { name: " ", text: " " } : { name: control };
    }
    if (first < " ") return { name: `ctrl-${String.fromCharCode(this.#take(1).charCodeAt(0) + 96)}` };
    const char = String.fromCodePoint(this.#rest.codePointAt(0) as number);
    this.#take(char.length);
    return { name: char, text: char };
  }

  #escape(): Key | undefined | "more" {
    const second = this.#rest[1];
    if (second === undefined) return "more";
    if (second === "O") {
      if (this.#rest.length < 3) return "more";
      return named(SS3_FINALS[this.#take(3)[2] as string]);
    }
    if (second === "[") return this.#csi();
    if (second === "\x1b") {
      this.#take(1);
      return { name: "escape" };
    }
    const char = String.fromCodePoint(this.#rest.codePointAt(1) as number);
    this.#take(1 + char.length);
    return { name: `alt-${char}` };
  }

  #csi(): Key | undefined | "more" {
    let end = 2;
    while (end < this.#rest.length && !isFinal(this.#rest.charCodeAt(end))) {
      if (end >= LONGEST_SEQUENCE || this.#rest.charCodeAt(end) < 0x20) {
        this.#take(end); // no terminal sends this: skip what has come so far
        return undefined;
      }
      end++;
    }
    if (end >= this.#rest.length) return "more";
    if (end === 2 && this.#rest[2] === "M") {
      if (this.#rest.length < 3 + OLD_REPORT) return "more";
      this.#take(3 + OLD_REPORT);
      return undefined;
    }
    const sequence = this.#take(end + 1);
    const final = sequence.at(-1) as string;
    if (sequence[2] === "<") return mouse(sequence);
    if (final !== "~") return named(FINALS[final]);
    const number = /^\d+/.exec(sequence.slice(2))?.[0] ?? "";
    if (number === "200") {
      this.#paste = "";
      return undefined;
    }
    return named(NUMBERS[number]);
  }

  #pasted(): Key | "more" {
    const end = this.#rest.indexOf(PASTE_END);
    const ready = end >= 0 ? end : Math.max(0, this.#rest.length - PASTE_END.length + 1);
    this.#paste = ((this.#paste ?? "") + this.#take(ready)).slice(0, LONGEST_PASTE);
    if (end < 0) return "more";
    this.#take(PASTE_END.length);
    const text = this.#paste;
    this.#paste = undefined;
    return { name: "paste", text };
  }
}

const isFinal = (code: number) => code >= 0x40 && code <= 0x7e;
/** `CSI < button ; column ; row M` is a press, with `m` at its end a release. */
function mouse(sequence: string): Key | undefined {
  const [, button, column, row] = /^<(\d{1,4});(\d{1,5});(\d{1,5})M$/.exec(sequence.slice(2)) ?? [];
  const what = BUTTONS[Number(button) & ~MODIFIERS];
  if (what === undefined || column === undefined || row === undefined) return undefined;
  return { name: "mouse", mouse: { what, x: Math.max(0, Number(column) - 1), y: Math.max(0, Number(row) - 1) } };
}
const named = (name: string | undefined): Key | undefined => (name === undefined ? undefined : { name });
