import type { Endpoint } from "#model/event";
import { triedBy } from "#state/callers";
import { isHidden } from "#state/lineage";
import type { ConnectionState, State, Tried } from "#state/state";
import { type BaseRow, byText, type Sort } from "./list.ts";
import { processName, RANK } from "./standing.ts";

/** All connections of one process name with one far end in one direction, shown as its latest. */
export interface ConnectionRow extends BaseRow {
  latest: ConnectionState;
  /** The other side: destination of an egress connection, source of an ingress one. */
  far: Endpoint;
  owner: string;
  /** Of its process, where it is known. */
  pid: number | undefined;
  /** Attempts so far, those that are no longer kept included. */
  attempts: number;
  live: number;
  /** All attempts at this far end by those whose row it is, or with others who are not told apart; undefined where they came from there. */
  tried: Tried | undefined;
  /** Ids of the connections that this row stands for. */
  members: readonly string[];
}

const PHASE_RANK: Record<ConnectionState["phase"], number> = { established: 0, attempt: 0, ended: 1, listening: 2 };

const farEnd = (c: ConnectionState): Endpoint => (c.direction === "egress" && c.phase !== "listening" ? c.destination : c.source);

/** Of each connection the row that it belongs to, as long as what that follows from stays: to write and to hash it costs more than all else. */
const KEYS = new WeakMap<ConnectionState, { from: readonly unknown[]; key: string }>();
function keyOf(connection: ConnectionState, far: Endpoint, owner: string): string {
  const { phase, standing, direction, transport, destination } = connection;
  const known = KEYS.get(connection);
  if (known) {
    const [end, whose, judged, last] = known.from;
    if (end === far && whose === owner && judged === standing && last === phase) return known.key;
  }
  const listens = phase === "listening";
  // an ingress connection has another source port each time: it is the same visitor
  const port = direction === "egress" || listens ? far.port : destination.port;
  const key = `c:${listens ? "listen" : direction}:${transport}:${far.ip}:${port}:${owner}:${standing}`;
  KEYS.set(connection, { from: [far, owner, standing, phase], key });
  return key;
}

type Order = (a: ConnectionRow, b: ConnectionRow) => number;
const lastSeen = ({ latest }: ConnectionRow) => latest.end ?? latest.start;
const newest: Order = (a, b) => lastSeen(b) - lastSeen(a);
const country = ({ far }: ConnectionRow) => far.geo?.country_iso_code ?? "~";
const ORDERS: Partial<Record<Sort, Order>> = {
  newest,
  name: (a, b) => byText(a.owner, b.owner) || newest(a, b),
  place: (a, b) => byText(country(a), country(b)) || newest(a, b),
  count: (a, b) => mostOf(b) - mostOf(a) || newest(a, b),
};
/** Worst standing first; then what is open, what has ended, what listens; newest first within. */
const story: Order = (a, b) =>
  RANK[a.latest.standing] - RANK[b.latest.standing] ||
  PHASE_RANK[a.latest.phase] - PHASE_RANK[b.latest.phase] ||
  newest(a, b) ||
  byText(a.key, b.key);

export function buildConnections(state: State, showHidden: boolean, sort: Sort = "story"): ConnectionRow[] {
  const rows = new Map<string, ConnectionRow & { members: string[] }>();
  for (const connection of state.connections.values()) {
    if (isHidden(connection.standing) && !showHidden) continue;
    const process = connection.process === undefined ? undefined : state.processes.get(connection.process);
    const owner = connection.process === undefined ? "?" : processName(process);
    const far = farEnd(connection);
    const key = keyOf(connection, far, owner);
    const live = connection.phase === "ended" ? 0 : 1;
    const row = rows.get(key);
    if (!row) {
      const of = { owner, pid: process?.pid, tried: undefined, members: [connection.id] };
      rows.set(key, { key, latest: connection, far, attempts: 0, live, at: connection.start, selection: selectionOf(connection), ...of });
    } else {
      row.members.push(connection.id);
      row.live += live;
      row.at = Math.max(row.at, connection.start);
      const better = PHASE_RANK[connection.phase] - PHASE_RANK[row.latest.phase] || row.latest.start - connection.start;
      if (better <= 0) Object.assign(row, { latest: connection, far, pid: process?.pid, selection: selectionOf(connection) });
    }
  }
  for (const row of rows.values()) {
    row.tried = triedBy(state, membersOf(state, row));
    // what they share with others is told beside it, and is no count of their own
    row.attempts = Math.max(row.members.length, row.tried?.shared ? 0 : (row.tried?.attempts ?? 0));
  }
  return [...rows.values()].sort(ORDERS[sort] ?? story);
}

/** The most attempts that it can stand for. */
export const mostOf = ({ attempts, tried }: ConnectionRow): number => (tried?.shared ? Math.max(attempts, tried.attempts) : attempts);

function* membersOf(state: State, { members }: ConnectionRow): Iterable<ConnectionState> {
  for (const id of members) {
    const connection = state.connections.get(id);
    if (connection) yield connection;
  }
}

function selectionOf(connection: ConnectionState): ConnectionRow["selection"] {
  const { id, standing, tag, process, login } = connection;
  const selector = process !== undefined ? { process } : login !== undefined ? { login } : undefined;
  return { kind: "connection", id, standing, ...(selector ? { selector } : {}), ...(tag ? { tag } : {}) };
}
