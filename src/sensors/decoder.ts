import type { HostString } from "#model/host-string";
import type { Observation } from "#model/observation";
import { decodeRecord } from "./decode-record.ts";
import { Lineage } from "./lineage.ts";
import { Malformed } from "./wire.ts";

/** Longest line in bytes: 16 KB of arguments and three paths of 4 KB, every byte escaped as four, and room to spare. */
export const LONGEST_LINE = 160 << 10;

/** Bytes that follow a line of one letter and their number, and are no lines. */
interface Frame {
  kind: "B" | "Q";
  bytes: number;
}
const FRAME = /^([BQ])(\d{1,6})$/;

/**
 * The collector's bytes as observations. Pure but for the line that is not complete yet: any split of the same bytes gives the
 * same observations. It never throws: the far end is a suspect host, and a line that cannot be read is counted and left out.
 */
export class Decoder {
  /** Lines that could not be decoded, lines that were too long included. */
  undecodable = 0;
  lines = 0;
  /** A mistake of ours that a host has found: reading failed otherwise than by a line that is malformed. The first, for tests. */
  fault: Error | undefined;
  #pending: Buffer[] = [];
  #size = 0;
  #skipping = false;
  /** A frame whose bytes come next: the letter of its line, and how many bytes it has. */
  #frame: Frame | undefined;
  readonly #lineage = new Lineage();

  push(bytes: Uint8Array): Observation[] {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const out: Observation[] = [];
    let at = 0;
    for (;;) {
      const frame = this.#frame;
      const end = frame ? at + frame.bytes - this.#size : chunk.indexOf(10, at);
      if (end < 0 || end > chunk.length) break;
      if (frame) this.#framed(frame, chunk, at, end, out);
      else this.#line(chunk, at, end, out);
      at = frame ? end : end + 1; // a frame has no newline behind it
    }
    if (at < chunk.length) this.#keep(chunk.subarray(at));
    return out;
  }

  #line(chunk: Buffer, start: number, end: number, out: Observation[]): void {
    this.lines += 1;
    const tooLong = this.#skipping || this.#size + (end - start) > LONGEST_LINE;
    const line = tooLong ? "" : this.#take(chunk, start, end).toString("latin1");
    this.#forget();
    this.#counting(out, () => {
      if (tooLong) throw new Malformed("a line too long");
      const frame = FRAME.exec(line);
      if (frame) {
        const bytes = Number(frame[2]);
        if (bytes > LONGEST_LINE) throw new Malformed("a frame too long");
        this.#frame = { kind: frame[1] as "B" | "Q", bytes };
      } else if (!this.#lineage.line(line, out)) {
        const found = decodeRecord(line);
        if (found.kind === "hello") this.#lineage.ticksPerSecond = found.ticksPerSecond;
        if (found.kind === "tick") found.undecodable = this.undecodable;
        out.push(found);
      }
    });
  }

  #framed({ kind }: Frame, chunk: Buffer, start: number, end: number, out: Observation[]): void {
    const bytes = this.#take(chunk, start, end);
    this.#forget();
    this.#frame = undefined;
    this.#counting(out, () => this.#lineage.frame(kind, bytes));
  }

  /**
   * What cannot be read is counted, and the rest goes on. So does it after a mistake of ours: a host that has found one must not be able to
   * end the console with it; it is told once.
   */
  #counting(out: Observation[], read: () => void): void {
    try {
      read();
    } catch (error) {
      this.undecodable += 1;
      if (error instanceof Malformed || this.fault) return;
      this.fault = error as Error;
      const what = `something of the host could not be read, by a mistake of this console (${this.fault.name}): it is left out and counted`;
      out.push({ kind: "problem", fatal: false, what: what as HostString });
    }
  }

  #forget(): void {
    this.#pending = [];
    this.#size = 0;
    this.#skipping = false;
  }

  #take(chunk: Buffer, start: number, end: number): Buffer {
    const rest = chunk.subarray(start, end);
    return this.#size === 0 ? rest : Buffer.concat([...this.#pending, rest]);
  }

  #keep(rest: Buffer): void {
    if (this.#skipping) return;
    if (this.#size + rest.length > LONGEST_LINE) {
      this.#skipping = true;
      this.#pending = [];
      this.#size = 0;
      return;
    }
    this.#pending.push(Buffer.from(rest)); // a copy: the stream may use its memory again
    this.#size += rest.length;
  }
}
