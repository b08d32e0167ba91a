import type { Observation } from "#model/observation";

type Fork = Extract<Observation, { kind: "fork" }>;
type Exec = Extract<Observation, { kind: "exec" }>;
interface Below {
  fork: Fork;
  /** On the console's clock. */
  ended?: number;
}

/** What the poll may still tell of one that has ended. */
const REMEMBER_MS = 5000;
/** All that our shells start; busybox starts itself where it is asked for one of its programs. Whoever makes one of them run something else is no footprint of ours. */
const PROGRAMS =
  /^(?:\/proc\/self\/exe$|\/(?:usr\/)?s?bin\/(?:sleep|dd|ls|cat|date|od|hexdump|readlink|stat|sha256sum|uname|rmdir|mkdir|true)$)/;

/**
 * Our own shells on the host, and what they start: dozens of programs a second (sleep, dd, ls), which are nobody's activity. The shells themselves are
 * told as what our login runs; what descends from them is left out and counted.
 */
export class Footprint {
  /** Programs of ours that were left out. */
  programs = 0;
  readonly #roots = new Set<number>();
  readonly #below = new Map<number, Below>();
  readonly #parents = new Map<number, number>();
  /** What one of our shells was made to run. */
  readonly #strange = new Set<number>();
  /** Programs that were started so that they come back: told as what they are. */
  readonly #canaries = new Set<number>();

  root(pids: readonly number[]): void {
    for (const pid of pids) if (pid > 1) this.#roots.add(pid);
  }

  has(pid: number): boolean {
    return this.#below.has(pid);
  }

  canary(pid: number): void {
    this.#canaries.add(pid);
  }

  /** A process that was there before: whether one of our shells is above it is known once all were told. */
  listed(pid: number, parent: number): void {
    this.#parents.set(pid, parent);
  }
  allListed(): void {
    for (let found = true; found; ) {
      found = false;
      for (const [pid, parent] of this.#parents)
        if (this.#roots.has(parent) && !this.#roots.has(pid)) {
          this.#roots.add(pid);
          found = true;
        }
    }
    this.#parents.clear();
  }

  /** The shells of a trace that is over. */
  noRoot(pids: readonly number[]): void {
    for (const pid of pids) this.#roots.delete(pid);
  }

  /** The fork of what our shells would never run, which then counts as any other's. */
  strange({ pid, path }: Exec): Fork | undefined {
    const below = this.#below.get(pid);
    if (below === undefined || PROGRAMS.test(path)) return undefined;
    this.#below.delete(pid);
    this.#strange.add(pid);
    return below.fork;
  }

  /** True for what our own shells' programs do. A canary's exec and end are not left out. `sure`: the kernel says so. */
  leavesOut(told: Observation, now: number, sure: boolean): boolean {
    if (told.kind === "fork") return this.#born(told, sure);
    if (told.kind !== "exec" && told.kind !== "exit") return false;
    if (told.kind === "exit") {
      this.#roots.delete(told.pid);
      this.#strange.delete(told.pid);
    }
    const below = this.#below.get(told.pid);
    if (below === undefined) return false;
    if (told.kind === "exit") {
      below.ended = now;
      return !this.#canaries.delete(told.pid);
    }
    if (this.#canaries.has(told.pid)) return false;
    if (sure) this.programs += 1;
    return true;
  }

  #born(fork: Fork, sure: boolean): boolean {
    if (!this.#is(fork.parent)) {
      if (sure) for (const set of [this.#roots, this.#below, this.#strange]) set.delete(fork.pid); // another has the pid now
      return this.has(fork.pid);
    }
    if (this.#roots.has(fork.pid) || this.#strange.has(fork.pid)) return false;
    this.#below.set(fork.pid, { fork });
    return true;
  }

  /** Those that ended a while ago. */
  forget(now: number): void {
    for (const [pid, { ended }] of this.#below) if (ended !== undefined && now - ended > REMEMBER_MS) this.#below.delete(pid);
  }

  #is(pid: number): boolean {
    return this.#roots.has(pid) || this.has(pid);
  }
}
