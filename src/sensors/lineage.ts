import { decodeHostBytes } from "#model/host-string";
import type { Observation, TcpState } from "#model/observation";
import { execFacts, type Perishables, readPerishables } from "./exec-facts.ts";
import { type KernelEvent, PageFormat } from "./kernel-pages.ts";
import { compact } from "./record-fields.ts";
import { address, bootTime, Malformed, whole } from "./wire.ts";

type Exec = Extract<KernelEvent, { code: "e" }> & { read?: Perishables };
type Held = Exec | Exclude<KernelEvent, { code: "e" }>;

const MOST_HELD = 1 << 18;
const MOST_SOCKETS = 1 << 16;
const MOST_THREADS = 1 << 20;
const CLONE_THREAD = 0x10000;
/** In common_flags: hard or soft interrupt (TRACE_FLAG_HARDIRQ and _SOFTIRQ), where the pid is whoever was interrupted. */
const INTERRUPT = 0x18;
/** TCP states by number (include/net/tcp_states.h). */
const TCP: readonly TcpState[] = (
  "OTHER ESTABLISHED SYN_SENT SYN_RECV OTHER OTHER TIME_WAIT CLOSE OTHER OTHER LISTEN OTHER SYN_RECV" as const
).split(" ") as TcpState[];

/**
 * Lineage from the kernel's own pages, which the collector sends as they are where pids need no mapping: events of every
 * processor put in time order, threads told from processes, sockets given their owners. State is bounded: a host can send anything.
 */
export class Lineage {
  ticksPerSecond = 100;
  readonly #format = new PageFormat();
  #held: Held[] = [];
  /** Execs whose perishables come next, in this order. */
  #awaiting: Exec[] = [];
  /** Thread id -> the process it belongs to, of threads that are no process's first. */
  readonly #processOf = new Map<number, number>();
  /** How many such threads a process has. */
  readonly #threads = new Map<number, number>();
  /** Processes whose first thread has ended while others live on. */
  readonly #leaderless = new Set<number>();
  readonly #sockets = new Map<bigint, { pid: number | undefined; name: string }>();
  #named = 0;

  /** A line of ours, or false if it is none. `D`: the format of an event. `G`: a thread that was there before. @throws Malformed */
  line(line: string, out: Observation[]): boolean {
    const fields = line.split("\t", 20);
    if (fields[0] === "D") this.#format.learn(fields);
    else if (fields[0] === "G" && fields.length === 3) this.#thread(whole(fields[1]), whole(fields[2]));
    else if (fields[0] === "R" && fields.length === 2) this.#round(bootTime(fields[1]), out);
    else return false;
    return true;
  }

  /** `B`: the used bytes of a page. `Q`: the perishables of the next exec. @throws Malformed */
  frame(kind: "B" | "Q", bytes: Buffer): void {
    if (kind === "Q") {
      const read = readPerishables(bytes);
      const exec = this.#awaiting.shift();
      if (exec?.pid !== read.pid) throw new Malformed("perishables of a process that executed nothing");
      exec.read = read;
      return;
    }
    this.#awaiting = [];
    for (const event of this.#format.events(bytes)) {
      if (this.#held.length >= MOST_HELD) throw new Malformed("too many events without a round");
      // a copy: the stream may use its memory again
      const held: Held = event.code === "e" ? { ...event, file: Buffer.from(event.file) } : event;
      this.#held.push(held);
      if (held.code === "e") this.#awaiting.push(held);
    }
  }

  /** Every buffer was read after `until`: what happened up to then is complete. */
  #round(until: number, out: Observation[]): void {
    this.#held.sort((a, b) => a.ts - b.ts);
    const end = this.#held.findIndex((event) => event.ts > until);
    const complete = this.#held.splice(0, end < 0 ? this.#held.length : end);
    let bad: unknown;
    for (const event of complete) {
      try {
        const observation = this.#observe(event);
        if (observation) out.push(observation);
      } catch (error) {
        if (!(bad instanceof Error) || bad instanceof Malformed) bad = error; // what comes after it is complete, too
      }
    }
    if (bad !== undefined) throw bad;
  }

