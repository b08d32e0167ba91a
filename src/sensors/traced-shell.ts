import type { HostRunner, RemoteProcess } from "#host/runner";
import type { HostString } from "#model/host-string";
import type { BootNs, Observation } from "#model/observation";
import { shellCommand, shellTraceText } from "./collectors/shell/shell.ts";
import { Lateness, PATIENCE_ON_SLOW_LINES } from "./lateness.ts";
import { tierCard } from "./tiers.ts";
import { TraceMerge } from "./trace-merge.ts";
import { TraceDecoder, type TraceWord } from "./trace-words.ts";

type Of<K extends Observation["kind"]> = Extract<Observation, { kind: K }>;
type Begun = Extract<TraceWord, { kind: "begun" }>;
type Room = Promise<void> | undefined | void;

const TIER = "tracefs+shell";
/** So long the poll's hello waits for it to begin; on a slow host it may come later, so late at most. */
const START_MS = 8000;
const LATEST_MS = 60_000;
const HEARTBEAT_MS = 1000;
const DRAIN_MS = 50;
/** Where for so long it has not read all that waits (it hangs, is stopped, or cannot keep up), it is given up; on a slow line later. */
const SILENT_MS = 15_000;
const SILENT_ON_SLOW_LINES_MS = 30_000;
const CANARY_PATIENCE_NS = 5e9;
/** It is tried again after this long, then after twice as long, and so on, and so often. */
const AGAIN_MS = 10_000;
const MOST_AGAIN = 4;
/** Ticks of the poll until it has looked at everything once more. */
const TICKS_TO_LIST = 3;

/** What the poll says it misses that a trace does not miss (collectors/shell/main.ts), and what of it goes on. */
const NOT_MISSED = [/^no perl: a shell looks at /, /^the parent of what was handed/, /^a program that an older process starts/];
const NOT_MISSED_OF_TCP = /^TCP that begins and ends between/;

/** A trace that runs, or is asked to. */
interface Running {
  process: RemoteProcess;
  decoder: TraceDecoder;
  late: Lateness;
  heardAt: number;
  /** On its way, and what was lost when it began. */
  canary?: { pid: number; ts: BootNs; lost: number };
  lost: number;
  cpuMs: number;
  begun?: Begun;
}

/**
 * Beside a shell that polls: the kernel's own events, by a second channel, as long as they can be had. What both tell goes on once (trace-merge.ts). When
 * the trace ends or is tampered with, that is told, the poll's word counts at once, and it is tried again a few times.
 */
export class TracedShell {
  readonly #runner: HostRunner;
  readonly #onObservations: (batch: Observation[]) => Room;
  readonly #merge: TraceMerge;
  #running: Running | undefined;
  /** What the poll said before it was known whether there is a trace. */
  #early: Observation[] | undefined = [];
  #hello: Of<"hello"> | undefined;
  #before: Observation[] = [];
  #refused: string | undefined;
  #timers: NodeJS.Timeout[] = [];
  #again: NodeJS.Timeout | undefined;
  #tries = 0;
  #ticksToList = 0;
  #lostBefore = 0;
  #cpuBefore = 0;
  #undecodable = 0;
  #now: BootNs = 0;
  #room: Promise<void> | undefined;
  #stopped = false;

  /** `ask`: has the poll look at a process at once. */
  constructor(runner: HostRunner, onObservations: (batch: Observation[]) => Room, ask: (pid: number) => void) {
    this.#runner = runner;
    this.#onObservations = onObservations;
    this.#merge = new TraceMerge(100, ask);
  }

