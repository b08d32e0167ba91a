import { hash } from "node:crypto";
import { fsyncSync, writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type EventDraft, SCHEMA, type StakeoutEvent } from "#model/event";
import type { HostString } from "#model/host-string";
import { toLine } from "./line.ts";

/** `stakeout.prev` of the first line. */
export const GENESIS = "0".repeat(64);
const FLUSH_EVERY_MS = 100;

/** At one stroke: an object of its own for each line's hash would hold memory outside of the heap until it is collected. */
export const sha256 = (text: string | Uint8Array): string => hash("sha256", text);

const LINES_AT_ONCE = 2000;
const toText = (lines: readonly string[]): string => (lines.length > 0 ? `${lines.join("\n")}\n` : "");

export interface LogOptions {
  file: string;
  session: string;
  /** Milliseconds since the epoch, fractions kept: the console's clock. */
  now: () => number;
  /** Called after each batch that reached the disk. */
  onDurable?: (head: { sequence: number; sha256: string }) => void;
  /** Called once when a batch could not be written: nothing is recorded from then on. What reached the disk stays, whole. */
  onFailure?: (error: Error) => void;
}

/**
 * The append-only log: one JSON object a line, each with the sha256 of the line before it. `append` is synchronous, so that events
 * keep the order in which they were seen; bytes reach the disk in batches, each followed by one fdatasync.
 */
export class EventLog {
  readonly #options: LogOptions;
  readonly #file: FileHandle;
  #host: { id: string; name: HostString } = { id: "unknown", name: "unknown" as HostString };
  #sequence = 0;
  #prev = GENESIS;
  #pending: string[] = [];
  /** Characters of what is not on the disk yet. */
  #waiting = 0;
  /** The batch that is being written. */
  #underWay: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #durable = { bytes: 0, head: { sequence: 0, sha256: GENESIS } };
  #closed = false;

  private constructor(options: LogOptions, file: FileHandle) {
    this.#options = options;
    this.#file = file;
  }

  /** Creates the file; an existing one is never appended to (error EEXIST). */
  static async create(options: LogOptions): Promise<EventLog> {
    return new EventLog(options, await open(options.file, "wx", 0o600));
  }

  get sequence(): number {
    return this.#sequence;
  }

  /** The last line: the last that was appended, or after a failure the last that is on the disk. */
  get head(): { sequence: number; sha256: string } {
    return this.#failure ? this.#durable.head : { sequence: this.#sequence, sha256: this.#prev };
  }

  /** How much of what was appended is not on the disk yet, characters: of a line in ASCII, its bytes. */
  get waiting(): number {
    return this.#waiting;
  }

  /** The host that every later line names. */
  setHost(host: { id: string; name: HostString }): void {
    this.#host = host;
  }

  /** Gives the draft its place; returns the event and its line (no newline) as they stand in the log. Throws when an earlier batch could not be written. */
  append(draft: EventDraft): { event: StakeoutEvent; line: string } {
    if (this.#failure)
      throw new Error(`The session can no longer be recorded: ${this.#failure.message}. Free space and start a new session.`);
    if (this.#closed) throw new Error("The session was closed; nothing can be appended to it.");
    this.#sequence += 1;
    const { event, stakeout, ...rest } = draft;
    const placed: StakeoutEvent = {
      ...rest,
      event: { ...event, sequence: this.#sequence, created: new Date(this.#options.now()).toISOString(), kind: event.kind ?? "event" },
      host: this.#host,
      stakeout: { schema: SCHEMA, session: this.#options.session, ...stakeout, prev: this.#prev } as StakeoutEvent["stakeout"],
    };
    const line = toLine(placed);
    this.#prev = sha256(line);
    this.#pending.push(line);
    this.#waiting += line.length;
    this.#timer ??= setTimeout(() => void this.flush().catch(() => {}), FLUSH_EVERY_MS);
    return { event: placed, line };
  }

  /** Resolves when everything appended so far is on the disk. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(async () => {
      if (this.#pending.length === 0) return;
      const head = this.head;
      const lines = this.#pending;
      this.#pending = [];
      this.#underWay = lines;
      try {
        let bytes = 0;
        // a few at a time: while the disk is slow a batch grows to a hundred megabytes, and must not be there three times
        for (let at = 0; at < lines.length; at += LINES_AT_ONCE) {
          const some = Buffer.from(toText(lines.slice(at, at + LINES_AT_ONCE)));
          await this.#file.appendFile(some);
          bytes += some.length;
        }
        await this.#file.datasync();
        this.#durable = { bytes: this.#durable.bytes + bytes, head };
        this.#options.onDurable?.(head);
      } catch (error) {
        await this.#salvage(toText(lines)).catch(() => {}); // the disk may not even say how much it took: then the last whole batch stands
        this.#failure = error as Error;
        this.#options.onFailure?.(error as Error);
        throw error;
      } finally {
        this.#underWay = [];
        for (const line of lines) this.#waiting -= line.length;
      }
    });
    return this.#writing;
  }

  /** Of a batch that did not fit, the whole lines that did stay; half a line is cut off, since nothing may follow it. */
  async #salvage(batch: string): Promise<void> {
    const bytes = Buffer.from(batch);
    const { size } = await this.#file.stat();
    const kept = bytes.subarray(0, Math.max(0, size - this.#durable.bytes)).lastIndexOf("\n") + 1;
    await this.#file.truncate(this.#durable.bytes + kept);
    if (kept === 0) return;
    await this.#file.datasync();
    const lines = bytes.toString("utf8", 0, kept - 1).split("\n");
    const head = { sequence: this.#durable.head.sequence + lines.length, sha256: sha256(lines.at(-1) ?? "") };
    this.#durable = { bytes: this.#durable.bytes + kept, head };
  }

  /**
   * Everything appended so far is on the disk when this returns: for the moment before the process stops or ends, where nothing can
   * be waited for. A batch that is under way is written once more to the same place, so that the two cannot disagree.
   */
  flushNow(): void {
    if (this.#failure || this.#closed) return;
    const bytes = Buffer.from(toText(this.#underWay) + toText(this.#pending));
    for (let written = 0; written < bytes.length; )
      written += writeSync(this.#file.fd, bytes, written, bytes.length - written, this.#durable.bytes + written);
    if (bytes.length > 0) fsyncSync(this.#file.fd);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
  }
}
