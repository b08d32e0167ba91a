import { PassThrough, type Readable } from "node:stream";

/** The stdin of a screen: what a program expects of a terminal's, over a channel. */
export class KeysIn extends PassThrough {
  readonly isTTY = true;
  isRaw = true;

  /** The far end's ssh has its terminal in raw mode already. */
  setRawMode(on: boolean): this {
    this.isRaw = on;
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
}

/** A paste of this many bytes is handed over at once; then as many a second as nobody types. */
const BURST = 16 * 1024;
const PER_SECOND = 8 * 1024;
const EVERY_MS = 50;
/** More that waits than this is no paste. */
const MOST_WAITING = 256 * 1024;

/**
 * Hands keys from `from` to `to` no faster than somebody can mean them, so that a stuck key or a flood of one client takes no time from
 * the others. `onFlood` is called once, when more waits than is kept. @returns a function that stops it
 */
export function pumpKeys(from: Readable, to: KeysIn, { onKey, onFlood }: { onKey(): void; onFlood(): void }): () => void {
  let waiting: Buffer[] = [];
  let bytes = 0;
  let allowance = BURST;
  let last = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const hand = () => {
    timer = undefined;
    const now = performance.now();
    allowance = Math.min(BURST, allowance + ((now - last) * PER_SECOND) / 1000);
    last = now;
    while (waiting.length > 0 && allowance >= 1) {
      const chunk = waiting[0] as Buffer;
      const part = chunk.subarray(0, Math.floor(allowance));
      if (part.length < chunk.length) waiting[0] = chunk.subarray(part.length);
      else waiting.shift();
      bytes -= part.length;
      allowance -= part.length;
      to.write(part);
    }
    if (waiting.length > 0) timer = setTimeout(hand, EVERY_MS);
  };
  const take = (chunk: Buffer) => {
    onKey();
    bytes += chunk.length;
    if (bytes > MOST_WAITING) {
      stop();
      return onFlood();
    }
    waiting.push(chunk);
    if (!timer) hand();
  };
  const ended = () => void to.end();
  const stop = () => {
    clearTimeout(timer);
    waiting = [];
    from.off("data", take);
    from.off("end", ended);
    from.resume(); // what still comes is let go
  };
  from.on("data", take);
  from.on("end", ended);
  return stop;
}
