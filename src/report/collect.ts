import type { Endpoint, StakeoutEvent } from "#model/event";
import type { State } from "#state/state";
import type { Millis } from "#state/time";
import type { Cast } from "./cast.ts";
import { Narration } from "./narration.ts";
import { reach } from "./places.ts";
import { Tally } from "./tally.ts";

/** Calls to one far end, over the whole log. */
export interface Peer {
  far: Endpoint;
  attempts: number;
  through: number;
  /** Connections that were open when the recording began: nobody saw them begin. */
  found: number;
  first: Millis;
  last: Millis;
  lastThrough?: Millis;
  whileIsolated: { attempts: number; through: number };
  /** Attempts of processes that are the intruder's, or may be. */
  theirs: number;
  programs: Map<string, number>;
}
/** Connections from one far end to one port of the host. */
export interface Caller {
  far: Endpoint;
  port: number;
  connections: number;
  first: Millis;
  last: Millis;
}
export interface FileStory {
  created?: { at: Millis; by?: string };
  deleted?: { at: Millis; by?: string };
  /** Each content that was seen, in order. */
  hashes: { sha256: string; at: Millis }[];
}
export interface Phase {
  at: Millis;
  analyst: string;
  sequence: number;
  /** Nanoseconds, as the event says. */
  duration?: number;
}
export type Phases = Partial<Record<"proposed" | "confirmed" | "succeeded" | "failed", Phase>>;

/** What the events tell and the state does not keep; of bounded size however long the log is. */
export interface Collected {
  narration: Narration;
  peers: Tally<Peer>;
  callers: Tally<Caller>;
  files: Tally<FileStory>;
  responses: Tally<Phases>;
  /** Fields that were left out of events, by field and reason. */
  unseen: Tally<{ field: string; why: string; times: number }>;
  /** Connections left out of `peers` and `callers`: of tagged responders, and of the host with itself. */
  hidden: number;
  loopback: number;
  baseline: { processes: number; connections: number; listeners: number; logins: number };
  /** `found`: it stood at `from` already, and since when is not known. */
  isolations: { from: Millis; to?: Millis; found?: true }[];
  start?: StakeoutEvent;
  end?: StakeoutEvent;
  lastSequence: number;
}

const MOST_ENDS = 5000;

export async function collect(state: State, cast: Cast, events: AsyncIterable<StakeoutEvent>): Promise<Collected> {
  const collected: Collected = {
    narration: new Narration(state, cast),
    peers: new Tally<Peer>(
      () => newPeer(),
      MOST_ENDS,
      ({ attempts, through, found }) => attempts + through + found,
    ),
    callers: new Tally<Caller>(
      () => ({ far: { ip: "" }, port: 0, connections: 0, first: 0, last: 0 }),
      MOST_ENDS,
      ({ connections }) => connections,
    ),
    files: new Tally<FileStory>(() => ({ hashes: [] }), state.binaries.size),
    responses: new Tally<Phases>(() => ({})),
    unseen: new Tally(() => ({ field: "", why: "", times: 0 }), 200),
    hidden: 0,
    loopback: 0,
    baseline: { processes: 0, connections: 0, listeners: 0, logins: 0 },
    isolations: [],
    lastSequence: 0,
  };
  for await (const event of events) take(collected, state, cast, event);
  return collected;
}

const newPeer = (): Peer => ({
  far: { ip: "" },
  attempts: 0,
  through: 0,
  found: 0,
  first: 0,
  last: 0,
  whileIsolated: { attempts: 0, through: 0 },
  theirs: 0,
  programs: new Map(),
});

function take(collected: Collected, state: State, cast: Cast, event: StakeoutEvent): void {
  const at = Date.parse(event["@timestamp"]);
  const { action } = event.event;
  collected.lastSequence = event.event.sequence;
  for (const [field, why] of Object.entries(event.stakeout.unseen ?? {})) {
    const seen = collected.unseen.at(`${field} ${why}`);
    if (seen) Object.assign(seen, { field, why, times: seen.times + 1 });
  }
  if (action.startsWith("network.") || action === "baseline.connection") connection(collected, state, cast, event, at);
  else if (action.startsWith("file.")) file(collected, state, event, at);
  else if (action.startsWith("response.")) response(collected, event, at);
  else if (action === "baseline.process") collected.baseline.processes += 1;
  else if (action === "baseline.listener") collected.baseline.listeners += 1;
  else if (action === "baseline.complete") collected.baseline.logins = collected.narration.logins;
  else if (action === "baseline.isolation") isolationFound(collected, event, at);
  else if (action === "session.start") collected.start ??= event;
  else if (action === "session.end") collected.end = event;
  if (action === "baseline.connection") collected.baseline.connections += 1;
  collected.narration.take(event, at);
}

