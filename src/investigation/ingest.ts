import type { Enricher } from "#analysis/enrich";
import type { EventDraft, Process, SensorReport, Unseen, User } from "#model/event";
import type { HostString } from "#model/host-string";
import type { BootNs, Observation, ProcFacts } from "#model/observation";
import type { PackageList } from "#model/package-list";
import type { SetUp } from "#model/past";
import { ClockMap } from "./clock-map.ts";
import { cameFromLogin, Entities, type Entity, isSshd, processRef } from "./entities.ts";
import { compareProcesses, type Returned } from "./ingest-away.ts";
import { parentsFirst } from "./ingest-baseline.ts";
import { type AskFileInfo, FileIngest, isPackagedPath } from "./ingest-files.ts";
import { HandsIngest } from "./ingest-hands.ts";
import { FOUND_AGAIN, type Ingesting, NetworkIngest, WHILE_AWAY } from "./ingest-network.ts";
import { type AskOwner, OwnerIngest } from "./ingest-owners.ts";
import { absolute, device, startDraft } from "./ingest-process.ts";
import { SensorIngest } from "./ingest-sensor.ts";
import { UnixIngest } from "./ingest-unix.ts";
import { Origins } from "./origins.ts";
import { Timeline } from "./timeline.ts";

type Of<K extends Observation["kind"]> = Extract<Observation, { kind: K }>;

/** A fork that nothing followed is told after this long on the host's clock. */
const SILENT_FORK_NS = 250e6;
const REMEMBER_DEAD_NS = 5e9;
const MOST_CONTAINERS = 10_000;
/** Of each kind in the first snapshot: no host has more, and a hostile one must not fill our memory. */
const MOST_FOUND = 200_000;
const keep = <T>(found: T[], one: T): void => {
  if (found.length < MOST_FOUND) found.push(one);
};

interface Snapshot {
  processes: Of<"process">[];
  sockets: Of<"socket-found">[];
  peers: Of<"login-peer">[];
  secrets: Of<"secret">[];
  cgroups: (Of<"cgroup"> | Of<"pid-inside">)[];
  /** Ends of what we did not know yet: it may be listed all the same. */
  exits: { pid: number; ts: BootNs }[];
}
const emptySnapshot = (): Snapshot => ({ processes: [], sockets: [], peers: [], secrets: [], cgroups: [], exits: [] });

export interface IngestOptions {
  enricher: Enricher;
  emit: (draft: EventDraft) => void;
  askFileInfo: AskFileInfo;
  /** Left out where nobody can be asked. */
  askOwner?: AskOwner | undefined;
  /** What the distribution ships, from a place that the host could not edit. */
  packages?: PackageList | undefined;
  /** True for a connection that the console itself made, by the source address and port that the host sees. */
  isOurs: (peer: { ip: string; port: number }) => boolean;
  /** The host's identity, as soon as it is known and before the first event of it. */
  onHost: (host: { id: string; name: HostString }) => void;
  /** `pid` serves the login, `first` is the first process of whoever came in. */
  onLogin?: (login: { id: string; ours: boolean; pid: number; first: number }) => void;
  /** A file changed in one of the folders that are watched. */
  onWritten?: (path: HostString) => void;
  /** After a time away, once all that is there has been compared with what was there. */
  onReturned?: (returned: Returned) => void;
}

/**
 * Observations in, drafts of events out, in the order of the host's clock. It knows which process has a pid just now and where each
 * came from; it reads no clock and sets no timer, so the same observations give the same events.
 */
