import type { HostString } from "#model/host-string";
import type { BootNs, Observation } from "#model/observation";
import { Lineage } from "./lineage.ts";
import { amount, field, list } from "./record-fields.ts";
import { formatRecord, knownPages } from "./trace-formats.ts";
import { TraceStream } from "./trace-stream.ts";
import { bootTime, Malformed, pid, text } from "./wire.ts";

/** What a shell's tracer tells the console. */
export type TraceWord =
  /** It runs: its four shells, its buffers in bytes, whether it tells of TCP, what it lacks. */
  | { kind: "begun"; shells: number[]; bufferBytes: number; tcp: boolean; lacks: HostString[] }
  /** All threads that were there before were told. */
  | { kind: "settled" }
  /** All that has happened up to then, in time order. */
  | { kind: "happened"; until: BootNs; events: Observation[] }
  | { kind: "tick"; ts: BootNs; lost: number; cpuMs: number }
  | { kind: "canary"; ts: BootNs; pid: number; path: HostString }
  | { kind: "problem"; what: HostString }
  /** It ends, or never began. */
  | { kind: "ended"; how: "tampered" | "degraded" | "refused"; why: HostString };

/** So many pages in a row that hold nonsense are no slip: the trace is not believed any more. */
const MOST_NONSENSE = 16;

/**
 * The bytes of a shell's tracer as words. Pure: any split of the same bytes gives the same words. It never throws: the far end is a suspect host;
 * what cannot be read is counted, and where that does not end, the trace does (`ended`, once).
 */
export class TraceDecoder {
  undecodable = 0;
  /** A mistake of ours that a host has found, as in {@link Decoder}. */
  fault: Error | undefined;
  readonly #lineage = new Lineage();
  readonly #stream: TraceStream;
  #out: TraceWord[] = [];
  #nonsense = 0;
  #pages = false;
  #ended = false;

  constructor() {
    this.#stream = new TraceStream(
      (page) => this.#counting(() => this.#page(page)),
      (line) => this.#counting(() => this.#line(line)),
    );
  }

  push(bytes: Uint8Array): TraceWord[] {
    this.#stream.push(bytes);
    if (this.#stream.broken !== undefined) this.#end("degraded", this.#stream.broken as HostString);
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #counting(read: () => void): void {
    if (this.#ended) return;
    try {
      read();
      this.#nonsense = 0;
    } catch (error) {
      this.undecodable += 1;
      this.#nonsense += 1;
      if (!(error instanceof Malformed)) this.fault ??= error as Error;
      if (this.#nonsense >= MOST_NONSENSE) this.#end("degraded", "what it sends are no events of a kernel" as HostString);
    }
  }

  #end(how: Extract<TraceWord, { kind: "ended" }>["how"], why: HostString): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#out.push({ kind: "ended", how, why });
  }

  #page(page: Buffer): void {
    if (!this.#pages) throw new Malformed("a page before its format");
    this.#lineage.frame("B", page);
  }

  #line(line: string): void {
    const f = line.split("\t");
    const [kind] = f;
    if (f.length !== LENGTHS.get(kind ?? "")) throw new Malformed("not a line of the tracer");
    if (kind === "G") this.#lineage.line(line, []);
    else if (kind === "R") this.#events(line, bootTime(f[1]));
    else if (kind === "D") this.#lineage.line(formatRecord(field(f, 1), field(f, 2)).join("\t"), []);
    else if (kind === "p") {
      this.#pages = knownPages(field(f, 1));
      if (!this.#pages) this.#end("refused", "pages of the trace are not as we read them" as HostString);
    } else if (kind === "Z") this.#end(field(f, 1) === "tampered" ? "tampered" : "degraded", text(field(f, 2)));
    else if (kind === "!") this.#end("refused", text(field(f, 1)));
    else this.#out.push(wordOf(f));
  }

  /** Where one of its events cannot be read, those that can are told all the same. */
  #events(line: string, until: BootNs): void {
    const events: Observation[] = [];
    try {
      this.#lineage.line(line, events);
    } finally {
      this.#out.push({ kind: "happened", until, events });
    }
  }
}

/** Kinds of lines and how many fields they have, the kind included. */
const LENGTHS: ReadonlyMap<string, number> = new Map(
  Object.entries({ p: 2, D: 3, G: 3, H: 5, N: 1, R: 2, T: 4, Y: 4, P: 2, Z: 3, "!": 2 }),
);

function wordOf(f: readonly string[]): TraceWord {
  if (f[0] === "N") return { kind: "settled" };
  if (f[0] === "P") return { kind: "problem", what: text(field(f, 1)) };
  if (f[0] === "T") return { kind: "tick", ts: bootTime(f[1]), lost: amount(f[2]), cpuMs: amount(f[3]) };
  if (f[0] === "Y") return { kind: "canary", ts: bootTime(f[1]), pid: pid(f[2]), path: text(field(f, 3)) };
  const shells = field(f, 1).split(" ", 4).map(pid);
  return { kind: "begun", shells, bufferBytes: amount(f[2]), tcp: f[3] === "1", lacks: list(field(f, 4)) };
}
