import { EventEmitter } from "node:events";
import type { Writable } from "node:stream";
import { graphemes } from "./graphemes.ts";
import { STEADY } from "./HostText.ts";
import { LEAVE } from "./terminal.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what starts a colour
const SGR = /\x1b\[[0-9;]*m/g;
const ALL_STEADY = new RegExp(`^[${STEADY}]*$`);
const PIECES = new RegExp(`\\x1b\\[[0-9;]*[mG]|[${STEADY}]+|[^${STEADY}\\x1b]+|\\x1b`, "g");

/**
 * Takes whole frames, as lines (an SGR sequence, or CSI column G, may stand in one). They are compared line by line, and only changed
 * lines go out, inside synchronized output (DEC private mode 2026), so nothing flickers and the last row can be used.
 * While the terminal does not take more, only the newest frame is kept.
 * Emits "painted" when the newest frame has left for the terminal.
 */
export class FrameWriter extends EventEmitter {
  readonly isTTY = true;
  readonly writable = true;
  columns: number;
  rows: number;
  readonly #out: Writable;
  #previous: string[] = [];
  #pending: string | undefined;
  #blocked = false;
  #clear = false;
  #open = false;
  #sent = 0;
  readonly #mouse: boolean;
  readonly #drained = () => {
    this.#blocked = false;
    const frame = this.#pending;
    this.#pending = undefined;
    if (frame !== undefined) this.#paint(frame);
  };

  constructor(out: Writable, columns: number, rows: number, mouse = false) {
    super();
    this.#out = out;
    this.#mouse = mouse;
    this.columns = columns;
    this.rows = rows;
  }

  /**
   * Takes the terminal, again after {@link leave} too: alternate screen, cursor hidden, pastes bracketed so that pasted text is never
   * taken for keys; clicks and the wheel told as SGR reports (modes 1000 and 1006), if wanted.
   */
  enter(): void {
    if (this.#open) return;
    this.#open = true;
    this.#previous = [];
    this.#blocked = this.#out.writableNeedDrain;
    this.#out.on("drain", this.#drained);
    this.#out.write(`\x1b[?1049h\x1b[?25l\x1b[?2004h${this.#mouse ? "\x1b[?1000h\x1b[?1006h" : ""}\x1b[0m\x1b[2J`);
  }

  /** Puts the terminal back as it was; safe to call twice, and whatever the terminal is doing. */
  leave(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#pending = undefined;
    this.#out.off("drain", this.#drained);
    if (this.#out.writable) this.#out.write(LEAVE);
  }

  /** An escape sequence of our own making, between two frames. */
  send(sequence: string): void {
    if (this.#open) this.#out.write(sequence);
  }

  resize(columns: number, rows: number): void {
    this.columns = columns;
    this.rows = rows;
    this.#previous = [];
    this.#clear = true; // sent with the next frame, in the same synchronized update: no blank flash in between
  }

  /** One whole frame. A callback is called at once, whatever becomes of it. */
  write(frame: string | Uint8Array, encoding?: unknown, done?: () => void): boolean {
    const callback = typeof encoding === "function" ? (encoding as () => void) : done;
    if (callback) queueMicrotask(callback);
    const text = String(frame);
    if (!this.#open || text === "" || text === "\n" || text.startsWith("\x1b[?")) return true;
    if (this.#blocked) this.#pending = text;
    else this.#paint(text);
    return true;
  }

  #paint(frame: string): void {
    const lines = frame.split("\n").slice(0, this.rows);
    let text = this.#clear ? "\x1b[0m\x1b[2J" : "";
    this.#clear = false;
    for (let i = 0; i < Math.max(lines.length, this.#previous.length); i++) {
      const line = lines[i] ?? "";
      if (line !== this.#previous[i]) text += `\x1b[${i + 1};1H\x1b[0m${placed(line, this.columns)}`;
    }
    this.#previous = lines;
    const number = ++this.#sent;
    const painted = () => {
      if (number === this.#sent && this.#pending === undefined) this.emit("painted");
    };
    if (!text) queueMicrotask(painted);
    else if (!this.#out.write(`\x1b[?2026h${text}\x1b[?2026l`, painted)) this.#blocked = true;
  }
}

/**
 * A line with an absolute column after every character whose width terminals disagree about (CJK, emoji, combining marks):
 * whatever the terminal makes of it, what follows stands where it belongs. Erases to the end unless the line is full,
 * since erasing in the pending-wrap state would take the last column away.
 */
function placed(line: string, columns: number): string {
  const plain = line.replace(SGR, "");
  if (plain.length <= columns && ALL_STEADY.test(plain)) return `${line}\x1b[0m${plain.length < columns ? "\x1b[K" : ""}`;
  let column = 0;
  let furthest = 0;
  let text = "";
  for (const [piece] of line.matchAll(PIECES)) {
    if (piece.startsWith("\x1b")) {
      if (piece.endsWith("G")) {
        furthest = Math.max(furthest, column);
        column = Number(piece.slice(2, -1)) - 1;
      }
      if (piece.length > 1) text += piece;
      continue;
    }
    if (ALL_STEADY.test(piece)) {
      const part = piece.slice(0, columns - column); // a line that is too long would wrap onto the next one
      text += part;
      column += part.length;
      continue;
    }
    for (const { text: segment, width } of graphemes(piece)) {
      if (column + width > columns) break;
      text += `${" ".repeat(width)}\x1b[${column + 1}G${segment}`;
      column += width;
      if (column < columns) text += `\x1b[${column + 1}G`;
    }
  }
  return `${text}\x1b[0m${Math.max(furthest, column) < columns ? "\x1b[K" : ""}`;
}
