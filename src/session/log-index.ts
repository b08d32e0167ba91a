import { closeSync, openSync, readSync } from "node:fs";
import type { StakeoutEvent } from "#model/event";
import { parseEvent } from "./schema.ts";

/** Events between two places that are remembered: a session of millions costs kilobytes, and any event of it a read of one block. */
const BLOCK = 256;
/** Blocks that are held as events. */
const KEPT = 6;

/**
 * Where the events of a log lie in its file, and when they were: it grows while the log is read for the first time, and any stretch can
 * be read again. Times are of the host's clock, milliseconds; events of several sensors come a little out of order, so what counts is
 * the latest until then.
 */
export class LogIndex {
  readonly #file: number;
  /** Of each block: where its first line begins, and the latest time before it. */
  readonly #offsets: number[] = [];
  readonly #before: number[] = [];
  readonly #blocks = new Map<number, StakeoutEvent[]>();
  #length = 0;
  #end = 0;
  #from = 0;
  #latest = Number.NEGATIVE_INFINITY;

  constructor(file: string) {
    this.#file = openSync(file, "r");
  }

  /** Events so far. */
  get length(): number {
    return this.#length;
  }
  /** Time of the first event; 0 before it. */
  get from(): number {
    return this.#from;
  }
  /** The latest time so far; 0 before the first event. */
  get to(): number {
    return this.#length > 0 ? this.#latest : 0;
  }

  /** The next event of the log lies at `offset` with `bytes` bytes and happened at `at`. */
  add(offset: number, bytes: number, at: number): void {
    if (this.#length % BLOCK === 0) {
      this.#offsets.push(offset);
      this.#before.push(this.#latest);
    } else this.#blocks.delete(this.#offsets.length - 1); // it was read when it had fewer
    if (this.#length === 0) this.#from = at;
    if (at > this.#latest) this.#latest = at;
    this.#length += 1;
    this.#end = offset + bytes;
  }

  /** The event at that place, from 0. Throws when the file is no longer what it was. */
  event(index: number): StakeoutEvent | undefined {
    return index >= 0 && index < this.#length ? this.#block(Math.floor(index / BLOCK))[index % BLOCK] : undefined;
  }

  /** How many events came before the first one after `at`. */
  countUntil(at: number): number {
    // the last block before which nothing came after `at`
    let [low, high] = [0, this.#before.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#before[middle] as number) <= at) low = middle + 1;
      else high = middle;
    }
    if (low === 0) return 0;
    const block = this.#block(low - 1);
    const later = block.findIndex((event) => Date.parse(event["@timestamp"]) > at);
    return (low - 1) * BLOCK + (later < 0 ? block.length : later);
  }

  /** Which events are read together with the one at that place: from the first to behind the last. */
  blockOf(index: number): { from: number; to: number } {
    const from = index - (index % BLOCK);
    return { from, to: Math.min(from + BLOCK, this.#length) };
  }

  /** The lines of its block, letters of ASCII in lower case: enough to know that something does not stand there. */
  text(index: number): string {
    return this.#bytes(Math.floor(index / BLOCK))
      .toString("latin1")
      .toLowerCase();
  }

  close(): void {
    closeSync(this.#file);
  }

  #bytes(number: number): Buffer {
    const start = this.#offsets[number] as number;
    const bytes = Buffer.allocUnsafe((this.#offsets[number + 1] ?? this.#end) - start);
    // at once: the file is local, and was read whole a moment ago
    for (let got = 0; got < bytes.length; ) {
      const more = readSync(this.#file, bytes, got, bytes.length - got, start + got);
      if (more === 0) throw new Error("the session's events.jsonl became shorter while it was replayed: open the replay again");
      got += more;
    }
    return bytes;
  }

  #block(number: number): StakeoutEvent[] {
    const known = this.#blocks.get(number);
    if (known) return known;
    const bytes = this.#bytes(number);
    const events: StakeoutEvent[] = [];
    for (let from = 0; from < bytes.length; ) {
      const newline = bytes.indexOf(10, from);
      const to = newline < 0 ? bytes.length : newline;
      const event = parseEvent(bytes.toString("utf8", from, to));
      if (typeof event !== "string") events.push(event); // what is broken has no place
      from = to + 1;
    }
    if (this.#blocks.size >= KEPT) this.#blocks.delete(this.#blocks.keys().next().value as number);
    this.#blocks.set(number, events);
    return events;
  }
}