export class Ingest {
  readonly #options: IngestOptions;
  #clock = new ClockMap();
  readonly #users = new Map<number, HostString>();
  #hello: Of<"hello"> | undefined;
  #tampered = false;
  #ingesting: Ingesting | undefined;
  #network: NetworkIngest | undefined;
  #files: FileIngest | undefined;
  #hands: HandsIngest | undefined;
  #owners: OwnerIngest | undefined;
  #unix: UnixIngest | undefined;
  /** What the host's files call its containers, by id. */
  readonly #containers = new Map<string, Of<"container">>();
  #snapshot: Snapshot | undefined;
  readonly #silent = new Set<Entity>();
  /** Per-connection sshds by entity_id, and whether the login that each carries has been told. */
  readonly #logins = new Map<string, { root: Entity; told: boolean }>();
  #time = new Timeline();
  /** The first snapshot has been told. */
  #complete = false;
  /** The next hello is that of a sensor which takes the place of the one before. */
  #expected = false;
  /** What to tell once the snapshot after a time away is there. */
  #returning: { since: BootNs; rebooted: Returned | undefined } | undefined;
  #sensor: SensorIngest | undefined;
  #origins: Origins | undefined;
  /** Processes that were listed again after the tier changed; who is not among them has ended unseen. */
  #again: { since: BootNs; pids: Set<number> } | undefined;
  #prunedAt = 0;

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  get report(): SensorReport {
    return this.#sensor?.report ?? {};
  }

  /** The host's clock minus ours in milliseconds, as the console finds it. */
  set clockOffset(milliseconds: number) {
    if (this.#sensor) this.#sensor.report.clock_offset = Math.round(milliseconds);
  }

  /** How the host is set up was read: what cron runs can be told by its entry. */
  readEntries(setUp: readonly SetUp[]): void {
    this.#origins?.entries(setUp);
  }

  get #now(): BootNs {
    return this.#time.now;
  }

