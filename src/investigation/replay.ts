import { statSync } from "node:fs";
import type { StakeoutEvent } from "#model/event";
import { LogIndex } from "#session/log-index";
import type { BrokenLine } from "#session/read-log";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import type { State } from "#state/state";
import type { Millis } from "#state/time";
import { Checkpoints } from "./checkpoints.ts";
import type { Mark } from "./marks.ts";
import type { Moment } from "./moment.ts";
import { LEAST_MS, Publisher } from "./publisher.ts";
import { readSession, type Stretch } from "./reading.ts";
import { readInProcess } from "./reading-process.ts";
import { Search } from "./search.ts";

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 32, 64, 128] as const;
/** Steps back beyond this many events leave a checkpoint, so that the next step back is quick. */
const NEAR = 1000;
/** Pauses of the night are shortened to this. */
const LONGEST_PAUSE_MS = 2000;
/** Between two steps of a playing replay, whatever its speed: what lies between them is taken in together. */
const FRAME_MS = 33;
/** Most events in one step: a frame's work. A speed that asks for more is not reached, and the keys are answered. */
const MOST_IN_A_FRAME = 4000;
const READ_MORE_MS = 20;

/** Bytes of a log from which on it is read in a process of its own: below, it is there before the process is. */
const PROCESS_FROM = 8 << 20;

/** Between two pictures of a session that is still being read, milliseconds; keys are answered at once all the same. */
const WHILE_READING_MS = 250;

/** Where reading the session for the first time stands. */
export interface Reading {
  events: number;
  /** Events of the whole session, as far as its size tells. */
  about: number;
}

/**
 * A recorded session run again, back and forth: the reduce alone, nothing is found anew and nothing is appended. It can be played as
 * soon as its first lines are read; what is behind them is read meanwhile, a few milliseconds at a time.
 */
export class Replay {
  readonly publisher = new Publisher();
  /** Resolves when the session is read to its end, or the replay was closed. Rejects when its file cannot be read. */
  readonly loaded: Promise<void>;
  readonly #log: LogIndex;
  readonly #search: Search;
  readonly #marks: Mark[] = [];
  readonly #checkpoints: Checkpoints;
  #state = emptyState();
  /** Events that are in the state. */
  #position = 0;
  #reading: { seen: number; size: number } | undefined;
  /** A moment to show as soon as it is read. */
  #wanted: Moment | "end" | undefined;
  #timer: NodeJS.Timeout | undefined;
  #playing = false;
  /** While it plays: a moment of the host (its clock), and of ours (performance.now()) at which it is shown. */
  #anchor = { host: 0, ours: 0 };
  #closed = false;
  speed = 1;

  private constructor(file: string, onBroken: (broken: BrokenLine) => void, checkpoints: Checkpoints) {
    this.#log = new LogIndex(file);
    this.#search = new Search(this.#log);
    this.#checkpoints = checkpoints;
    const { size } = statSync(file);
    this.#reading = { seen: 0, size };
    this.loaded = this.#read(file, size, onBroken);
    this.loaded.catch(() => {}); // told to whoever waits for it
  }

  /** Begins to read the session; it can be played from then on. Throws when the file cannot be opened. */
  static open(file: string, onBroken: (broken: BrokenLine) => void, checkpoints = new Checkpoints()): Replay {
    return new Replay(file, onBroken, checkpoints);
  }

  /** Reads the whole session first. */
  static async load(file: string, onBroken: (broken: BrokenLine) => void, checkpoints?: Checkpoints): Promise<Replay> {
    const replay = Replay.open(file, onBroken, checkpoints);
    await replay.loaded;
    return replay;
  }

