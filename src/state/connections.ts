import type { StakeoutEvent } from "#model/event";
import { countTry } from "./activity.ts";
import { callerOf, countCaller } from "./callers.ts";
import { note, unnote } from "./folding.ts";
import { judgementOf, setJudgement } from "./lineage.ts";
import { onPace } from "./pace.ts";
import type { ConnectionState, State } from "./state.ts";
import type { Millis } from "./time.ts";

/** Ended connections that stay in the picture, however many are open; the log has them all. So many go at once. */
const KEPT_ENDED = 1000;
const GO_AT_ONCE = 100;
/** Far ends that are counted; a scan of the internet must not fill our memory. */
const KEPT_PEERS = 20_000;
/** Of which one is let go. */
const LOOKED_AT = 64;

function ensure(state: State, event: StakeoutEvent, at: Millis): ConnectionState | undefined {
  const id = event.stakeout["connection"];
  if (typeof id !== "string" || !event.source) return undefined;
  let connection = state.connections.get(id);
  if (!connection) {
    connection = {
      id,
      transport: event.network?.transport ?? "tcp",
      direction: event.network?.direction ?? "egress",
      source: event.source,
      destination: event.destination ?? event.source, // what listens has no far end
      phase: "attempt",
      start: at,
      standing: "unknown",
    };
    state.connections.set(id, connection);
    state.counts.connections += 1;
  }
  if (event.source.port) connection.source = event.source;
  own(state, connection, event.process?.entity_id);
  return connection;
}

/** Binds the connection to its process; its login and standing follow. */
function own(state: State, connection: ConnectionState, id: string | undefined): void {
  if (id === undefined) return;
  const process = state.processes.get(id);
  if (connection.process !== id) {
    unnote(state, connection.process);
    if (process) note(process);
  }
  connection.process = id;
  if (!process) return;
  if (process.login !== undefined) connection.login = process.login;
  setJudgement(connection, judgementOf(process));
}

const far = (connection: ConnectionState) => (connection.direction === "egress" ? connection.destination : connection.source);

export function networkStart(state: State, event: StakeoutEvent, at: Millis): void {
  const connection = ensure(state, event, at);
  if (connection?.direction !== "egress") return;
  const { ip, port = 0 } = far(connection);
  const key = `${ip} ${port}`;
  const peer = state.peers.get(key);
  const process = connection.process === undefined ? undefined : state.processes.get(connection.process);
  const on = onPace(state, at);
  if (peer) {
    countCaller(peer, process, on);
    peer.attempts += 1;
    peer.last = at;
    countTry(peer.tries, on);
    return;
  }
  const caller = callerOf(process);
  state.peers.set(key, { ip, port, attempts: 1, established: 0, first: at, last: at, caller, tries: countTry(undefined, on) });
  if (state.peers.size > KEPT_PEERS) letPeerGo(state);
}

/** A scan: of the oldest the one that was tried least goes, else a beacon would be counted anew after each. */
function letPeerGo({ peers }: State): void {
  let least: [string, number] | undefined;
  let looked = 0;
  for (const [key, { attempts }] of peers) {
    if (looked++ >= LOOKED_AT) break;
    if (!least || attempts < least[1]) least = [key, attempts];
  }
  if (least) peers.delete(least[0]);
}

export function networkEstablished(state: State, event: StakeoutEvent, at: Millis): void {
  const connection = ensure(state, event, at);
  if (!connection) return;
  connection.phase = "established";
  const { ip, port = 0 } = far(connection);
  const peer = state.peers.get(`${ip} ${port}`);
  if (peer) {
    peer.established += 1;
    peer.last = at;
  }
}

/** What it has carried: some kernels count it, while the connection lasts. */
export function networkInfo(state: State, event: StakeoutEvent, at: Millis): void {
  const connection = ensure(state, event, at);
  if (!connection) return;
  const { source, destination, stakeout } = event;
  const [sent, received] = connection.direction === "egress" ? [source?.bytes, destination?.bytes] : [destination?.bytes, source?.bytes];
  const rtt = stakeout["rtt"];
  if (typeof sent === "number" && typeof received === "number")
    connection.carried = { sent, received, at, ...(typeof rtt === "number" ? { rtt: rtt / 1e6 } : {}) };
}

export function networkEnd(state: State, event: StakeoutEvent, at: Millis): void {
  const connection = ensure(state, event, at);
  if (!connection) return;
  const again = connection.phase === "ended";
  connection.phase = "ended";
  connection.end = at;
  connection.outcome = event.event.outcome ?? "unknown";
  if (again || state.endedConnections.push(connection.id) <= KEPT_ENDED) return;
  for (const id of state.endedConnections.splice(0, GO_AT_ONCE)) {
    const old = state.connections.get(id);
    if (old?.phase !== "ended") continue; // of a forged log: it went on
    state.connections.delete(id);
    unnote(state, old.process);
  }
}

export function listen(state: State, event: StakeoutEvent, at: Millis): void {
  const connection = ensure(state, event, at);
  if (connection) connection.phase = "listening";
}

/** A login turned out to hold this connection: it is no longer the listener's. */
export function attributeConnection(state: State, event: StakeoutEvent): void {
  const id = event.stakeout["connection"];
  const connection = typeof id === "string" ? state.connections.get(id) : undefined;
  if (!connection) return;
  own(state, connection, event.process?.entity_id);
  if (event.process) connection.login = event.process.entry_leader?.entity_id ?? event.process.entity_id;
}
