import type { BootNs, Observation, ProcFacts, SocketAddress } from "#model/observation";

type Of<K extends Observation["kind"]> = Extract<Observation, { kind: K }>;
type Told = Of<"fork"> | Of<"exec"> | Of<"exit"> | Of<"socket">;
interface Known {
  born?: BootNs;
  /** What was executed last. */
  executed?: string;
  ended?: true;
}

/** Processes and connections that are remembered, those that were told of last. */
const MOST = 65_536;
/** After events were lost, and at the beginning, the kernel's silence proves nothing for so long. */
const DOUBT_NS = 10e9;
const key = (a: SocketAddress, b: SocketAddress) => `${a.ip} ${a.port} ${b.ip} ${b.port}`;

/** What the kernel has told, so that the poll's word for the same is not told again. */
export class TraceMemory {
  readonly #tickNs: number;
  readonly #processes = new Map<number, Known>();
  /** Connections, and which states of them were told. */
  readonly #connections = new Map<string, Set<string>>();
  #doubtUntil = Number.POSITIVE_INFINITY;
  #lossyUntil = 0;
  #begun = false;

  constructor(tickNs: number) {
    this.#tickNs = tickNs;
  }

  begin(): void {
    this.#begun = false;
    this.#doubtUntil = Number.POSITIVE_INFINITY;
  }

  /** Events were lost. */
  lost(ts: BootNs): void {
    this.#doubt(ts);
    this.#lossyUntil = ts + DOUBT_NS;
  }

  #doubt(ts: BootNs): void {
    this.#doubtUntil = Math.max(ts + DOUBT_NS, this.#begun ? this.#doubtUntil : 0);
    this.#begun = true;
  }

  knows(pid: number): boolean {
    return this.#processes.has(pid);
  }

  /** That it has not ended, and runs this still. */
  lives(pid: number, path: string): boolean {
    const known = this.#processes.get(pid);
    return known !== undefined && !known.ended && known.executed === path;
  }

  told(event: Told): void {
    if (!this.#begun) this.#doubt(event.ts); // it has just begun: what ended before it was nobody told
    if (event.kind === "socket") return this.#socket(event);
    const known: Known = event.kind === "fork" ? { born: event.ts } : (this.#processes.get(event.pid) ?? {});
    if (event.kind === "exec") known.executed = event.path;
    else if (event.kind === "exit") known.ended = true;
    remember(this.#processes, event.pid, known);
  }

  /** Whether it is the poll's to tell. */
  isNews(polled: Told, tracing: boolean): boolean {
    const doubted = !tracing || polled.ts < this.#doubtUntil;
    if (polled.kind === "socket") return doubted && !this.#connections.get(key(polled.local, polled.remote))?.has(wordOf(polled));
    const known = this.#processes.get(polled.pid);
    if (polled.kind === "exit") return doubted && !known?.ended;
    if (known === undefined) return true;
    const start = polled.kind === "fork" ? polled.ts : (polled.facts.startTicks ?? 0) * this.#tickNs;
    // the kernel told of another one that had this pid: an older one has ended since, of a younger one it did not tell
    if (known.born !== undefined && Math.abs(known.born - start) > 2 * this.#tickNs) return start > known.born;
    if (polled.kind === "fork") return false;
    if (known.ended || (known.executed !== undefined && runs(known.executed, polled.facts))) return false;
    // a fork alone runs what its parent runs: that is no exec, unless the kernel lost it
    if (known.executed === undefined && Math.abs(polled.ts - start) <= 2 * this.#tickNs) return polled.ts < this.#lossyUntil;
    return doubted;
  }

  #socket(event: Of<"socket">): void {
    const place = key(event.local, event.remote);
    const known = this.#connections.get(place) ?? new Set();
    if (event.to === "SYN_SENT" || event.to === "ESTABLISHED") known.delete("CLOSE"); // another one between the same ends
    known.add(wordOf(event));
    remember(this.#connections, place, known);
  }
}

const base = (path: string) => path.slice(path.lastIndexOf("/") + 1);
const COMM = 15;
/** Ways to a file that do not name it; busybox starts its own programs by the second. */
const NAMELESS = /^\/(?:dev\/fd\/|proc\/[^/]+\/(?:exe$|fd\/))/;
/** The kernel calls a process after the file that was asked for; what that led to has a name of its own. */
export const runs = (path: string, { comm, executable }: ProcFacts): boolean =>
  NAMELESS.test(path) || comm === base(path).slice(0, COMM) || (executable !== undefined && base(executable) === base(path));

/** The kernel chooses the local port after SYN_SENT: that it goes out is known with what comes next. */
const wordOf = ({ from, to }: Of<"socket">) => (to === "CLOSE" || from === "LISTEN" ? "CLOSE" : to === "LISTEN" ? "LISTEN" : "OPEN");

function remember<K, V>(map: Map<K, V>, name: K, value: V): void {
  map.delete(name);
  map.set(name, value);
  if (map.size > MOST) map.delete(map.keys().next().value as K);
}
