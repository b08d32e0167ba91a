import type { HostRunner, RemoteProcess } from "#host/runner";
import { decodeHostBytes, printable } from "#model/host-string";
import type { WeakDigest } from "#model/known-files";
import type { Collect, Observation } from "#model/observation";
import { collectorCommand, collectorText, NO_PERL } from "./collectors/collector.ts";
import { shellCollectorText, shellCommand } from "./collectors/shell/shell.ts";
import { Decoder } from "./decoder.ts";
import { FileRequests } from "./file-requests.ts";
import { FileStreams } from "./file-streams.ts";
import { Lateness, PATIENCE_ON_SLOW_LINES } from "./lateness.ts";
import { tierCard, tiersOf } from "./tiers.ts";
import { TracedShell } from "./traced-shell.ts";
import { SensorUnavailable } from "./unavailable.ts";

type Hello = Extract<Observation, { kind: "hello" }>;

interface CollectorOptions {
  /** What may be set up on the host (standard). */
  collect?: Collect | undefined;
  /** What is computed of a file beside its sha256, from the same read. */
  digests?: readonly WeakDigest[] | undefined;
  /**
   * Called with everything that one read of the channel held, in order; `hello` is in the first batch. Where it returns a promise nothing
   * more is read until that has settled: the channel's window fills, then the host's buffers, and what they lose the collector counts.
   */
  onObservations(batch: Observation[]): Promise<void> | undefined | void;
  /** Called once with a sentence when the collector ended and nobody asked it to. */
  onEnd?(what: string): void;
  /** Milliseconds between heartbeats. The collector ends itself after 5 s of silence, after {@link PATIENCE_ON_SLOW_LINES} on a slow line. */
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
   * Asks for size, owner, times, mount and digests of a file; the answer is a `file-info` observation, and a second one where the host
   * cannot compute the digests, so that its bytes are read (file-streams.ts). `pid`: a process whose executable it is, which makes a
   * deleted file readable. False when too many requests wait: say so, do not retry in a loop.
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
 * Starts the collector on the host and resolves with its `hello`. Without root or tracefs it falls back to a lesser tier by itself and
 * says so in `hello.blind`; the `poll` tier works for anybody. Where the host has no perl a shell takes its place, which polls.
 * @throws SensorUnavailable when the collector did not begin
 */
export async function startCollector(runner: HostRunner, options: CollectorOptions): Promise<Collector> {
  const perl = collectorText(options.collect ?? "standard");
  const started =
    (await start(runner, options, { argv: collectorCommand(perl), text: perl, tell: withFidelity })) ?? (await startShell(runner, options));
  if (started === undefined) throw new SensorUnavailable("its shell ended as if it looked for perl", "Look at the account's shell.");
  return started;
}

/** A shell that polls, and beside it, where it may and can be, one that follows the kernel. */
async function startShell(runner: HostRunner, options: CollectorOptions): Promise<Collector | undefined> {
  const shell = { argv: shellCommand(), text: shellCollectorText(), tell: (told: Observation) => told };
  if (!tiersOf(options.collect ?? "standard").some(({ id }) => id === "tracefs+shell")) return start(runner, options, shell);
  let send: (line: string) => void = () => {};
  const traced = new TracedShell(runner, options.onObservations, (pid) => send(`a${pid}\n`));
  const begun = traced.begin();
  const opened = (to: typeof send) => {
    send = to;
  };
  const polling = await start(runner, { ...options, onObservations: (batch) => traced.take(batch) }, { ...shell, opened }).catch(
    async (error: unknown) => {
      await traced.stop();
      throw error;
    },
  );
  await begun;
  if (polling === undefined) {
    await traced.stop();
    return undefined;
  }
  const ended = polling.ended.then(async (end) => {
    await traced.stop();
    return end;
  });
  return {
    ...polling,
    hello: traced.hello(polling.hello),
    ended,
    stop: async () => void (await Promise.all([traced.stop(), polling.stop()])),
  };
}

/** A collector's text, how it reaches the host, and what is told of what it says: a shell names all that it misses by itself. */
interface Way {
  argv: string[];
  text: string;
  tell(told: Observation): Observation;
  /** Takes what sends it a line. */
  opened?(send: (line: string) => void): void;
}

/** Undefined where the host has no perl for it. */
async function start(runner: HostRunner, options: CollectorOptions, { argv, text, tell, opened }: Way): Promise<Collector | undefined> {
  const process = await runner.open(argv);
  const decoder = new Decoder();
  const send = (line: Buffer) => process.stdin.write(line);
  const requests = new FileRequests(send, { atOnce: 32, most: 1024 }); // hashed one by one
  const owners = new FileRequests(send, { atOnce: 384, most: 384 }); // looked up in batches of 128, once a second at most
  const also = (options.digests ?? []).map((kind) => kind[0]).join(""); // m, s
  const streams = new FileStreams(runner, options.digests ?? [], (info) => void options.onObservations([info]));
  /** Of files that were asked for: a process that runs each. */
  const runners = new Map<string, number>();
  let bytes = 0;
  let stopping = false;
  let hello: Hello | undefined;
  const begun = Promise.withResolvers<void>();
  process.stdin.on("error", () => {}); // a closed channel is told by its exit
  process.stdout.on("error", () => {});
  process.stdout.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    const batch = decoder.push(chunk).map(tell);
    for (const [i, o] of batch.entries()) {
      if (o.kind === "file-info") {
        requests.answered();
        batch[i] = streams.take(o, runners.get(o.path) ?? 0);
        runners.delete(o.path);
      } else if (o.kind === "file-owner") owners.answered();
      else if (o.kind === "hello" && hello === undefined) hello = o;
      else if (o.kind === "tick") late.take(Number(o.ts) / 1e6, performance.now());
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
  opened?.((line) => process.stdin.writable && process.stdin.write(line));
  const late = new Lateness();
  const beat = () => process.stdin.write(late.slow(performance.now()) ? `h ${PATIENCE_ON_SLOW_LINES}\n` : "h\n");
  const heart = setInterval(beat, options.heartbeatMs ?? 1000);
  const ended = process.exit.then(({ code }): CollectorEnd => {
    clearInterval(heart);
    begun.resolve();
    if (!stopping && hello !== undefined) {
      const how = code === null ? "the channel was cut" : `exit code ${code}`;
      options.onEnd?.(`the collector ended (${how})${said() === "" ? "" : `: ${said()}`}`);
    }
    return { why: stopping ? "stop" : "exit", code, said: said() };
  });
  const overdue = setTimeout(() => begun.resolve(), options.startTimeoutMs ?? 15_000);
  await begun.promise;
  clearTimeout(overdue);
  if (hello === undefined) {
    const why = await refusal(process, ended);
    if (why === undefined) return undefined;
    throw why;
  }
  return {
    hello,
    ended,
    requestFileInfo: (path, pid = 0) => {
      const asked = isPid(pid) && requests.ask(`i${also} ${pid}`, path);
      if (asked && pid > 0) runners.set(path, pid);
      return asked;
    },
    requestOwner: (path, pid = 0, stamp = "-") => isPid(pid) && owners.ask(`w${also} ${pid} ${stamp}`, path),
    requestSockets: () => void send(Buffer.from("u\n")),
    stats: () => ({ bytes, lines: decoder.lines, undecodable: decoder.undecodable, fileRequests: requests.size }),
    stop: async () => {
      stopping = true;
      streams.close();
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

/** Why it did not begin; undefined where the host has no perl. */
async function refusal(process: RemoteProcess, ended: Promise<CollectorEnd>): Promise<SensorUnavailable | undefined> {
  const close = setTimeout(() => process.close(), 200);
  const { code, said } = await ended;
  clearTimeout(close);
  const heard = said === "" ? "" : ` The host said: ${said}`;
  if (code === NO_PERL) return undefined;
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
