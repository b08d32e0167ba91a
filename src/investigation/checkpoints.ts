import { deserialize, serialize } from "node:v8";
import { inflateRawSync } from "node:zlib";
import type { State } from "#state/state";

/** A state as bytes (V8's structured clone, deflated): outside of the heap. */
export interface Packed {
  /** Events that are in it. */
  events: number;
  bytes: Uint8Array;
}
interface Checkpoint extends Packed {
  packed: boolean;
}

/** Copies of the state along a session, so that any moment is at most a stretch of events away. Bounded in bytes. */
export class Checkpoints {
  /** Events between two of them, as they are offered. */
  readonly every: number;
  /** The same, of those that are kept. */
  #every: number;
  readonly #most: number;
  #kept: Checkpoint[] = [];
  #bytes = 0;
  /** One more, close to where the analyst is stepping back. */
  #near: Checkpoint | undefined;

  constructor(every = 40_000, mostBytes = 48 << 20) {
    this.every = every;
    this.#every = every;
    this.#most = mostBytes;
  }

  /** Takes one. Where they no longer fit, every second one goes: a seek then takes longer, the memory stays. */
  add(checkpoint: Packed): void {
    if (checkpoint.events % this.#every !== 0) return;
    this.#kept.push({ ...checkpoint, packed: true });
    this.#kept.sort((a, b) => a.events - b.events); // packing may take one past another
    this.#bytes += checkpoint.bytes.length;
    this.#shrink();
  }

  keepNear(events: number, state: State): void {
    this.#near = { events, bytes: serialize(state), packed: false };
  }

  /** How many events are in the last checkpoint that holds no more than `events`; undefined before the first. */
  before(events: number): number | undefined {
    return this.#find(events)?.events;
  }

  /** A state of its own, with the events that {@link before} says. */
  restore(events: number): State | undefined {
    const found = this.#find(events);
    return found && revived(deserialize(found.packed ? inflateRawSync(found.bytes) : found.bytes) as State);
  }

  #shrink(): void {
    while (this.#bytes > this.#most && this.#kept.length > 0) {
      this.#every *= 2;
      this.#kept = this.#kept.filter((kept) => kept.events % this.#every === 0);
      this.#bytes = this.#kept.reduce((sum, kept) => sum + kept.bytes.length, 0);
    }
  }

  #find(events: number): Checkpoint | undefined {
    const kept = this.#kept.findLast((checkpoint) => checkpoint.events <= events);
    const near = this.#near && this.#near.events <= events ? this.#near : undefined;
    return near && near.events > (kept?.events ?? -1) ? near : kept;
  }
}

/** Names of processes are keys of `folded`: without a null prototype a process called "constructor" would find a function there. */
function revived(state: State): State {
  const bare = (folded: Record<string, number>) => Object.assign(Object.create(null) as Record<string, number>, folded);
  for (const process of state.processes.values()) if (process.folded) process.folded = bare(process.folded);
  state.folded = { unseen: bare(state.folded.unseen), services: bare(state.folded.services) };
  return state;
}