  #observe(event: Held): Observation | undefined {
    if (event.code === "e") return this.#exec(event);
    if (event.code === "n") return this.#born(event);
    if (event.code === "x") return this.#ended(event);
    if (event.code === "g" || event.code === "t") return this.#touched(event);
    if (event.code === "d") return this.#datagram(event);
    return this.#socket(event);
  }

  /** One process laid hands on another: a signal, or the wait of a tracer. */
  #touched(event: Extract<KernelEvent, { code: "g" | "t" }>): Observation | undefined {
    const by = this.#processOf.get(event.by) ?? event.by;
    const pid = this.#processOf.get(event.pid) ?? event.pid;
    if (by === pid || by <= 0 || pid <= 0) return undefined;
    if (event.code === "t") return { kind: "process-access", ts: event.ts, how: "trace", by, pid };
    return { kind: "process-access", ts: event.ts, how: "signal", by, pid, signal: event.signal };
  }

  #exec({ ts, pid, old, file, read }: Exec): Observation {
    if (old !== pid) {
      // a thread executed it and took over the process's pid
      this.#processOf.delete(old);
      this.#leaderless.delete(pid);
      this.#threads.delete(pid);
    }
    return { kind: "exec", ts, pid, path: decodeHostBytes(file), facts: execFacts(read, ts, file.toString("latin1"), this.ticksPerSecond) };
  }

  #born({ ts, by, pid, flags }: Extract<KernelEvent, { code: "n" }>): Observation | undefined {
    const parent = this.#processOf.get(by) ?? by;
    if (flags & CLONE_THREAD) {
      this.#thread(pid, parent);
      return undefined;
    }
    this.#processOf.delete(pid);
    this.#threads.delete(pid);
    this.#leaderless.delete(pid);
    return { kind: "fork", ts, parent, pid };
  }

  #thread(thread: number, pid: number): void {
    if (this.#processOf.size >= MOST_THREADS || this.#threads.size >= MOST_THREADS) throw new Malformed("more threads than a kernel has");
    this.#processOf.set(thread, pid);
    this.#threads.set(pid, (this.#threads.get(pid) ?? 0) + 1);
  }

  #ended({ ts, pid: thread, groupDead }: Extract<KernelEvent, { code: "x" }>): Observation | undefined {
    const process = this.#processOf.get(thread);
    const pid = process ?? thread;
    const left = (this.#threads.get(pid) ?? 0) - (process === undefined ? 0 : 1);
    if (process !== undefined) {
      this.#processOf.delete(thread);
      this.#threads.set(pid, left);
      if (!(groupDead ?? (left <= 0 && this.#leaderless.has(pid)))) return undefined;
    } else if (groupDead === undefined ? left > 0 : !groupDead) {
      if (this.#leaderless.size < MOST_THREADS) this.#leaderless.add(pid); // threads live on: one of them may exec
      return undefined;
    }
    this.#threads.delete(pid);
    this.#leaderless.delete(pid);
    return { kind: "exit", ts, pid };
  }

  #datagram({ ts, flags, by, sport, dport, source, destination }: Extract<KernelEvent, { code: "d" }>): Observation | undefined {
    if ((flags & INTERRUPT) !== 0 || dport === 0) return undefined;
    const [local, remote] = [
      { ip: address(source), port: sport },
      { ip: address(destination), port: dport },
    ];
    return { kind: "datagram", ts, pid: this.#processOf.get(by) ?? by, local, remote };
  }

  #socket(event: Extract<KernelEvent, { code: "s" }>): Observation {
    let known = this.#sockets.get(event.sk);
    const to = TCP[event.to] ?? "OTHER";
    let pid = known?.pid;
    // the kernel's word counts for a connect, and in a task
    const inTask = (event.flags & INTERRUPT) === 0 && (to === "SYN_SENT" || to === "LISTEN");
    if (inTask) pid = this.#processOf.get(event.by) ?? event.by;
    if (inTask || (known === undefined && to === "ESTABLISHED")) {
      if (this.#sockets.size >= MOST_SOCKETS) this.#sockets.clear();
      known = { pid, name: String(++this.#named) };
      this.#sockets.set(event.sk, known);
    }
    if (to === "CLOSE") this.#sockets.delete(event.sk);
    return compact<Extract<Observation, { kind: "socket" }>>({
      kind: "socket",
      ts: event.ts,
      pid,
      from: TCP[event.from] ?? "OTHER",
      to,
      local: { ip: address(event.source), port: event.sport },
      remote: { ip: address(event.destination), port: event.dport },
      sk: known?.name,
    });
  }
}