/** What another session left on the host, or that it is gone without our doing. */
function isolationFound(collected: Collected, { stakeout }: StakeoutEvent, at: Millis): void {
  const open = collected.isolations.findLast(({ to }) => to === undefined);
  if (stakeout.response?.kind !== "release") collected.isolations.push({ from: at, found: true });
  else if (open) open.to = at;
}

function connection(collected: Collected, state: State, cast: Cast, event: StakeoutEvent, at: Millis): void {
  const { action } = event.event;
  if (action === "network.info" || action === "network.end" || action === "network.listen") return;
  const side = cast.side(event.process?.entity_id);
  const egress = event.network?.direction === "egress";
  const far = egress ? event.destination : event.source;
  const near = egress ? event.source : event.destination;
  if (!far || !near) return;
  const counts = action !== "network.established" || !egress; // an attempt, or what has no attempt of its own in the log
  if (reach(far.ip) === "loopback" || far.ip === near.ip) {
    if (counts) collected.loopback += 1;
    return;
  }
  if (side === "hidden") {
    if (counts) collected.hidden += 1;
    return;
  }
  if (!egress) {
    const caller = collected.callers.at(`${far.ip} ${near.port ?? 0}`);
    if (!caller) return;
    caller.first ||= at;
    Object.assign(caller, { far, port: near.port ?? 0, connections: caller.connections + 1, last: at });
    return;
  }
  const peer = collected.peers.at(`${far.ip} ${far.port ?? 0}`);
  if (!peer) return;
  const isolated = collected.isolations.some(({ to }) => to === undefined);
  peer.far = far;
  peer.first ||= at;
  peer.last = at;
  if (action === "network.start") {
    peer.attempts += 1;
    if (isolated) peer.whileIsolated.attempts += 1;
    if (side !== "other") peer.theirs += 1;
  } else {
    if (action === "baseline.connection") peer.found += 1;
    else peer.through += 1;
    peer.lastThrough = at;
    if (isolated && action === "network.established") peer.whileIsolated.through += 1;
    if (action === "baseline.connection" && side !== "other") peer.theirs += 1;
  }
  if (!counts) return;
  const process = event.process ? state.processes.get(event.process.entity_id) : undefined;
  const program = event.process?.executable ?? process?.executable ?? event.process?.name ?? "";
  if (peer.programs.size < 50 || peer.programs.has(program)) peer.programs.set(program, (peer.programs.get(program) ?? 0) + 1);
}

/** Of files that the state has let go nothing is told: they take no place here. */
function file(collected: Collected, state: State, event: StakeoutEvent, at: Millis): void {
  if (!event.file || !state.binaries.has(event.file.path)) return;
  const story = collected.files.at(event.file.path);
  if (!story) return;
  const by = event.process?.entity_id;
  if (event.event.action === "file.creation") story.created ??= { at, ...(by === undefined ? {} : { by }) };
  if (event.event.action === "file.deletion") story.deleted = { at, ...(by === undefined ? {} : { by }) };
  const sha256 = event.file.hash?.sha256;
  if (sha256 !== undefined && story.hashes.length < 20 && !story.hashes.some((known) => known.sha256 === sha256))
    story.hashes.push({ sha256, at });
}

function response(collected: Collected, event: StakeoutEvent, at: Millis): void {
  const given = event.stakeout.response;
  const phases = given && collected.responses.at(given.id);
  if (!phases) return;
  const phase = event.event.action.slice("response.".length) as keyof Phases;
  const { duration, sequence } = event.event;
  phases[phase] = { at, analyst: event.stakeout.analyst ?? "unknown", sequence, ...(duration === undefined ? {} : { duration }) };
  if (phase !== "succeeded") return;
  if (given.kind === "isolate") collected.isolations.push({ from: at });
  const open = collected.isolations.findLast(({ to }) => to === undefined);
  if (given.kind === "release" && open) open.to = at;
}