  /** From the first line to the last, once: marks and checkpoints are known from then on. */
  async #read(file: string, size: number, onBroken: (broken: BrokenLine) => void): Promise<void> {
    const read = size > PROCESS_FROM ? readInProcess : readSession;
    this.publisher.least = WHILE_READING_MS; // how far it is, no more: the sooner it is read
    for await (const stretch of read(file, this.#checkpoints.every)) {
      if (this.#closed) return;
      this.#take(stretch, onBroken);
      this.#reach();
      this.publisher.changed();
    }
    this.publisher.least = LEAST_MS;
    this.#reading = undefined;
    this.#reach();
    this.publisher.changed();
  }

  #take({ seen, places, marks, checkpoints, broken }: Stretch, onBroken: (broken: BrokenLine) => void): void {
    for (let i = 0; i < places.length; i += 3) this.#log.add(places[i] as number, places[i + 1] as number, places[i + 2] as number);
    this.#marks.push(...marks);
    for (const checkpoint of checkpoints) this.#checkpoints.add(checkpoint);
    for (const line of broken) onBroken(line);
    if (this.#reading) this.#reading.seen = seen;
  }

  /** Goes to the moment that was asked for before it was read, once it is. */
  #reach(): void {
    const wanted = this.#wanted;
    if (wanted === undefined || !this.#isRead(wanted)) return;
    this.#wanted = undefined;
    if (wanted === "end") this.#to(this.length);
    else this.#seek(wanted);
  }

  #isRead(moment: Moment | "end"): boolean {
    if (this.#reading === undefined) return true;
    if (moment === "end") return false;
    return "at" in moment ? this.#log.length > 0 && this.#log.to > moment.at : this.#log.length > moment.sequence;
  }

  /** Undefined once the whole session is read. */
  get reading(): Reading | undefined {
    if (!this.#reading) return undefined;
    const { seen, size } = this.#reading;
    return { events: this.length, about: seen > 0 ? Math.round((this.length * size) / seen) : 0 };
  }

  /** A moment was asked for that is not read yet. */
  get awaiting(): boolean {
    return this.#wanted !== undefined;
  }

  /** Oldest first, as far as the session is read. */
  get marks(): readonly Mark[] {
    return this.#marks;
  }

  /** The state at the moment shown; another object after a seek backward. */
  get state(): State {
    return this.#state;
  }

  get from(): Millis {
    return this.#log.from;
  }

  get to(): Millis {
    return this.#log.to;
  }

  /** Events taken in, of how many. */
  get position(): number {
    return this.#position;
  }
  get length(): number {
    return this.#log.length;
  }

  get playing(): boolean {
    return this.#playing;
  }

  get ended(): boolean {
    return this.#position >= this.length && this.#reading === undefined;
  }

  /**
   * To a moment, back or forth: all events up to the first one that came after it. What is not read yet is gone to once it is, unless
   * something else is asked for before that.
   */
  seek(moment: Moment | "end"): void {
    this.#wanted = moment;
    this.#reach();
    this.publisher.changed();
  }

  #seek(moment: Moment): void {
    if ("at" in moment) return this.#to(this.#log.countUntil(moment.at));
    let position = Math.min(Math.max(0, Math.trunc(moment.sequence)), this.length);
    // lines that could not be read have a number but no place
    while (position > 0 && (this.#log.event(position - 1)?.event.sequence ?? 0) > moment.sequence) position--;
    this.#to(position);
  }

  /** To the state after the first `position` events, of those that are read. */
  goTo(position: number): void {
    this.#wanted = undefined;
    this.#to(position);
  }

  #to(position: number): void {
    this.#search.giveUp();
    const target = Math.min(Math.max(0, position), this.length);
    const checkpoint = this.#checkpoints.before(target);
    const backward = target < this.#position;
    if (backward || (checkpoint !== undefined && checkpoint > this.#position)) {
      this.#state = this.#checkpoints.restore(target) ?? emptyState();
      this.#position = checkpoint ?? 0;
    }
    const from = this.#position;
    const near = backward && target - this.#position > 2 * NEAR ? target - NEAR : -1;
    while (this.#position < target) {
      const event = this.#log.event(this.#position);
      if (!event) break;
      reduce(this.#state, event);
      this.#position += 1;
      if (this.#position === near) this.#checkpoints.keepNear(near, this.#state);
    }
    this.publisher.changed(this.#position - from);
  }

  /** To the next or previous mark; the mark, or undefined when there is none that way. */
  toMark(direction: -1 | 1): Mark | undefined {
    const mark =
      direction > 0
        ? this.marks.find(({ index }) => index + 1 > this.#position)
        : this.marks.findLast(({ index }) => index + 1 < this.#position);
    if (mark) this.goTo(mark.index + 1);
    return mark;
  }

  /**
   * To the next event after this moment, or the one before it, that tells of all these words, in the whole session as far as it is read; given
   * up when another moment is asked for. Resolves with the event, with nothing where none tells of them.
   */
  async find(words: readonly string[], direction: -1 | 1): Promise<StakeoutEvent | "given up" | undefined> {
    // what is shown is the state after the last event that was taken in: that one is not found again
    const found = await this.#search.next(words, direction > 0 ? this.#position : this.#position - 2, direction);
    if (typeof found !== "number") return found;
    this.goTo(found + 1);
    return this.#log.event(found);
  }

  /** Faster or slower by a step; the new speed. */
  changeSpeed(direction: -1 | 1): number {
    const next = direction > 0 ? SPEEDS.find((speed) => speed > this.speed) : SPEEDS.findLast((speed) => speed < this.speed);
    if (this.#playing) this.#wind(this.#hostNow());
    this.speed = next ?? this.speed;
    if (this.#playing) this.#schedule();
    this.publisher.changed();
    return this.speed;
  }

  /** Plays on from where it stands, from the start if that is the end; long pauses of the night are shortened. */
  play(): void {
    if (this.#playing) return;
    this.#wanted = undefined;
    if (this.ended) this.#to(0);
    this.#playing = true;
    this.#wind(this.#state.now || this.from);
    this.#schedule();
    this.publisher.changed();
  }

  pause(): void {
    this.#search.giveUp();
    this.#playing = false;
    clearTimeout(this.#timer);
    this.publisher.changed();
  }

  /** Ends it: its file is closed. */
  close(): void {
    this.#search.giveUp();
    this.#closed = true;
    this.#playing = false;
    clearTimeout(this.#timer);
    this.publisher.stop();
    this.#log.close();
  }

  #hostNow(): Millis {
    return this.#anchor.host + (performance.now() - this.#anchor.ours) * this.speed;
  }

  #wind(host: Millis): void {
    this.#anchor = { host, ours: performance.now() };
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const next = this.#log.event(this.#position);
    if (!next) {
      // the reading is behind the playing: it is looked again
      this.#timer = setTimeout(() => this.#go(), READ_MORE_MS);
      return;
    }
    let wait = (Date.parse(next["@timestamp"]) - this.#hostNow()) / this.speed;
    if (wait > LONGEST_PAUSE_MS) {
      this.#wind(this.#hostNow() + (wait - LONGEST_PAUSE_MS) * this.speed);
      wait = LONGEST_PAUSE_MS;
    }
    this.#timer = setTimeout(() => this.#step(), Math.max(FRAME_MS, wait));
  }

  /** Takes in what has come due by the replay's clock. */
  #step(): void {
    const due = Math.max(this.#position + 1, this.#log.countUntil(this.#hostNow()));
    const target = Math.min(due, this.#position + MOST_IN_A_FRAME);
    this.#to(target);
    if (target < due) this.#wind(this.#state.now);
    this.#go();
  }

  #go(): void {
    if (this.ended) this.pause();
    else this.#schedule();
  }
}