  observe(told: Observation): void {
    const observation = this.#time.place(told);
    const { kind } = observation;
    if (kind === "hello") {
      if (!this.#hello) return this.#begin(observation);
      return this.#expected ? this.#comeBack(observation) : this.#helloAgain();
    }
    if (kind === "clock") {
      if (this.#returning?.since === 0) this.#returning.since = observation.boot;
      return this.#clockTold(observation);
    }
    if (kind === "user") {
      if (this.#users.size < 100_000) this.#users.set(observation.uid, observation.name);
      return;
    }
    if (!this.#ingesting || !this.#network || !this.#files || !this.#sensor) return; // nothing counts before the hello
    if (this.#sensor.isCanary(observation)) return;
    if (kind === "unix-socket" || kind === "unix-end") return this.#unix?.observe(observation, this.#now);
    if (kind === "container") {
      if (this.#containers.size < MOST_CONTAINERS) this.#containers.set(observation.id, observation);
      return;
    }
    if (this.#snapshot) {
      if (kind === "process") return keep(this.#snapshot.processes, observation);
      if (kind === "socket-found") return keep(this.#snapshot.sockets, observation);
      if (kind === "cgroup" || kind === "pid-inside") return keep(this.#snapshot.cgroups, observation);
      if (kind === "login-peer") return keep(this.#snapshot.peers, observation);
      if (kind === "secret") return keep(this.#snapshot.secrets, observation);
      if (kind === "snapshot-end")
        return this.#complete && this.#returning && !this.#returning.rebooted ? this.#compare() : this.#baseline(observation);
    }
    if (kind === "fork") this.#fork(observation);
    else if (kind === "cgroup" || kind === "pid-inside") this.#placed(observation);
    else if (kind === "exec") this.#exec(observation);
    else if (kind === "exit") this.#exit(observation);
    else if (kind === "socket") this.#network.change(observation);
    else if (kind === "socket-found") this.#network.found(observation, this.#now);
    else if (kind === "socket-polled") this.#network.polled(observation);
    else if (kind === "socket-carried") this.#network.carried(observation);
    else if (kind === "datagram") this.#network.datagram(observation);
    else if (kind === "login-peer") this.#peer(observation);
    else if (kind === "file") {
      this.#files.change(observation);
      this.#owners?.changed(observation, this.#now);
    } else if (kind === "file-owner") this.#owners?.answer(observation, this.#now);
    else if (kind === "file-info") this.#files.info(observation, this.#now);
    else if (kind === "file-open" || kind === "process-access" || kind === "environment") this.#hands?.observe(observation);
    else if (kind === "secret") this.#hands?.secret(observation, this.#now);
    else if (kind === "process") this.#lateProcess(observation);
    else if (kind === "tick") this.#tick(observation);
    else if (kind === "canary") this.#canary(observation);
    else if (kind === "tier") {
      this.#again = { since: observation.ts, pids: new Set() };
      this.#sensor.tier(observation);
    } else if (kind === "snapshot-end") this.#listedAgain();
    else if (kind === "problem")
      this.#sensor.sense(observation.fatal ? "sensor.lost" : "sensor.degraded", this.#now, { reason: observation.what });
  }

  /** An analyst asked for the unix sockets: the next answer is his. */
  asksForSockets(analyst: string): void {
    this.#unix?.asked(analyst);
  }

  #canary(canary: Of<"canary">): void {
    this.#sensor?.sent(canary);
    const fork = this.#ingesting?.entities.get(canary.id);
    if (canary.what !== "program" || !fork?.silent || fork.parent?.pid !== this.#hello?.self) return;
    this.#silent.delete(fork); // its fork came first
    this.#ingesting?.entities.end(canary.id, canary.ts);
  }

  #clockTold({ boot, wallNs }: Of<"clock">): void {
    const jump = this.#clock.set(boot, wallNs);
    if (jump === 0) return;
    const [seconds, way] = [Math.abs(jump / 1000).toFixed(1), jump > 0 ? "forward" : "back"];
    this.#sensor?.sense("sensor.clock", boot, { reason: `the host's clock was set ${way} by ${seconds} s` });
  }

  #begin(hello: Of<"hello">): void {
    this.#hello = hello;
    this.#options.onHost({ id: hello.machineId || hello.bootId, name: hello.hostname });
    const ingesting: Ingesting = {
      entities: new Entities(hello.bootId),
      clock: this.#clock,
      enricher: this.#options.enricher,
      sensor: { sensor: "collector", tier: hello.tier },
      emit: this.#options.emit,
      tell: (entity) => this.#tell(entity),
      wrote: (change, writer) => {
        this.#origins?.wrote(change, writer);
        this.#options.onWritten?.(change.path);
      },
      cameIn: (root) => this.#logins.set(root.id, { root, told: false }),
    };
    this.#origins = new Origins(ingesting, (uid) => this.#user(uid), this.#origins);
    this.#ingesting = ingesting;
    this.#network = new NetworkIngest(ingesting);
    this.#files = new FileIngest(ingesting, this.#options.askFileInfo);
    this.#hands = new HandsIngest(ingesting, (uid) => this.#user(uid));
    this.#unix = new UnixIngest(ingesting);
    const { askOwner, packages } = this.#options;
    this.#owners = askOwner && new OwnerIngest(ingesting, askOwner, packages);
    this.#snapshot = emptySnapshot();
    this.#sensor = new SensorIngest(ingesting, hello);
  }

  /** A new sensor takes the place of the one before: its hello is to be believed, and what it finds compared with what we knew. */
  expectReturn(): void {
    this.#expected = true;
  }

  #comeBack(hello: Of<"hello">): void {
    const [before, with_] = [this.#hello, this.#ingesting];
    if (!before || !with_ || !this.#network || !this.#sensor) return;
    this.#expected = false;
    const { report } = this.#sensor;
    const rebooted = hello.bootId === before.bootId ? undefined : this.#rebooted({ before: before.bootId, now: hello.bootId });
    this.#time = new Timeline();
    this.#returning = { since: 0, rebooted };
    if (rebooted) {
      this.#clock = new ClockMap();
      const network = this.#network;
      this.#begin(hello);
      if (!this.#ingesting) return;
      network.goOn(this.#ingesting);
      this.#network = network;
      this.#sensor = new SensorIngest(this.#ingesting, hello, report);
      return;
    }
    this.#hello = hello;
    with_.sensor.tier = hello.tier;
    this.#again = undefined;
    this.#snapshot = emptySnapshot();
    this.#sensor = new SensorIngest(with_, hello, report);
  }

  /** Another boot: all that we knew of has ended, at a time that nobody saw. */
  #rebooted(boots: NonNullable<Returned["boots"]>): Returned {
    const now = this.#now;
    const reason = "the host was started anew while we were away";
    const connections = this.#network?.rebooted(now, reason) ?? 0;
    const entities = [...(this.#ingesting?.entities.values() ?? [])];
    for (const entity of entities) this.#end(entity, now, { "@timestamp": "lost" }, reason);
    this.#silent.clear();
    this.#logins.clear();
    return {
      rebooted: true,
      boots,
      processes: { ended: entities.length, found: 0, changed: 0 },
      connections: { ended: connections, found: 0 },
    };
  }

  /** The snapshot after a time away: what is missing has ended meanwhile, what is new is told with the time at which it began. */
  #compare(): void {
    const [snapshot, with_, returning] = [this.#snapshot, this.#ingesting, this.#returning];
    if (!snapshot || !with_ || !returning) return;
    this.#snapshot = this.#returning = undefined;
    this.#sensor?.sense("sensor.start", this.#now);
    const { ended, found, changed } = compareProcesses(with_.entities, parentsFirst(snapshot.processes), returning.since, this.#tickNs);
    for (const entity of ended) this.#end(entity, this.#now, { "@timestamp": "lost" }, WHILE_AWAY);
    for (const { pid, facts } of found) {
      const entity = with_.entities.add(pid, (facts.startTicks ?? 0) * this.#tickNs, with_.entities.get(facts.ppid ?? 0));
      this.#learn(entity, facts);
      this.#origins?.found(entity, facts);
    }
    for (const peer of snapshot.peers) this.#mark(peer);
    for (const { pid, facts } of found) {
      const entity = with_.entities.get(pid);
      if (!entity) continue;
      const above = entity.parent?.leader;
      if (above?.entry_meta.type === "sshd" && entity.leader?.entry_meta.type !== "sshd") entity.leader = above;
      if (!isSshd(entity)) this.#loginOf(entity, entity.start);
      this.#start(entity, facts, "process.start", entity.start, FOUND_AGAIN);
      this.#origins?.tellFound(entity, entity.start);
    }
    for (const { entity, facts } of changed) {
      this.#learn(entity, facts);
      this.#start(entity, facts, "process.start", this.#now, "it began to run another program while we were away");
    }
    const connections = this.#network?.cameBack(snapshot.sockets, this.#now) ?? { ended: 0, found: 0 };
    this.#endListed(snapshot);
    const processes = { ended: ended.length, found: found.length, changed: changed.length };
    this.#options.onReturned?.({ rebooted: false, processes, connections });
  }

  /** What was listed and had ended by the time the list was complete. */
  #endListed({ exits }: Snapshot): void {
    for (const { pid, ts } of exits) {
      const entity = this.#ingesting?.entities.get(pid);
      if (entity && entity.start <= ts) this.#end(entity, ts);
    }
  }

  get #tickNs(): number {
    return 1e9 / (this.#hello?.ticksPerSecond || 100);
  }

  /** A collector says hello once. One more would give new names to everything, and take off what tags stand on. */
  #helloAgain(): void {
    if (this.#tampered) return;
    this.#tampered = true;
    this.#sensor?.sense("sensor.tampered", this.#now, { reason: "the collector introduced itself a second time; it was not believed" });
  }

  #emit(draft: EventDraft): void {
    this.#options.emit(draft);
  }

  /** The first snapshot as a whole: parents before children, logins known before anything of theirs. */
  #baseline(end: Of<"snapshot-end">): void {
    const snapshot = this.#snapshot;
    const with_ = this.#ingesting;
    if (!snapshot || !with_ || !this.#hello) return;
    this.#snapshot = undefined;
    this.#sensor?.sense("sensor.start", this.#now);
    const tick = 1e9 / (this.#hello.ticksPerSecond || 100);
    const order = parentsFirst(snapshot.processes);
    for (const { pid, facts } of order) {
      const entity = with_.entities.add(pid, (facts.startTicks ?? 0) * tick, with_.entities.get(facts.ppid ?? 0));
      this.#learn(entity, facts);
      this.#origins?.found(entity, facts);
      if (entity.parent?.pid === 1 && entity.leader?.entry_meta.type !== "console" && cameFromLogin(facts))
        entity.leader = { entity_id: entity.id, entry_meta: { type: "unknown" } };
    }
    for (const cgroup of snapshot.cgroups) this.#placed(cgroup);
    for (const peer of snapshot.peers) this.#mark(peer);
    // A leader that a peer gave comes down to those who were listed before it was known.
    for (const { pid } of order) {
      const entity = with_.entities.get(pid);
      if (entity?.parent?.leader?.entry_meta.type === "sshd") entity.leader = entity.parent.leader;
    }
    for (const { pid, facts } of order) {
      const entity = with_.entities.get(pid);
      if (entity) this.#start(entity, facts, "baseline.process", entity.start);
    }
    for (const { pid } of order) {
      const entity = with_.entities.get(pid);
      if (entity && !isSshd(entity)) this.#loginOf(entity, entity.start);
      if (entity) this.#origins?.tellFound(entity, entity.start);
    }
    for (const socket of snapshot.sockets.filter(({ state }) => state === "LISTEN")) this.#network?.found(socket, this.#now);
    for (const socket of snapshot.sockets.filter(({ state }) => state !== "LISTEN")) this.#network?.found(socket, this.#now);
    for (const secret of snapshot.secrets) this.#hands?.secret(secret, this.#now);
    this.#endListed(snapshot);
    this.#settle(this.#now);
    this.#emit({
      "@timestamp": this.#clock.iso(this.#now),
      event: { action: "baseline.complete", category: ["host"], type: ["info"], duration: Math.round(end.milliseconds * 1e6) },
      stakeout: { ...with_.sensor, baseline: { processes: order.length, sockets: snapshot.sockets.length, users: this.#users.size } },
    });
    this.#complete = true;
    const returning = this.#returning;
    this.#returning = undefined;
    if (!returning) return;
    const ended = { processes: returning.rebooted?.processes.ended ?? 0, connections: returning.rebooted?.connections.ended ?? 0 };
    this.#options.onReturned?.({
      rebooted: returning.rebooted !== undefined,
      ...(returning.rebooted?.boots ? { boots: returning.rebooted.boots } : {}),
      processes: { ended: ended.processes, found: order.length, changed: 0 },
      connections: { ended: ended.connections, found: snapshot.sockets.length },
    });
  }

  #placed(told: Of<"cgroup"> | Of<"pid-inside">): void {
    const entity = this.#ingesting?.entities.get(told.pid);
    if (!entity) return;
    if (told.kind === "pid-inside") entity.inside = told.inside;
    else {
      entity.cgroup = told.path;
      delete entity.inside;
    }
  }

  #learn(entity: Entity, facts: ProcFacts, asked?: HostString): void {
    const executable = asked ?? facts.executable;
    if (executable !== undefined) entity.executable = executable;
    if (facts.executable !== undefined) entity.image = facts.executable;
    else if (asked !== undefined) delete entity.image; // raced: nobody knows
    if (facts.comm !== undefined) entity.name = facts.comm;
    else if (asked !== undefined) entity.name = asked.slice(asked.lastIndexOf("/") + 1, asked.lastIndexOf("/") + 16) as HostString;
    if (facts.uid !== undefined) entity.uid = facts.uid;
    if (facts.tty !== undefined) entity.tty = facts.tty;
  }

  #start(entity: Entity, facts: ProcFacts, action: "process.start" | "baseline.process", ts: BootNs, reason?: string): void {
    const with_ = this.#ingesting;
    if (!with_) return;
    if (facts.unseen?.["args"] === "raced") this.#sensor?.raced();
    this.#emit(startDraft(with_, entity, facts, { action, ts, user: this.#user(entity.uid), reason, containers: this.#containers }));
    if (entity.executable?.startsWith("/") && !isPackagedPath(entity.executable)) this.#files?.executed(entity.executable, entity.pid);
    this.#owners?.executed(entity, this.#now);
  }

  #user(uid: number | undefined): User | undefined {
    if (uid === undefined) return undefined;
    const name = this.#users.get(uid);
    return { id: String(uid), ...(name === undefined ? {} : { name }) };
  }

  #fork({ ts, parent: parentPid, pid }: Of<"fork">): void {
    const with_ = this.#ingesting;
    if (!with_) return;
    const known = with_.entities.get(pid);
    const tick = 1e9 / (this.#hello?.ticksPerSecond || 100);
    if (known && Math.abs(known.start - ts) <= 2 * tick) return; // in the snapshot already: one process, seen twice
    const parent = with_.entities.get(parentPid);
    if (parent) this.#tell(parent);
    const entity = this.#add(pid, ts, parent);
    if (!entity) return;
    entity.silent = true;
    this.#silent.add(entity);
    this.#settle(ts);
  }

  /** What waited for a process to be known. */
  #settle(now: BootNs): void {
    this.#files?.settle(now);
    this.#hands?.settle(now);
  }

  /** Puts a fork into the log that was kept back. */
  #tell(entity: Entity): void {
    if (!entity.silent || !this.#ingesting) return;
    entity.silent = false;
    this.#silent.delete(entity);
    if (entity.parent) this.#tell(entity.parent);
    const process: Process = { ...processRef(entity), start: this.#clock.iso(entity.start) };
    if (entity.parent) process.parent = { entity_id: entity.parent.id, pid: entity.parent.pid };
    const user = this.#user(entity.uid);
    this.#emit({
      "@timestamp": this.#clock.iso(entity.start),
      event: { action: "process.fork", category: ["process"], type: ["start"] },
      process,
      ...(user ? { user } : {}),
      stakeout: this.#ingesting.sensor,
    });
  }

  #exec({ ts, pid, path, facts }: Of<"exec">): void {
    const with_ = this.#ingesting;
    if (!with_) return;
    const tick = 1e9 / (this.#hello?.ticksPerSecond || 100);
    const started = facts.startTicks === undefined ? undefined : facts.startTicks * tick;
    let entity = with_.entities.get(pid);
    // Younger than what we know of this pid: its end and the next one's fork were lost. It must not inherit a dead one's login and tag.
    if (!entity || (started !== undefined && started > entity.start + 2 * tick))
      entity = this.#add(pid, started ?? ts, with_.entities.get(facts.ppid ?? 0));
    if (!entity) return;
    entity.silent = false;
    this.#silent.delete(entity);
    if (entity.parent) this.#tell(entity.parent);
    const before = entity.executable;
    this.#learn(entity, facts, path === "" ? undefined : absolute(path, facts));
    this.#origins?.exec(entity, before, facts, ts);
    if (!isSshd(entity)) this.#loginOf(entity, ts);
    this.#start(entity, facts, "process.start", ts);
    this.#settle(ts);
  }

  /** Follows a process that is new at `pid`. One that had the pid before has ended, and its end was lost: that is told, too. */
  #add(pid: number, start: BootNs, parent: Entity | undefined): Entity | undefined {
    const with_ = this.#ingesting;
    const before = with_?.entities.get(pid);
    if (before) this.#end(before, Math.max(start, before.start), { "@timestamp": "lost" });
    return with_?.entities.add(pid, start, parent);
  }

  #exit({ ts, pid }: Of<"exit">): void {
    const entity = this.#ingesting?.entities.get(pid);
    if (entity) this.#end(entity, ts);
    else if (this.#snapshot) keep(this.#snapshot.exits, { pid, ts });
  }

  #end(entity: Entity, ts: BootNs, unseen?: Record<string, Unseen>, reason?: string): void {
    const with_ = this.#ingesting;
    if (!with_) return;
    this.#tell(entity);
    with_.entities.end(entity.pid, ts);
    this.#emit({
      "@timestamp": this.#clock.iso(ts),
      event: {
        action: "process.end",
        category: ["process"],
        type: ["end"],
        duration: Math.max(0, Math.round(ts - entity.start)),
        ...(reason === undefined ? {} : { reason }),
      },
      process: processRef(entity),
      stakeout: { ...with_.sensor, ...(unseen ? { unseen } : {}) },
    });
    const login = this.#logins.get(entity.id);
    this.#logins.delete(entity.id);
    if (login?.told)
      this.#emit({
        "@timestamp": this.#clock.iso(ts),
        event: {
          action: "login.end",
          category: ["authentication", "session"],
          type: ["end"],
          duration: Math.max(0, Math.round(ts - entity.start)),
        },
        process: processRef(entity),
        ...(entity.leader?.entry_meta.source ? { source: entity.leader.entry_meta.source } : {}),
        stakeout: with_.sensor,
      });
  }

