import type { Enricher } from "#analysis/enrich";
import type { EventDraft, Transport } from "#model/event";
import type { BootNs, Observation, SocketAddress, Unseen } from "#model/observation";
import type { ClockMap } from "./clock-map.ts";
import { type Entities, type Entity, processRef } from "./entities.ts";

type SocketChange = Extract<Observation, { kind: "socket" }>;
type SocketPolled = Extract<Observation, { kind: "socket-polled" }>;
type SocketFound = Extract<Observation, { kind: "socket-found" }>;

interface Connection {
  id: string;
  transport: Transport;
  direction: "egress" | "ingress";
  local: SocketAddress;
  remote: SocketAddress;
  start: BootNs;
  established: boolean;
  owner?: Entity;
  sk?: string;
  carried?: { sent: number; received: number; rttUs: number };
}

export interface Ingesting {
  entities: Entities;
  clock: ClockMap;
  enricher: Enricher;
  sensor: { sensor: string; tier: string };
  emit: (draft: EventDraft) => void;
  /** Brings a fork that was kept back into the log, since something now names it. */
  tell: (entity: Entity) => void;
  /** A file changed in a watched folder, by `writer` where that was seen. */
  wrote: (change: Extract<Observation, { kind: "file" }>, writer: Entity | undefined) => void;
  /** `root` let somebody in at a terminal of the machine. */
  cameIn: (root: Entity) => void;
}

type Datagram = Extract<Observation, { kind: "datagram" }>;
/** What goes to one far end by UDP; without a connection it was not told yet. */
interface Flow {
  first: Pick<Datagram, "ts" | "local" | "remote"> & { owner: Entity | undefined };
  last: BootNs;
  connection?: Connection;
}

/** More sockets of these kinds than any host has open at once. */
const MOST_POLLED = 20_000;
/** Far ends by UDP that are followed at a time. */
const MOST_FLOWS = 20_000;
/** What goes to one far end by UDP is one until it has been silent for so long. */
const FLOW_SILENCE_NS = 5e9;
/** A socket that is aimed at what TCP then goes to is a look-up's, within this time. */
const PROBE_NS = 0.5e9;
/** After a time away, sockets that are looked at now and then are told again within this time, if they are still there. */
const TOLD_AGAIN_NS = 5e9;
/** Why something ended whose end nobody saw. */
export const WHILE_AWAY = "ended while we were away";
/** Why something is told that began before. */
export const FOUND_AGAIN = "found when we came back: it began while we were away";
const listens = ({ state, transport, remote }: SocketFound): boolean => state === "LISTEN" || (transport === "udp" && remote.port === 0);
const isLoopback = (ip: string): boolean => ip.startsWith("127.") || ip === "::1";
const listenKey = (transport: Transport, { ip, port }: SocketAddress) => `${transport} ${ip} ${port}`;
const tuple = (local: SocketAddress, remote: SocketAddress) => `${local.ip} ${local.port} ${remote.ip} ${remote.port}`;

/** TCP state changes as connections: the attempt, that it got through, its end; each with its process where the kernel tells. */
export class NetworkIngest {
  #with: Ingesting;
  #count = 0;
  readonly #bySocket = new Map<string, Connection>();
  readonly #byTuple = new Map<string, Connection>();
  readonly #listeners = new Map<number, Entity>();
  /** Sockets that are looked at now and then, by what they are and their inode. */
  readonly #polled = new Map<string, Connection>();
  /** Listening sockets that were told, by transport, address and port. */
  readonly #listening = new Map<string, Connection>();
  /** What is sent by UDP, by process and far end, the one that was silent for longest first. */
  readonly #flows = new Map<string, Flow>();
  /** Of `#polled`: what has not been told again since we came back. */
  #doubted: { keys: Set<string>; until: BootNs } | undefined;

  constructor(ingesting: Ingesting) {
    this.#with = ingesting;
  }