  /** The poll's hello with what is seen in truth. There once {@link begin} has settled. */
  hello(told: Of<"hello">): Of<"hello"> {
    const begun = this.#running?.begun;
    if (begun) return { ...told, tier: TIER, kernelBufferBytes: begun.bufferBytes, blind: this.#blind(begun, told.blind) };
    const why = `the kernel's own events are not followed: ${this.#refused ?? "the trace did not begin"}`;
    return { ...told, blind: [...told.blind, why] };
  }

  /** Settles once it runs, or it is known that it cannot. Never rejects. */
  async begin(): Promise<void> {
    await this.#start();
    if (this.#stopped) return;
    this.#timers = [setInterval(() => this.#beat(), HEARTBEAT_MS), setInterval(() => this.#drain(), DRAIN_MS)];
    const early = this.#early ?? [];
    this.#early = undefined;
    if (early.length > 0) this.take(early);
  }

  /** What the poll tells. */
  take(batch: Observation[]): Room {
    if (this.#early) {
      this.#early.push(...batch);
      return undefined;
    }
    const now = performance.now();
    const out: Observation[] = [];
    for (const told of batch) {
      if (told.kind === "clock") this.#now = told.boot;
      if (told.kind === "hello") {
        this.#hello ??= told;
        this.#merge.ours.root([told.self]);
        out.push(this.hello(told), ...this.#before.splice(0));
      } else if (told.kind === "tick") out.push(this.#tick(told), ...this.#list());
      else out.push(...this.#merge.polled(told, now));
    }
    return this.#emit([...out, ...this.#merge.due(now)]);
  }

  /** Ends it and waits until it has cleaned up, as {@link Collector.stop}. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#again);
    for (const timer of this.#timers) clearInterval(timer);
    const running = this.#running;
    this.#running = undefined;
    if (running) await close(running.process);
    this.#emit(this.#merge.end());
  }

  get undecodable(): number {
    return this.#undecodable + (this.#running?.decoder.undecodable ?? 0);
  }

  /** Opens the channel; settles once it is told whether it runs. */
  async #start(): Promise<void> {
    this.#refused = undefined;
    let process: RemoteProcess;
    try {
      process = await this.#runner.open(shellCommand());
    } catch (error) {
      this.#refused = `no second channel could be opened (${error instanceof Error ? error.message : error})`;
      if (!this.#early) this.#later();
      return;
    }
    if (this.#stopped) return void close(process);
    const running: Running = { process, decoder: new TraceDecoder(), late: new Lateness(), heardAt: performance.now(), lost: 0, cpuMs: 0 };
    this.#running = running;
    const known = Promise.withResolvers<void>();
    process.stdin.on("error", () => {});
    process.stdout.on("error", () => {});
    process.stderr.on("error", () => {});
    process.stderr.resume();
    process.stdout.on("data", (chunk: Buffer) => {
      for (const word of running.decoder.push(chunk)) {
        if (this.#running !== running) break;
        this.#hear(running, word);
        if (word.kind === "begun" || word.kind === "ended") known.resolve();
      }
    });
    process.exit.then(() => {
      known.resolve();
      this.#fell(running, "degraded", "its channel was closed");
    });
    process.stdin.write(shellTraceText());
    const overdue = setTimeout(() => known.resolve(), START_MS);
    await known.promise;
    clearTimeout(overdue);
    if (this.#running === running && !running.begun) this.#refused = "they have not begun yet, this host is slow";
  }

  #hear(running: Running, word: TraceWord): void {
    const now = performance.now();
    if (word.kind === "begun") {
      running.begun = word;
      running.heardAt = now;
      this.#merge.begin(word.shells, word.tcp);
      if (this.#early) return; // the hello tells it
      const blind = this.#blind(word, this.#hello?.blind ?? []);
      this.#tier(TIER, "recovered", "the kernel's own events are followed", word.bufferBytes, blind);
    } else if (word.kind === "happened") {
      for (const event of word.events) {
        if (event.kind === "exec" && event.pid === running.canary?.pid) delete running.canary;
        this.#merge.traced(event, now);
      }
      this.#merge.complete(word.until);
      running.heardAt = now;
      this.#miss(running, word.until);
    } else if (word.kind === "tick") {
      running.late.take(word.ts / 1e6, now);
      if (word.lost > running.lost) this.#merge.lost(word.ts);
      running.lost = word.lost;
      running.cpuMs = word.cpuMs;
    } else if (word.kind === "canary") {
      running.canary = { pid: word.pid, ts: word.ts, lost: running.lost };
      this.#merge.ours.canary(word.pid);
      this.#emit([{ kind: "canary", ts: word.ts, what: "program", id: word.pid, path: word.path }]);
    } else if (word.kind === "problem") this.#emit([{ kind: "problem", fatal: false, what: word.what }]);
    else if (word.kind === "ended") this.#fell(running, word.how === "tampered" ? "tampered" : "degraded", word.why);
  }

  /** A program of ours that all that happened should hold by now: where nothing was lost, somebody blinds us. */
  #miss(running: Running, until: BootNs): void {
    const { canary } = running;
    if (canary === undefined || until < canary.ts + CANARY_PATIENCE_NS) return;
    delete running.canary;
    if (running.lost === canary.lost) this.#fell(running, "tampered", "a program of ours was not shown to us within 5 s");
  }

  /** It is over: before it had begun that is why it cannot be had, afterwards it is told. */
  #fell(running: Running, how: "tampered" | "degraded", why: string): void {
    if (this.#running !== running) return;
    this.#running = undefined;
    void close(running.process);
    this.#lostBefore += running.lost;
    this.#cpuBefore += running.cpuMs;
    this.#undecodable += running.decoder.undecodable;
    if (!running.begun) {
      this.#refused = why;
      if (!this.#early) this.#later();
      return;
    }
    this.#emit(this.#merge.end());
    const { blind = [] } = this.#hello ?? {};
    this.#tier("poll", how, `${why}; poll in the place of ${TIER}`, 0, blind);
    this.#later();
  }

  #later(): void {
    if (this.#tries >= MOST_AGAIN || this.#stopped) return;
    this.#again = setTimeout(() => void this.#start(), AGAIN_MS * 2 ** this.#tries);
    this.#tries += 1;
  }

  #tier(tier: Of<"tier">["tier"], how: Of<"tier">["how"], reason: string, kernelBufferBytes: number, blind: string[]): void {
    this.#emit([{ kind: "tier", ts: this.#now, tier, how, reason: reason as HostString, kernelBufferBytes, blind }]);
    this.#ticksToList = TICKS_TO_LIST;
  }

  #blind({ tcp, lacks }: Begun, polls: readonly string[]): string[] {
    const left = polls
      .filter((one) => !NOT_MISSED.some((other) => other.test(one)) && !(tcp && NOT_MISSED_OF_TCP.test(one)))
      .map((one) => one.replace("terminals or memory, signals, ", "terminals or memory, "));
    return [...tierCard(TIER).fidelity.misses, ...lacks, ...left];
  }

  /** The poll's second, with what the trace has lost and costs. */
  #tick(told: Of<"tick">): Of<"tick"> {
    this.#now = told.ts;
    const { lost = 0, cpuMs = 0 } = this.#running ?? {};
    return {
      ...told,
      lost: told.lost + this.#lostBefore + lost,
      cpuMs: told.cpuMs + this.#cpuBefore + cpuMs,
      undecodable: (told.undecodable ?? 0) + this.undecodable,
    };
  }

  /** After the tier has changed: all that the poll knows, so that what ended unseen in between is told. */
  #list(): Observation[] {
    if (this.#ticksToList === 0 || --this.#ticksToList > 0) return [];
    const all = [...this.#merge.alive].map(([pid, facts]): Observation => ({ kind: "process", pid, facts }));
    return [...all, { kind: "snapshot-end", processes: all.length, milliseconds: 0 }];
  }

  #drain(): void {
    if (this.#room === undefined && this.#merge.held > 0) this.#emit(this.#merge.due(performance.now()));
  }

  #beat(): void {
    const running = this.#running;
    if (!running) return;
    const now = performance.now();
    const slow = running.late.slow(now);
    running.process.stdin.write(slow ? `h ${PATIENCE_ON_SLOW_LINES}\n` : "h\n");
    if (this.#room) running.heardAt = now; // it is not listened to
    const patience = slow && now - running.heardAt < SILENT_ON_SLOW_LINES_MS ? SILENT_ON_SLOW_LINES_MS : SILENT_MS;
    if (!running.begun && now - running.heardAt > LATEST_MS) this.#fell(running, "degraded", "it did not begin in time");
    if (running.begun && now - running.heardAt > patience)
      this.#fell(
        running,
        "degraded",
        "it has not read all that happened for too long: it was stopped, or more happens than a shell can read",
      );
  }

  #emit(batch: Observation[]): Room {
    if (!this.#hello) this.#before.push(...batch.splice(0)); // nothing comes before the hello
    if (batch.length === 0) return this.#room;
    const room = this.#onObservations(batch);
    if (!room) return this.#room;
    const running = this.#running;
    running?.process.stdout.pause();
    const settled = room
      .catch(() => {})
      .then(() => {
        if (this.#room === settled) this.#room = undefined;
        running?.process.stdout.resume();
      });
    this.#room = settled;
    return settled;
  }
}

async function close(process: RemoteProcess): Promise<void> {
  process.stdin.end("q\n");
  const patience = setTimeout(() => process.close(), 3000);
  await process.exit;
  clearTimeout(patience);
}
