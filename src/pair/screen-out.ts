import type { Socket } from "node:net";
import { Writable } from "node:stream";

/** Most that waits here before `write` says that it is enough, bytes: about a frame. */
const WAITING = 64 * 1024;

/**
 * The stdout of a screen, over a channel. A write is done when the channel has taken it *and* the socket has sent it: ssh2 itself writes
 * into the socket whatever the client's window allows, and a hostile client may claim a window of 4 GB and never read.
 */
export class ScreenOut extends Writable {
  readonly isTTY = true;
  columns: number;
  rows: number;
  readonly #channel: Writable;
  readonly #socket: Socket;
  readonly #stalledMs: number;
  readonly #onStalled: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: {
    channel: Writable;
    socket: Socket;
    columns: number;
    rows: number;
    stalledMs: number;
    /** A write has waited for longer than that. */
    onStalled: () => void;
  }) {
    super({ highWaterMark: WAITING, decodeStrings: true });
    this.#channel = options.channel;
    this.#socket = options.socket;
    this.columns = options.columns;
    this.rows = options.rows;
    this.#stalledMs = options.stalledMs;
    this.#onStalled = options.onStalled;
  }

  resize(columns: number, rows: number): void {
    if (columns === this.columns && rows === this.rows) return;
    this.columns = columns;
    this.rows = rows;
    this.emit("resize");
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed || !this.#channel.writable) return done(); // gone; who listens for "close" hears it
    this.#timer ??= setTimeout(this.#onStalled, this.#stalledMs);
    const sent = () => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      done();
    };
    this.#channel.write(chunk, () => (this.#socket.writableNeedDrain ? this.#socket.once("drain", sent) : sent()));
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer);
    done(error);
  }
}