  found(socket: SocketFound, ts: BootNs): void {
    const owner = socket.pid === undefined ? undefined : this.#with.entities.get(socket.pid);
    if (listens(socket)) {
      if (socket.transport === "tcp" && owner) this.#listeners.set(socket.local.port, owner);
      this.#listener("baseline.listener", socket.transport, socket.local, owner, ts);
      return;
    }
    if (socket.state !== "ESTABLISHED" && socket.transport === "tcp") return;
    const listener = this.#listeners.get(socket.local.port);
    const connection = this.#open(listener ? "ingress" : "egress", socket.local, socket.remote, ts, owner, undefined, socket.transport);
    connection.established = true;
    this.#say(connection, "baseline.connection", ["connection", "info"], ts);
  }

  change(socket: SocketChange): void {
    const { ts, to, from, local, remote } = socket;
    if (to === "LISTEN") {
      const owner = socket.pid === undefined ? undefined : this.#with.entities.at(socket.pid, ts);
      if (owner) this.#listeners.set(local.port, owner);
      this.#listener("network.listen", "tcp", local, owner, ts);
      return;
    }
    if (from === "LISTEN") {
      this.#listeners.delete(local.port);
      const known = this.#listening.get(listenKey("tcp", local));
      if (known) this.#end(known, ts, "success");
      return;
    }
    if (to === "SYN_SENT") {
      const aimed = `${socket.pid} ${remote.ip} ${remote.port}`;
      if (this.#flows.get(aimed)?.connection === undefined) this.#flows.delete(aimed);
      const owner = socket.pid === undefined ? undefined : this.#with.entities.at(socket.pid, ts);
      const connection = this.#open("egress", local, remote, ts, owner, socket.sk);
      return this.#say(connection, "network.start", ["connection", "start"], ts);
    }
    const known = (socket.sk === undefined ? undefined : this.#bySocket.get(socket.sk)) ?? this.#byTuple.get(tuple(local, remote));
    if (to === "ESTABLISHED") {
      // An accepted connection changes from SYN_RECV in the softirq of whoever runs just then: its owner is the listener.
      const connection = known ?? this.#open("ingress", local, remote, ts, this.#listeners.get(local.port), socket.sk);
      if (local.port) this.#rename(connection, local, ts);
      connection.established = true;
      return this.#say(connection, "network.established", ["connection", "start"], ts);
    }
    if (to === "CLOSE" && known) this.#end(known, ts, known.established ? "success" : "failure");
  }

  /** A UDP, raw or packet socket came or went between two looks. */
  polled(socket: SocketPolled): void {
    const { ts, gone, transport, inode, local, remote } = socket;
    const key = `${transport} ${inode}`;
    if (gone) {
      const known = this.#polled.get(key);
      this.#polled.delete(key);
      if (known) this.#end(known, ts, "unknown");
      return;
    }
    this.#doubted?.keys.delete(key);
    if (this.#polled.has(key) || this.#polled.size >= MOST_POLLED) return;
    const owner = socket.pid === undefined ? undefined : this.#with.entities.at(socket.pid, ts);
    if (remote.ip === "0.0.0.0" || remote.ip === "::") {
      // it waits for whoever comes
      this.#polled.set(key, this.#listener("network.listen", transport, local, owner, ts));
      return;
    }
    const sent = `${socket.pid} ${remote.ip} ${remote.port}`;
    const flow = transport === "udp" ? this.#flows.get(sent) : undefined;
    this.#flows.delete(sent); // from now on it lasts as long as its socket
    const connection = flow ? this.#tellFlow(flow) : this.#open("egress", local, remote, ts, owner, undefined, transport);
    this.#rename(connection, local, ts);
    connection.established = true;
    this.#polled.set(key, connection);
    this.#say(connection, "network.established", ["connection", "start"], ts);
  }

  /** What a connection has carried so far. */
  carried({ ts, local, remote, sent, received, rttUs }: Extract<Observation, { kind: "socket-carried" }>): void {
    const known = this.#byTuple.get(tuple(local, remote));
    if (!known) return; // it has ended meanwhile
    known.carried = { sent, received, rttUs };
    this.#say(known, "network.info", ["connection", "info"], ts);
  }

  /**
   * A UDP socket is connected, or sends. The kernel asks for the way there more than once: what goes to one far end is told once, and a
   * moment later, since a name that is looked up aims such a socket at each of its addresses and sends nothing (getaddrinfo(3), RFC 6724):
   * then TCP goes to the same end, or, on the host itself, only TCP is listened to there.
   */
  datagram({ ts, pid, local, remote }: Datagram): void {
    const key = `${pid} ${remote.ip} ${remote.port}`;
    const known = this.#flows.get(key);
    if (known) {
      known.last = Math.max(known.last, ts);
      this.#flows.delete(key);
      this.#flows.set(key, known);
      return;
    }
    if (isLoopback(remote.ip) && this.#listens("tcp", remote.port) && !this.#listens("udp", remote.port)) return;
    if (this.#flows.size >= MOST_FLOWS) this.#silent(Number.POSITIVE_INFINITY, 1);
    this.#flows.set(key, { first: { ts, local, remote, owner: this.#with.entities.at(pid, ts) }, last: ts });
  }

  #listens(transport: Transport, port: number): boolean {
    return ["0.0.0.0", "::", "127.0.0.1", "::1"].some((ip) => this.#listening.has(listenKey(transport, { ip, port })));
  }

  /** Tells that it began, if it was not told yet. */
  #tellFlow(flow: Flow): Connection {
    if (flow.connection) return flow.connection;
    const { ts, local, remote, owner } = flow.first;
    flow.connection = this.#open("egress", local, remote, ts, owner, undefined, "udp");
    this.#say(flow.connection, "network.start", ["connection", "start"], ts);
    return flow.connection;
  }

  /** Ends what was last heard of before `ts`, at most so many. UDP says no farewell. */
  #silent(ts: BootNs, most = Number.POSITIVE_INFINITY): void {
    for (const [key, flow] of this.#flows) {
      if (flow.last >= ts || most-- <= 0) return;
      this.#flows.delete(key);
      this.#end(this.#tellFlow(flow), flow.last, "unknown");
    }
  }

  /** Time has passed: silent flows have ended, and so has what was looked at before a time away and was not told again since. */
  settle(ts: BootNs): void {
    for (const flow of this.#flows.values()) if (flow.first.ts < ts - PROBE_NS) this.#tellFlow(flow);
    this.#silent(ts - FLOW_SILENCE_NS);
    if (!this.#doubted || ts < this.#doubted.until) return;
    const { keys } = this.#doubted;
    this.#doubted = undefined;
    for (const key of keys) {
      const known = this.#polled.get(key);
      this.#polled.delete(key);
      if (known) this.#end(known, ts, "unknown", WHILE_AWAY);
    }
  }

  /**
   * All sockets that are there after a time away: what is missing has ended, what is new is told. Sockets of the kernel have new names
   * from here on, and raw and packet sockets are told again one by one.
   */
  cameBack(sockets: readonly SocketFound[], ts: BootNs): { ended: number; found: number } {
    const open = sockets.filter(({ state }) => state !== "CLOSE" && state !== "TIME_WAIT");
    const there = new Set(
      open.map((socket) =>
        listens(socket) ? listenKey(socket.transport, socket.local) : `${socket.transport} ${tuple(socket.local, socket.remote)}`,
      ),
    );
    const gone: Connection[] = [];
    for (const known of new Set([...this.#bySocket.values(), ...this.#byTuple.values(), ...this.#listening.values()])) {
      if (known.transport !== "tcp" && known.transport !== "udp") continue;
      const key = this.#listening.get(listenKey(known.transport, known.local)) === known ? listenKey(known.transport, known.local) : "";
      if (!there.has(key || `${known.transport} ${tuple(known.local, known.remote)}`)) gone.push(known);
    }
    this.#bySocket.clear();
    this.#flows.clear(); // those without a socket are among the gone
    const lost = new Set(gone);
    for (const [key, known] of this.#polled) if (lost.has(known)) this.#polled.delete(key);
    for (const known of gone) this.#end(known, ts, "unknown", WHILE_AWAY);
    const doubtful = [...this.#polled].filter(([, { transport }]) => transport === "raw" || transport === "packet");
    this.#doubted = { keys: new Set(doubtful.map(([key]) => key)), until: ts + TOLD_AGAIN_NS };
    let found = 0;
    for (const socket of [...open.filter(listens), ...open.filter((one) => !listens(one))]) {
      const owner = socket.pid === undefined ? undefined : this.#with.entities.get(socket.pid);
      if (listens(socket)) {
        if (socket.transport === "tcp" && owner) this.#listeners.set(socket.local.port, owner);
        if (this.#listening.has(listenKey(socket.transport, socket.local))) continue;
        this.#listener("network.listen", socket.transport, socket.local, owner, ts, FOUND_AGAIN);
      } else {
        if (socket.transport === "tcp" && socket.state !== "ESTABLISHED") continue;
        if (this.#byTuple.has(tuple(socket.local, socket.remote))) continue;
        const direction = this.#listeners.has(socket.local.port) ? "ingress" : "egress";
        const connection = this.#open(direction, socket.local, socket.remote, ts, owner, undefined, socket.transport);
        connection.established = true;
        this.#say(connection, "network.established", ["connection", "start"], ts, { reason: FOUND_AGAIN });
      }
      found += 1;
    }
    return { ended: gone.length, found };
  }

  /** The host was started anew: nothing of before is open. @returns how many were */
  rebooted(ts: BootNs, reason: string): number {
    const open = [this.#bySocket, this.#byTuple, this.#listening, this.#polled].flatMap((map) => [...map.values()]);
    const all = new Set(open);
    for (const known of all) this.#end(known, ts, "unknown", reason);
    for (const map of [this.#bySocket, this.#byTuple, this.#listening, this.#polled, this.#listeners, this.#flows]) map.clear();
    this.#doubted = undefined;
    return all.size;
  }

  /** From here on what is told is of another boot; connections go on being numbered. */
  goOn(ingesting: Ingesting): void {
    this.#with = ingesting;
  }

  /** `reason`: why nobody saw it end. */
  #end(known: Connection, ts: BootNs, outcome: "success" | "failure" | "unknown", reason?: string): void {
    this.#close(known);
    const duration = Math.max(0, Math.round(ts - known.start));
    this.#say(known, "network.end", ["connection", "end"], ts, { outcome, duration, ...(reason === undefined ? {} : { reason }) });
  }

  /** The per-connection sshd has this socket: the connection is the login's, no longer the listener's. */
  handOver(owner: Entity, local: SocketAddress, remote: SocketAddress): string | undefined {
    const connection = this.#byTuple.get(tuple(local, remote));
    if (!connection) return undefined;
    connection.owner = owner;
    return connection.id;
  }

  #open(
    direction: Connection["direction"],
    local: SocketAddress,
    remote: SocketAddress,
    start: BootNs,
    owner?: Entity,
    sk?: string,
    transport: Transport = "tcp",
  ): Connection {
    const connection: Connection = { id: `c${++this.#count}`, transport, direction, local, remote, start, established: false };
    if (owner) connection.owner = owner;
    if (sk !== undefined) {
      this.#lost(this.#bySocket.get(sk), start); // the kernel has given the socket's memory to another
      connection.sk = sk;
      this.#bySocket.set(sk, connection);
    }
    this.#placed(connection, start);
    return connection;
  }

  /** It is between these two ends from now on, and of TCP nothing else is: but before a port was chosen, and where each container has its own. */
  #placed(connection: Connection, ts: BootNs): void {
    const { transport, local, remote } = connection;
    const key = tuple(local, remote);
    const before = this.#byTuple.get(key);
    const alone = transport === "tcp" && local.port !== 0 && !isLoopback(local.ip);
    if (alone && before !== connection && before?.transport === "tcp") this.#lost(before, ts);
    this.#byTuple.set(key, connection);
  }

  /** The kernel's word that it ended was lost: it would stand as open for good. */
  #lost(stale: Connection | undefined, ts: BootNs): void {
    if (stale) this.#end(stale, ts, "unknown", "it had ended when another took its place: its end was lost");
  }

  #rename(connection: Connection, local: SocketAddress, ts: BootNs): void {
    const old = tuple(connection.local, connection.remote);
    if (this.#byTuple.get(old) === connection) this.#byTuple.delete(old);
    connection.local = local;
    this.#placed(connection, ts);
  }

  #close(connection: Connection): void {
    if (connection.sk !== undefined && this.#bySocket.get(connection.sk) === connection) this.#bySocket.delete(connection.sk);
    const key = tuple(connection.local, connection.remote);
    if (this.#byTuple.get(key) === connection) this.#byTuple.delete(key);
    const place = listenKey(connection.transport, connection.local);
    if (this.#listening.get(place) === connection) this.#listening.delete(place);
  }

  #listener(
    action: "network.listen" | "baseline.listener",
    transport: Transport,
    local: SocketAddress,
    owner: Entity | undefined,
    ts: BootNs,
    reason?: string,
  ): Connection {
    const id = `c${++this.#count}`;
    const listening: Connection = {
      id,
      transport,
      direction: "ingress",
      local,
      remote: local,
      start: ts,
      established: true,
      ...(owner ? { owner } : {}),
    };
    if (this.#listening.size < MOST_POLLED) this.#listening.set(listenKey(transport, local), listening);
    if (owner) this.#with.tell(owner);
    this.#with.emit({
      "@timestamp": this.#with.clock.iso(ts),
      event: { action, category: ["network"], type: ["info"], ...(reason === undefined ? {} : { reason }) },
      network: { transport, direction: "ingress", type: local.ip.includes(":") ? "ipv6" : "ipv4" },
      source: this.#with.enricher.endpoint(local.ip, local.port),
      ...(owner ? { process: processRef(owner) } : {}),
      stakeout: { ...this.#with.sensor, connection: id, ...(owner ? {} : { unseen: { process: "raced" as const } }) },
    });
    return listening;
  }

  #say(
    connection: Connection,
    action: "network.start" | "network.established" | "network.info" | "network.end" | "baseline.connection",
    type: string[],
    ts: BootNs,
    extra: { outcome?: "success" | "failure" | "unknown"; duration?: number; reason?: string } = {},
  ): void {
    const { enricher, clock, sensor, emit, tell } = this.#with;
    const { owner, local, remote, direction, transport } = connection;
    if (owner) tell(owner);
    const { carried } = connection;
    const here = { ...enricher.endpoint(local.ip, local.port || undefined), ...(carried ? { bytes: carried.sent } : {}) };
    const there = { ...enricher.endpoint(remote.ip, remote.port), ...(carried ? { bytes: carried.received } : {}) };
    const unseen: Record<string, Unseen> = {};
    if (!owner) unseen["process"] = "raced";
    if (extra.reason !== undefined) unseen["@timestamp"] = "lost";
    if (!local.port) unseen[direction === "egress" ? "source.port" : "destination.port"] = "raced"; // chosen after the state has changed
    emit({
      "@timestamp": clock.iso(ts),
      event: { action, category: ["network"], type, ...extra },
      network: { transport, direction, type: remote.ip.includes(":") ? "ipv6" : "ipv4" },
      source: direction === "egress" ? here : there,
      destination: direction === "egress" ? there : here,
      ...(owner ? { process: processRef(owner) } : {}),
      stakeout: {
        ...sensor,
        connection: connection.id,
        ...(carried ? { rtt: carried.rttUs * 1000 } : {}),
        ...(Object.keys(unseen).length ? { unseen } : {}),
      },
    });
  }
}
