import type { HostRunner, RemoteProcess } from "#host/runner";
import { decodeHostBytes, printable } from "#model/host-string";
import type { Collect, Observation } from "#model/observation";
import { collectorCommand, collectorText, NO_PERL } from "./collectors/collector.ts";
import { Decoder } from "./decoder.ts";
import { FileRequests } from "./file-requests.ts";
import { tierCard } from "./tiers.ts";
import { SensorUnavailable } from "./unavailable.ts";

type Hello = Extract<Observation, { kind: "hello" }>;

interface CollectorOptions {
  /** What may be set up on the host (standard). */
  collect?: Collect | undefined;
  /**
   * Called with everything that one read of the channel held, in order; `hello` is in the first batch. Where it returns a promise nothing
   * more is read until that has settled: the channel's window fills, then the host's buffers, and what they lose the collector counts.
   */
  onObservations(batch: Observation[]): Promise<void> | undefined | void;
  /** Called once with a sentence when the collector ended and nobody asked it to. */
  onEnd?(what: string): void;
  /** Milliseconds between heartbeats. The collector ends itself after 5 s of silence. */
  heartbeatMs?: number;
  /** Milliseconds until `hello` must have come. */
  startTimeoutMs?: number;
}
interface CollectorStats {
  bytes: number;
  lines: number;
  undecodable: number;
  /** Requests for file facts that are under way or wait here. */
  fileRequests: number;
}
interface CollectorEnd {
  /** `stop` if we asked for it. */
  why: "stop" | "exit";
  code: number | null;
  /** What it said on standard error, made printable, at most 4 KB. */
  said: string;
}
export interface Collector {
  readonly hello: Hello;
  /** Resolves when the channel has closed. */
  readonly ended: Promise<CollectorEnd>;
  /**
   * Asks for size, owner, times and sha256 of a file; the answer is a `file-info` observation. `pid`: a process whose executable
   * it is, which makes a deleted file readable. False when too many requests wait: say so, do not retry in a loop.
   */
  requestFileInfo(path: string, pid?: number): boolean;
  /**
   * Asks which package a file belongs to; the answer is a `file-owner` observation, seconds later. `pid`: a process that runs it now.
   * `stamp`: of an earlier answer; a file that is the same still is not looked at again. False when too many requests wait.
   */
  requestOwner(path: string, pid?: number, stamp?: string): boolean;
  /** Asks once for the unix sockets that have a name: `unix-socket` observations and a `unix-end`. */
  requestSockets(): void;
  stats(): CollectorStats;
  /** Ends the collector and waits until it has cleaned up (at most 3 s, then the channel is closed under it). */
  stop(): Promise<void>;
}

/**
 * Starts the collector on the host and resolves with its `hello`. The host needs perl; without root or tracefs it falls back
 * to a lesser tier by itself and says so in `hello.blind`; the `poll` tier works for anybody.
 * @throws SensorUnavailable when the host has no perl, or the collector did not begin
 */
export async function startCollector(runner: HostRunner, options: CollectorOptions): Promise<Collector> {
  const text = collectorText(options.collect ?? "standard");
  const process = await runner.open(collectorCommand(text));
  const decoder = new Decoder();
  const send = (line: Buffer) => process.stdin.write(line);
  const requests = new FileRequests(send, { atOnce: 32, most: 1024 }); // hashed one by one
  const owners = new FileRequests(send, { atOnce: 384, most: 384 }); // looked up in batches of 128, once a second at most
  let bytes = 0;
  let stopping = false;
  let hello: Hello | undefined;
  const begun = Promise.withResolvers<void>();
  process.stdin.on("error", () => {}); // a closed channel is told by its exit
  process.stdout.on("error", () => {});
  process.stdout.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    const batch = decoder.push(chunk).map(withFidelity);
    for (const o of batch) {
      if (o.kind === "file-info") requests.answered();
      else if (o.kind === "file-owner") owners.answered();
      else if (o.kind === "hello" && hello === undefined) hello = o;
    }
    const room = batch.length > 0 ? options.onObservations(batch) : undefined;
    if (hello !== undefined) begun.resolve();
    if (room) {
      process.stdout.pause();
      room.catch(() => {}).then(() => process.stdout.resume()); // why it failed is told by whoever made it
    }
  });
  const said = firstBytes(process, 4096);
  process.stdin.write(text);
  const heart = setInterval(() => process.stdin.write("h\n"), options.heartbeatMs ?? 1000);
  const ended = process.exit.then(({ code }): CollectorEnd => {
    clearInterval(heart);
    begun.resolve();
    if (!stopping && hello !== undefined) {
      const how = code === null ? "the channel was cut" : `exit code ${code}`;
      options.onEnd?.(`the collector ended (${how})${said() === "" ? "" : `: ${said()}`}`);
    }
    return { why: stopping ? "stop" : "exit", code, said: said() };
  });
  const late = setTimeout(() => begun.resolve(), options.startTimeoutMs ?? 15_000);
  await begun.promise;
  clearTimeout(late);
  if (hello === undefined) throw await refusal(process, ended);
  return {
    hello,
    ended,
    requestFileInfo: (path, pid = 0) => isPid(pid) && requests.ask(`i ${pid}`, path),
    requestOwner: (path, pid = 0, stamp = "-") => isPid(pid) && owners.ask(`w ${pid} ${stamp}`, path),
    requestSockets: () => void send(Buffer.from("u\n")),
    stats: () => ({ bytes, lines: decoder.lines, undecodable: decoder.undecodable, fileRequests: requests.size }),
    stop: async () => {
      stopping = true;
      clearInterval(heart);
      process.stdin.end("q\n");
      const patience = setTimeout(() => process.close(), 3000);
      await ended;
      clearTimeout(patience);
    },
  };
}

const isPid = (pid: number) => Number.isSafeInteger(pid) && pid >= 0;

/** What the tier misses by its nature stands before what the host lacks. */
function withFidelity(told: Observation): Observation {
  if (told.kind !== "hello" && told.kind !== "tier") return told;
  return { ...told, blind: [...tierCard(told.tier).fidelity.misses, ...told.blind] };
}

function firstBytes(process: RemoteProcess, limit: number): () => string {
  let kept = Buffer.alloc(0);
  process.stderr.on("error", () => {});
  process.stderr.on("data", (chunk: Buffer) => {
    if (kept.length < limit) kept = Buffer.concat([kept, chunk]).subarray(0, limit);
  });
  return () => printable(decodeHostBytes(kept)).trim();
}

async function refusal(process: RemoteProcess, ended: Promise<CollectorEnd>): Promise<SensorUnavailable> {
  const close = setTimeout(() => process.close(), 200);
  const { code, said } = await ended;
  clearTimeout(close);
  const heard = said === "" ? "" : ` The host said: ${said}`;
  if (code === NO_PERL)
    return new SensorUnavailable("it has no perl", "Use a host with perl (Debian's perl-base is enough), or look with single commands.");
  if (code === null)
    return new SensorUnavailable(
      "the collector did not begin in time",
      `Try again; look at the host's load and its login scripts.${heard}`,
    );
  return new SensorUnavailable(
    `the collector ended at once (exit code ${code})`,
    `Look at the account's shell and any forced command.${heard}`,
  );
}
