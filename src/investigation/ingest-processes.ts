import type { Process, User } from "#model/event";
import type { HostString } from "#model/host-string";
import type { BootNs, Observation, ProcFacts, Unseen } from "#model/observation";
import { type Entity, inContainer, isSshd, processRef } from "./entities.ts";
import { type FileIngest, isPackagedPath } from "./ingest-files.ts";
import type { HandsIngest } from "./ingest-hands.ts";
import type { LoginIngest } from "./ingest-logins.ts";
import type { Ingesting } from "./ingest-network.ts";
import type { OwnerIngest } from "./ingest-owners.ts";
import type { Origins } from "./origins.ts";
import type { Snapshot } from "./snapshot.ts";
import { absolute, type Containers, scriptRun, startDraft } from "./start-draft.ts";

type Of<K extends Observation["kind"]> = Extract<Observation, { kind: K }>;
type Placed = Of<"cgroup"> | Of<"pid-inside">;

/** A fork that nothing followed is told after this long on the host's clock. */
const SILENT_FORK_NS = 250e6;
const REMEMBER_DEAD_NS = 5e9;

/** Asked for by whoever starts itself anew, as busybox for each of its programs: where that leads is what it was. */
const SELF = "/proc/self/exe";

/** Who else is to hear of a process, and what is known of its account and container. */
interface Around {
  user: (uid: number | undefined) => User | undefined;
  containers: Containers;
  files: FileIngest;
  hands: HandsIngest;
  logins: LoginIngest;
  origins: Origins;
  owners: OwnerIngest | undefined;
  /** The arguments of a program were gone before they could be read. */
  raced: () => void;
}

/** Processes from their fork to their end. A fork is kept back for a moment: the exec that mostly follows tells all of it. */
export class ProcessIngest {
  readonly #with: Ingesting;
  readonly #around: Around;
  readonly #silent = new Set<Entity>();
  /** Nanoseconds that a start time of /proc is exact to. */
  #tickNs: number;
  /** Processes that were listed again after the tier changed; who is not among them has ended unseen. */
  #again: { since: BootNs; pids: Set<number> } | undefined;
  /** Where a process is that is not known yet: it is told right behind. */
  #ahead: Placed[] = [];
  #prunedAt = 0;

  constructor(ingesting: Ingesting, around: Around, hello: Of<"hello">) {
    this.#with = ingesting;
    this.#around = around;
    this.#tickNs = tickOf(hello);
  }

  get tickNs(): number {
    return this.#tickNs;
  }

  /** Another sensor looks at the same boot: what the one before had begun to list is void. */
  goOn(hello: Of<"hello">): void {
    this.#tickNs = tickOf(hello);
    this.#again = undefined;
  }

