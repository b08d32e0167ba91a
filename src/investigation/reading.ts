import { serialize } from "node:v8";
import { deflateRaw } from "node:zlib";
import { type BrokenLine, eachEvent } from "#session/read-log";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import type { State } from "#state/state";
import { parseTime } from "#state/time";
import type { Packed } from "./checkpoints.ts";
import { type Mark, MarkFinder } from "./marks.ts";

/** What a stretch of a log told its first reader. Plain data: it may come from another process. */
export interface Stretch {
  /** Bytes of the file that are read until now. */
  seen: number;
  /** Of each event three numbers: where its line begins and how long it is (bytes), and when it was (ms since the epoch, the host's clock). */
  places: Float64Array;
  marks: readonly Mark[];
  checkpoints: readonly Packed[];
  broken: readonly BrokenLine[];
}

/**
 * A session's log from its first line to its last, once: where its events lie, what is worth jumping to, and a packed copy of the state
 * after each `every` events. Rejects when the file cannot be read.
 */
export async function* readSession(file: string, every: number): AsyncGenerator<Stretch> {
  const state = emptyState();
  const finder = new MarkFinder();
  const packing = new Set<Promise<void>>();
  let events = 0;
  let next = gathered();
  let told = 0;
  const reading = eachEvent(
    file,
    (broken) => next.broken.push(broken),
    (event, _line, offset, bytes) => {
      reduce(state, event);
      next.places.push(offset, bytes, parseTime(event["@timestamp"]));
      finder.look(event, events, state);
      events += 1;
      if (events % every === 0) {
        const packed: Promise<void> = pack(events, state).then((checkpoint) => {
          next.checkpoints.push(checkpoint);
          packing.delete(packed);
        });
        packing.add(packed);
      }
    },
  );
  const taken = (seen: number): Stretch => {
    const { places, ...rest } = next;
    next = gathered();
    const marks = finder.marks.slice(told);
    told += marks.length;
    return { seen, places: Float64Array.from(places), marks, ...rest };
  };
  let last = 0;
  for await (const seen of reading) {
    last = seen;
    yield taken(seen);
  }
  await Promise.all(packing);
  if (next.checkpoints.length > 0) yield taken(last);
}

const gathered = () => ({ places: [] as number[], checkpoints: [] as Packed[], broken: [] as BrokenLine[] });

/** The state as it is now. It is packed in a thread of zlib's, at its quickest: a tenth of the size. */
function pack(events: number, state: State): Promise<Packed> {
  const bytes = serialize(state);
  return new Promise((resolve, reject) => {
    deflateRaw(bytes, { level: 1 }, (error, packed) => {
      if (error) reject(error);
      else resolve({ events, bytes: Uint8Array.from(packed) }); // of its own size: what zlib returns lies in a larger one
    });
  });
}
