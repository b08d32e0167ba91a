import type { BootNs, Observation, ProcFacts } from "#model/observation";
import { Footprint } from "./trace-footprint.ts";
import { runs, TraceMemory } from "./trace-memory.ts";

type Of<K extends Observation["kind"]> = Extract<Observation, { kind: K }>;
type Exec = Of<"exec">;
/** What is told of a process right behind its beginning: where its login comes from, where a service manager put it. */
type Companion = Of<"login-peer"> | Of<"cgroup">;

/** One that waits: until the poll has had the time to read what it runs, or the trace to tell what the poll has seen. */
interface Held {
  due: number;
  told: Observation;
  traced: boolean;
  /** Of an exec: the poll has read what it runs, is asked to, or will not be. */
  read?: "yes" | "asked" | "no";
  behind?: Observation[];
}

/** The poll looks four times a second and takes some 100 ms for it. */
const HOLD_MS = 450;
/** The poll is asked to look at what lives and it has not looked at; an answer takes so long at most, and so many are waited for at a time. */
const ANSWER_MS = 1500;
const MOST_ASKED = 8;
/** What the poll has seen waits for the kernel's word, and where that does not come, no longer than this. */
const UNANSWERED_MS = 5000;
/** Start times of /proc are exact to a tick. */
const TICK_NS = 2e7;
/** More than this is not held, whatever it waits for. */
const MOST_HELD = 200_000;

/**
 * The kernel's own events and what a shell finds in /proc, as one stream in which nothing is told twice. While the kernel tells, its word counts for
 * forks, execs, exits and TCP; the poll's word for the same exec becomes its facts. What the kernel did not tell (it began before, or events were lost)
 * is told by the poll, after a moment. When the trace has ended the poll's word counts at once. It reads no clock: `now` is the console's, in ms.
 */
export class TraceMerge {
  /** What was ours and was left out. */
  readonly ours = new Footprint();
  /** Processes as the poll knows them: what it lists when the tier changes. */
  readonly alive = new Map<number, ProcFacts>();
  readonly #memory: TraceMemory;
  #queue: Held[] = [];
  readonly #execs = new Map<number, Held[]>();
  readonly #polledExecs = new Map<number, Held[]>();
  readonly #forks = new Map<number, Held>();
  readonly #waiting = new Map<number, Held[]>();
  #shells: readonly number[] = [];
  #listed = false;
  #unlisted: Observation[] = [];
  #tracing = false;
  #tcp = false;
  #until: BootNs = 0;

  readonly #ask: (pid: number) => void;
  #asked = 0;

  /** `ticksPerSecond`: of start times in /proc. `ask`: has the poll look at a process at once. */
  constructor(ticksPerSecond: number, ask: (pid: number) => void) {
    this.#memory = new TraceMemory(1e9 / ticksPerSecond);
    this.#ask = ask;
  }

  get held(): number {
    return this.#queue.length;
  }

  begin(shells: readonly number[], tcp: boolean): void {
    this.#until = 0;
    this.#tracing = true;
    this.#tcp = tcp;
    this.#memory.begin();
    this.#shells = shells;
    this.ours.root(shells);
  }

