import { open } from "node:fs/promises";

const NEWLINE = 10;
/** No event comes near it; a longer "line" is damage, and must not fill our memory. */
const MAX_LINE = 8 << 20;
/** Bytes that are read at once: some hundred events, a few milliseconds of work between two turns of the event loop. */
const STRETCH = 1 << 18;

/** One line as it lies in the file: the bytes from `from` to before `to`, valid during the call alone. */
export interface LogLine {
  bytes: Buffer;
  from: number;
  to: number;
  number: number;
  /** Where it begins in the file, bytes. */
  offset: number;
  /** False for a tail that has no newline: the recording was cut off there. */
  complete: boolean;
}

/**
 * Calls `each` with every line of a log, in order, a stretch at a time without a pause: a promise a line would cost more than to parse
 * it. After each stretch it yields how many bytes of the file it has seen; the next is read from the disk meanwhile. One object is
 * handed out again and again.
 */
export async function* logLines(file: string, each: (line: LogLine) => void): AsyncGenerator<number> {
  const line: LogLine = { bytes: Buffer.alloc(0), from: 0, to: 0, number: 0, offset: 0, complete: true };
  /** The beginning of a line whose end is not read yet. */
  let rest: Buffer[] = [];
  let held = 0;
  let read = 0;
  for await (const chunk of stretches(file)) {
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      line.number += 1;
      if (rest.length > 0) {
        line.bytes = Buffer.concat([...rest, chunk.subarray(from, to)]);
        line.from = 0;
        line.to = line.bytes.length;
        rest = [];
        held = 0;
      } else {
        line.bytes = chunk;
        line.from = from;
        line.to = to;
      }
      each(line);
      line.offset = read + to + 1;
      from = to + 1;
    }
    if (from < chunk.length && held < MAX_LINE) {
      rest.push(Buffer.from(chunk.subarray(from))); // a copy: the next stretch but one takes its place
      held += chunk.length - from;
    }
    read += chunk.length;
    yield read;
  }
  if (rest.length === 0) return;
  const bytes = Buffer.concat(rest);
  each({ bytes, from: 0, to: bytes.length, number: line.number + 1, offset: line.offset, complete: false });
  yield read;
}

/** The file's bytes, each piece valid until the next is asked for. */
async function* stretches(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file, "r");
  let [now, ahead] = [Buffer.allocUnsafe(STRETCH), Buffer.allocUnsafe(STRETCH)];
  let at = 0;
  const next = (into: Buffer) => {
    const reading = handle.read(into, 0, STRETCH, at);
    reading.catch(() => {}); // told where it is awaited
    return reading;
  };
  let reading = next(now);
  try {
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      at += bytesRead;
      reading = next(ahead);
      yield now.subarray(0, bytesRead);
      [now, ahead] = [ahead, now];
    }
  } finally {
    await reading.catch(() => {});
    await handle.close();
  }
}