  fork({ ts, parent: parentPid, pid }: Of<"fork">): void {
    const { entities } = this.#with;
    const known = entities.get(pid);
    if (known && Math.abs(known.start - ts) <= 2 * this.#tickNs) return; // in the snapshot already: one process, seen twice
    const parent = entities.get(parentPid);
    if (parent) this.tell(parent);
    const entity = this.#add(pid, ts, parent);
    entity.silent = true;
    this.#silent.add(entity);
    this.settle(ts);
  }

  exec({ ts, pid, path, facts }: Of<"exec">, now: BootNs): void {
    const { entities } = this.#with;
    const { logins, origins } = this.#around;
    const started = facts.startTicks === undefined ? undefined : facts.startTicks * this.#tickNs;
    let entity = entities.get(pid);
    // Younger than what we know of this pid: its end and the next one's fork were lost. It must not inherit a dead one's login and tag.
    if (!entity || (started !== undefined && started > entity.start + 2 * this.#tickNs)) {
      entity = this.#add(pid, started ?? ts, entities.get(facts.ppid ?? 0));
      this.#putInPlace(entity);
    }
    this.#heard(entity);
    if (entity.parent) this.tell(entity.parent);
    const before = entity.executable;
    const itself = path === SELF && facts.executable === undefined ? entity.image : undefined;
    const asked = itself ?? path;
    this.learn(entity, facts, asked === "" ? undefined : absolute(asked, facts));
    if (itself !== undefined) entity.image = itself;
    origins.exec(entity, before, facts, ts);
    if (!isSshd(entity)) logins.of(entity, ts);
    this.start(entity, facts, "process.start", ts, now);
    this.settle(ts);
  }

  /** False where nobody knew of it. */
  exit({ ts, pid }: Of<"exit">): boolean {
    const entity = this.#with.entities.get(pid);
    if (entity) this.end(entity, ts);
    return entity !== undefined;
  }

  /** A process that was listed: it was there before. Its leader is settled once all of them are known. */
  found({ pid, facts }: Of<"process">): Entity {
    const { entities } = this.#with;
    const entity = entities.add(pid, (facts.startTicks ?? 0) * this.#tickNs, entities.get(facts.ppid ?? 0));
    this.learn(entity, facts);
    return entity;
  }

  /** A process that the collector found only now (it joined by setns, or its fork was lost). */
  late(process: Of<"process">, now: BootNs): void {
    this.#again?.pids.add(process.pid);
    if (this.#with.entities.get(process.pid)) return;
    const entity = this.found(process);
    this.#putInPlace(entity);
    this.start(entity, process.facts, "process.start", now, now);
  }

  /** The tier has changed: all processes are listed once more. */
  listAgain(since: BootNs): void {
    this.#again = { since, pids: new Set() };
  }

  /** They were: who is missing has ended, and nobody saw when. */
  listedAgain(now: BootNs): void {
    const again = this.#again;
    this.#again = undefined;
    if (!again || again.pids.size === 0) return;
    for (const entity of [...this.#with.entities.values()])
      if (entity.start < again.since && !again.pids.has(entity.pid)) this.end(entity, now, { "@timestamp": "lost" });
  }

  /** The cgroup that it was put in, or its pid inside of a container. */
  placed(told: Placed): void {
    const entity = this.#with.entities.get(told.pid);
    if (!entity) {
      if (this.#ahead[0]?.pid !== told.pid) this.#ahead = [];
      if (this.#ahead.length < 2) this.#ahead.push(told); // one of each
    } else if (told.kind === "pid-inside") entity.inside = told.inside;
    else {
      entity.cgroup = told.path;
      delete entity.inside;
    }
  }

  /** What was read of it. `asked`: the path that an exec named, which may not be where it led. */
  learn(entity: Entity, facts: ProcFacts, asked?: HostString): void {
    const executable = asked ?? facts.executable;
    if (executable !== undefined) entity.executable = executable;
    if (facts.executable !== undefined) entity.image = facts.executable;
    else if (asked !== undefined) delete entity.image; // raced: nobody knows
    if (facts.comm !== undefined) entity.name = facts.comm;
    else if (asked !== undefined) entity.name = asked.slice(asked.lastIndexOf("/") + 1, asked.lastIndexOf("/") + 16) as HostString;
    if (facts.uid !== undefined) entity.uid = facts.uid;
    if (facts.tty !== undefined) entity.tty = facts.tty;
  }

  /** Tells that it runs a program, and has looked after what is new about that. `ts`: since when; `now`: how far the host's clock has come. */
  start(entity: Entity, facts: ProcFacts, action: "process.start" | "baseline.process", ts: BootNs, now: BootNs, reason?: string): void {
    const { user, containers, files, owners, raced } = this.#around;
    const args = facts.unseen?.["args"];
    if (args === "raced" || args === "lost") raced();
    this.#with.emit(startDraft(this.#with, entity, facts, { action, ts, user: user(entity.uid), reason, containers }));
    if (entity.executable?.startsWith("/") && !isPackagedPath(entity.executable)) files.executed(entity.executable, entity.pid, now);
    const script = scriptRun(entity, facts);
    if (script !== undefined && !inContainer(entity)) files.executed(script, 0, now); // /proc/PID/exe is what interprets it
    owners?.executed(entity, now);
  }

  /** Puts a fork into the log that was kept back. */
  tell(entity: Entity): void {
    if (!entity.silent) return;
    this.#heard(entity);
    if (entity.parent) this.tell(entity.parent);
    const { clock, emit, sensor } = this.#with;
    const process: Process = { ...processRef(entity), start: clock.iso(entity.start) };
    if (entity.parent) process.parent = { entity_id: entity.parent.id, pid: entity.parent.pid };
    const user = this.#around.user(entity.uid);
    emit({
      "@timestamp": clock.iso(entity.start),
      event: { action: "process.fork", category: ["process"], type: ["start"] },
      process,
      ...(user ? { user } : {}),
      stakeout: sensor,
    });
  }

  end(entity: Entity, ts: BootNs, unseen?: Record<string, Unseen>, reason?: string): void {
    this.tell(entity);
    const { entities, clock, emit, sensor } = this.#with;
    entities.end(entity.pid, ts);
    emit({
      "@timestamp": clock.iso(ts),
      event: {
        action: "process.end",
        category: ["process"],
        type: ["end"],
        duration: Math.max(0, Math.round(ts - entity.start)),
        ...(reason === undefined ? {} : { reason }),
      },
      process: processRef(entity),
      stakeout: { ...sensor, ...(unseen ? { unseen } : {}) },
    });
    this.#around.logins.ended(entity, ts);
  }

  /** What was listed and had ended by the time the list was complete. */
  endListed(exits: Snapshot["exits"]): void {
    for (const { pid, ts } of exits) {
      const entity = this.#with.entities.get(pid);
      if (entity && entity.start <= ts) this.end(entity, ts);
    }
  }

  /** All of them have ended, and nobody saw when. @returns how many there were */
  endAll(now: BootNs, reason: string): number {
    const all = [...this.#with.entities.values()];
    for (const entity of all) this.end(entity, now, { "@timestamp": "lost" }, reason);
    return all.length;
  }

  /** A fork by `parent` that was kept back turned out to be a test of our own: it was nobody's, and has ended. */
  disown(pid: number, parent: number, ts: BootNs): void {
    const { entities } = this.#with;
    const fork = entities.get(pid);
    if (!fork?.silent || fork.parent?.pid !== parent) return;
    this.#silent.delete(fork);
    entities.end(pid, ts);
  }

  /** What waited for a process to be known. */
  settle(now: BootNs): void {
    const { files, hands } = this.#around;
    files.settle(now);
    hands.settle(now);
  }

  /** A second has passed: what was kept back long enough is told, what ended long ago forgotten. */
  tick(now: BootNs): void {
    for (const entity of this.#silent) {
      if (now - entity.start < SILENT_FORK_NS) break; // in the order of their forks
      this.tell(entity);
    }
    if (now - this.#prunedAt > REMEMBER_DEAD_NS) {
      this.#with.entities.prune(now - REMEMBER_DEAD_NS);
      this.#prunedAt = now;
    }
  }

  /** A process that is known since just now: what was told of it before holds. */
  #putInPlace({ pid }: Entity): void {
    const ahead = this.#ahead;
    if (ahead.length === 0) return;
    this.#ahead = [];
    for (const told of ahead) if (told.pid === pid) this.placed(told);
  }

  /** It is in the log, or is about to be. */
  #heard(entity: Entity): void {
    entity.silent = false;
    this.#silent.delete(entity);
  }

  /** Follows a process that is new at `pid`. One that had the pid before has ended, and its end was lost: that is told, too. */
  #add(pid: number, start: BootNs, parent: Entity | undefined): Entity {
    const { entities } = this.#with;
    const before = entities.get(pid);
    if (before) this.end(before, Math.max(start, before.start), { "@timestamp": "lost" });
    return entities.add(pid, start, parent);
  }
}

const tickOf = (hello: Of<"hello">): number => 1e9 / (hello.ticksPerSecond || 100);