  /** A process that the collector found only now (it joined by setns, or its fork was lost). */
  #lateProcess({ pid, facts }: Of<"process">): void {
    const with_ = this.#ingesting;
    this.#again?.pids.add(pid);
    if (!with_ || with_.entities.get(pid)) return;
    const tick = 1e9 / (this.#hello?.ticksPerSecond || 100);
    const entity = with_.entities.add(pid, (facts.startTicks ?? 0) * tick, with_.entities.get(facts.ppid ?? 0));
    this.#learn(entity, facts);
    this.#start(entity, facts, "process.start", this.#now);
  }

  /** After a change of tier all processes were listed: who is missing has ended, and nobody saw when. */
  #listedAgain(): void {
    const again = this.#again;
    this.#again = undefined;
    if (!again || again.pids.size === 0) return;
    for (const entity of [...(this.#ingesting?.entities.values() ?? [])])
      if (entity.start < again.since && !again.pids.has(entity.pid)) this.#end(entity, this.#now, { "@timestamp": "lost" });
  }

  /** Makes the per-connection sshd the leader of what comes from it. False when something above it is one already. */
  #mark({ pid, remote, ts }: Of<"login-peer">): Entity | undefined {
    const with_ = this.#ingesting;
    const entity = with_?.entities.at(pid, ts);
    if (!with_ || !entity || entity.leader?.entry_meta.type === "sshd") return undefined;
    entity.leader = { entity_id: entity.id, entry_meta: { type: "sshd", source: with_.enricher.endpoint(remote.ip, remote.port) } };
    this.#logins.set(entity.id, { root: entity, told: false });
    return entity;
  }

  #peer(peer: Of<"login-peer">): void {
    const entity = this.#mark(peer);
    const with_ = this.#ingesting;
    if (!entity || !with_) return;
    this.#tell(entity);
    const connection = this.#network?.handOver(entity, peer.local, peer.remote);
    if (connection === undefined) return;
    this.#emit({
      "@timestamp": this.#clock.iso(peer.ts),
      event: { action: "login.attributed", category: ["session"], type: ["info"], outcome: "unknown" },
      process: processRef(entity),
      ...(entity.leader?.entry_meta.source ? { source: entity.leader.entry_meta.source } : {}),
      stakeout: { ...with_.sensor, connection },
    });
  }

  /** Tells the login of a process when this is the first of it that is not sshd's own: by that the authentication has succeeded. */
  #loginOf(entity: Entity, ts: BootNs): void {
    const with_ = this.#ingesting;
    if (!with_ || !entity.leader || (entity.leader.entry_meta.type !== "sshd" && entity.leader.entry_meta.type !== "console")) return;
    const login = this.#logins.get(entity.leader.entity_id);
    if (!login || login.told || login.root === entity) return;
    login.told = true;
    const { root } = login;
    const source = root.leader?.entry_meta.source;
    const ours =
      root.pid === this.#hello?.sshd || (source?.port !== undefined && this.#options.isOurs({ ip: source.ip, port: source.port }));
    const user = this.#user(entity.uid);
    this.#emit({
      "@timestamp": this.#clock.iso(ts),
      event: { action: "login.start", category: ["authentication", "session"], type: ["start"], outcome: "success" },
      process: {
        ...processRef(root),
        start: this.#clock.iso(root.start),
        ...(entity.tty ? { tty: { char_device: device(entity.tty) } } : {}),
      },
      ...(user ? { user } : {}),
      ...(source ? { source } : {}),
      stakeout: {
        ...with_.sensor,
        ...(ours ? { ours: true } : {}),
        ...(source || entity.leader.entry_meta.type === "console" ? {} : { unseen: { source: "raced" as const } }),
      },
    });
    this.#options.onLogin?.({ id: root.id, ours, pid: root.pid, first: entity.pid });
  }

  #tick(tick: Of<"tick">): void {
    this.#settle(tick.ts);
    this.#network?.settle(tick.ts);
    for (const entity of this.#silent) {
      if (tick.ts - entity.start < SILENT_FORK_NS) break; // in the order of their forks
      this.#tell(entity);
    }
    this.#sensor?.tick(tick, this.#time.lastSeen);
    if (tick.ts - this.#prunedAt > REMEMBER_DEAD_NS) {
      this.#ingesting?.entities.prune(tick.ts - REMEMBER_DEAD_NS);
      this.#prunedAt = tick.ts;
    }
  }
}