  /** The trace has ended: all that waits is told, and from now on the poll's word counts at once. */
  end(): Observation[] {
    this.#tracing = false;
    this.ours.noRoot(this.#shells);
    return this.#release(this.#queue.length);
  }

  /** Events were dropped, which the kernel counted: what the poll has seen and the kernel did not tell may be true. */
  lost(ts: BootNs): void {
    this.#memory.lost(ts);
  }

  /** The kernel's events up to then were all told. */
  complete(until: BootNs): void {
    this.#until = until;
  }

  /** An event of the kernel's. */
  traced(event: Observation, now: number): void {
    if (!this.#listed && this.#unlisted.length < MOST_HELD) return void this.#unlisted.push(event); // which shells are ours is not known yet
    const fork = event.kind === "exec" ? this.ours.strange(event) : undefined;
    if (fork) this.traced(fork, now);
    if (this.ours.leavesOut(event, now, true)) return;
    if (event.kind === "fork" || event.kind === "exec" || event.kind === "exit" || event.kind === "socket") this.#memory.told(event);
    const held = this.#hold(event, now, true);
    if (event.kind === "fork") {
      this.#forks.set(event.pid, held);
      for (const companion of this.#waiting.get(event.pid) ?? []) this.#follow(held, companion.told);
      this.#waiting.delete(event.pid);
    } else if (event.kind === "exec") {
      const read = this.#polledExecs.get(event.pid)?.findLast(({ told }) => fits(event, told as Exec));
      if (read) this.#read(held, read.told as Exec);
      add(this.#execs, event.pid, held);
    }
  }

  /** What the poll tells; what of it goes on at once. */
  polled(told: Observation, now: number): Observation[] {
    const { kind } = told;
    if (kind === "process") {
      this.alive.set(told.pid, told.facts);
      this.ours.listed(told.pid, told.facts.ppid ?? 0);
      return [told];
    }
    if (kind === "snapshot-end") {
      this.#listed = true;
      this.ours.allListed();
      for (const event of this.#unlisted.splice(0)) this.traced(event, now);
      return [told];
    }
    if (kind === "exec") this.alive.set(told.pid, told.facts);
    else if (kind === "exit") this.alive.delete(told.pid);
    if (kind === "login-peer" || kind === "cgroup") return this.#companion(told, now);
    if (kind !== "fork" && kind !== "exec" && kind !== "exit" && kind !== "socket" && kind !== "socket-polled") return [told];
    if (this.ours.leavesOut(told, now, false)) return [];
    if (!this.#tracing) return this.#counts(told) ? [told] : [];
    if (kind === "exec") {
      const exec = this.#execs.get(told.pid)?.findLast((held) => fits(held.told as Exec, told));
      if (exec) {
        this.#read(exec, told);
        return [];
      }
      add(this.#polledExecs, told.pid, this.#hold(told, now, false));
    } else this.#hold(told, now, false);
    return [];
  }

  /** What has waited long enough. */
  due(now: number): Observation[] {
    for (const held of this.#queue) {
      if (held.due > now && held.read !== "asked") break;
      this.#askAbout(held, now);
    }
    let n = 0;
    while (n < this.#queue.length && (this.#isDue(this.#queue[n] as Held, now) || this.#queue.length - n > MOST_HELD)) n += 1;
    this.ours.forget(now);
    return this.#release(n);
  }

  #read(exec: Held, { facts }: Exec): void {
    exec.told = { ...(exec.told as Exec), facts };
    if (exec.read === "asked") this.#asked -= 1;
    exec.read = "yes";
  }

  /** Older processes the poll looks at seconds later: of what lives and was not read it is asked at once. Of what is too much for that it is not. */
  #askAbout(held: Held, now: number): void {
    const { told } = held;
    if (told.kind !== "exec" || !held.traced || held.read !== undefined || !this.#tracing) return;
    const may = this.#asked < MOST_ASKED && this.#memory.lives(told.pid, told.path);
    held.read = may ? "asked" : "no";
    if (!may) return;
    held.due = now + ANSWER_MS;
    this.#asked += 1;
    this.#ask(told.pid);
  }

  #isDue({ due, told, traced, read }: Held, now: number): boolean {
    if (due > now && read !== "yes") return false;
    return traced || !("ts" in told) || told.ts + TICK_NS <= this.#until || due + UNANSWERED_MS <= now;
  }

  #release(n: number): Observation[] {
    const out: Observation[] = [];
    for (const held of this.#queue.splice(0, n)) {
      const { told } = held;
      if (held.read === "asked") this.#asked -= 1;
      if (told.kind === "exec") drop(held.traced ? this.#execs : this.#polledExecs, told.pid, held);
      else if (told.kind === "fork" && this.#forks.get(told.pid) === held) this.#forks.delete(told.pid);
      else if (told.kind === "login-peer" || told.kind === "cgroup") {
        if (!this.#waiting.get(told.pid)?.includes(held)) continue; // it went with its process
        drop(this.#waiting, told.pid, held);
      }
      if (held.traced || this.#counts(told)) out.push(told, ...(held.behind ?? []));
    }
    return out;
  }

  #counts(told: Observation): boolean {
    if (told.kind === "fork" || told.kind === "exec" || told.kind === "exit")
      return !this.ours.has(told.pid) && this.#memory.isNews(told, this.#tracing);
    return told.kind !== "socket" || !this.#tcp || this.#memory.isNews(told, this.#tracing);
  }

  /** Right behind the fork of its process, where that waits still; before its children, which inherit what it tells. */
  #companion(told: Companion, now: number): Observation[] {
    const fork = this.#forks.get(told.pid);
    if (fork) this.#follow(fork, told);
    else if (!this.#tracing || this.#memory.knows(told.pid)) return [told];
    else add(this.#waiting, told.pid, this.#hold(told, now, false));
    return [];
  }

  #follow(fork: Held, told: Observation): void {
    fork.behind ??= [];
    fork.behind.push(told);
  }

  #hold(told: Observation, now: number, traced: boolean): Held {
    const held: Held = { due: now + HOLD_MS, told, traced };
    this.#queue.push(held);
    return held;
  }
}

/** Whether what the poll read of a process is of this exec: it began before, and runs what was executed. */
function fits({ ts, path }: Exec, { facts }: Exec): boolean {
  if (facts.startTicks !== undefined && facts.startTicks * 1e7 > ts + 2e7) return false;
  return runs(path, facts);
}
function add(map: Map<number, Held[]>, pid: number, held: Held): void {
  const all = map.get(pid);
  if (all) all.push(held);
  else map.set(pid, [held]);
}
function drop(map: Map<number, Held[]>, pid: number, held: Held): void {
  const left = map.get(pid)?.filter((other) => other !== held) ?? [];
  if (left.length > 0) map.set(pid, left);
  else map.delete(pid);
}
