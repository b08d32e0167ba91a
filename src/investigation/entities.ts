import type { EntryLeader, Process } from "#model/event";
import type { HostString } from "#model/host-string";
import type { BootNs, ProcFacts } from "#model/observation";
import { placeIn } from "#state/cgroup";

/** A process as ingest follows it, from the fork or the snapshot on. */
export interface Entity {
  id: string;
  pid: number;
  start: BootNs;
  parent?: Entity;
  leader?: EntryLeader;
  name?: HostString;
  executable?: HostString;
  /** Where /proc/PID/exe led: unlike `executable` never what was asked for. */
  image?: HostString;
  uid?: number;
  tty?: number;
  /** Where it was put by itself; a child that was not is in its parent's. */
  cgroup?: HostString;
  /** Its pid inside of its container. */
  inside?: number;
  /** The fork is not in the log yet: an exec that follows tells it all, anything else brings it out. */
  silent: boolean;
  ended?: BootNs;
  /** Ancestors above it that are still held in memory. */
  depth: number;
}

const HELD_ANCESTORS = 1000;
/** Ended processes that are remembered: all that end in seconds, also where a host never says that time passes. */
const MOST_DEAD = 20_000;
/** Names of the processes that serve ssh: OpenSSH's listener, its per-connection and authentication parts (9.8 and 10), dropbear. */
const SSHD = new Set(["sshd", "sshd-session", "sshd-auth", "dropbear"]);
const CRON = ["cron", "crond", "CRON", "anacron"];
const base = (path: string) => path.slice(path.lastIndexOf("/") + 1);

/** Where a system has such a server: the same name elsewhere is somebody's program, and what it runs is his. */
const SERVERS = /^\/(?:usr\/(?:local\/)?)?(?:s?bin|lib|lib64|libexec)\//;
/** A path from where a system runs its own programs; a bare name is what a sensor knows where it could not read the path. */
export const isSystems = (path: string): boolean => !path.includes("/") || SERVERS.test(path);

export function isSshd(entity: Entity | undefined): boolean {
  const path = (entity?.executable ?? entity?.name ?? "").replace(/ \(deleted\)$/, "");
  return SSHD.has(base(path)) && (!path.includes("/") || SERVERS.test(path));
}
/** Its root is another than the host's. The nearest cgroup that was told of decides: a child is in its parent's. */
export function inContainer(entity: Entity): boolean {
  for (let at: Entity | undefined = entity, i = 0; at && i < 64; at = at.parent, i++)
    if (at.cgroup !== undefined) return placeIn(at.cgroup).container !== undefined;
  return false;
}
/** A server of that name, from where a system has such. */
export function isDaemon(entity: Pick<Entity, "executable" | "name">, ...names: readonly string[]): boolean {
  const path = (entity.executable ?? entity.name ?? "").replace(/ \(deleted\)$/, "");
  return names.includes(base(path)) && (!path.includes("/") || SERVERS.test(path));
}

/** Live processes by pid, and the last one that had a pid: late facts (a file's writer) may name it just after its end. */
export class Entities {
  readonly #live = new Map<number, Entity>();
  readonly #last = new Map<number, Entity>();
  readonly #boot: string;

  constructor(bootId: string) {
    this.#boot = bootId;
  }

  get(pid: number): Entity | undefined {
    return this.#live.get(pid);
  }

  /** The process that had `pid` at `ts`. */
  at(pid: number, ts: BootNs): Entity | undefined {
    const live = this.#live.get(pid);
    if (live && live.start <= ts) return live;
    const last = this.#last.get(pid);
    return last && last.start <= ts ? last : live;
  }

  add(pid: number, start: BootNs, parent: Entity | undefined): Entity {
    const replaced = this.#live.get(pid);
    if (replaced) this.end(pid, start); // its end was lost
    const entity: Entity = { id: `${this.#boot}:${pid}:${Math.round(start)}`, pid, start, silent: false, depth: 0 };
    if (parent) {
      entity.depth = parent.depth + 1;
      if (entity.depth > HELD_ANCESTORS) {
        delete parent.parent; // a process that forks itself on and on must not fill our memory; the log has the whole chain
        parent.depth = 0;
        entity.depth = 1;
      }
      entity.parent = parent;
      for (const key of ["name", "executable", "image", "uid", "tty"] as const)
        if (parent[key] !== undefined) Object.assign(entity, { [key]: parent[key] });
    }
    const jobs = parent && jobsOf(parent);
    entity.leader = parent?.leader && !jobs ? parent.leader : ownLeader(entity, parent, jobs);
    this.#live.set(pid, entity);
    return entity;
  }

  end(pid: number, ts: BootNs): Entity | undefined {
    const entity = this.#live.get(pid);
    if (!entity) return undefined;
    entity.ended = ts;
    this.#live.delete(pid);
    this.#last.delete(pid); // the oldest come first
    this.#last.set(pid, entity);
    if (this.#last.size > MOST_DEAD) this.#last.delete(this.#last.keys().next().value as number);
    return entity;
  }

  /** Forgets processes that ended before `ts`. */
  prune(ts: BootNs): void {
    for (const [pid, entity] of this.#last) if ((entity.ended ?? 0) < ts) this.#last.delete(pid);
  }

  values(): Iterable<Entity> {
    return this.#live.values();
  }
}

/** The daemon of cron or at itself: each of its children is a job. What a job forks is its image too until it execs, and starts none. */
function jobsOf(parent: Entity): "cron" | "at" | undefined {
  const type = parent.leader?.entry_meta.type;
  if (type === "cron" || type === "at") return undefined;
  return isDaemon(parent, ...CRON) ? "cron" : isDaemon(parent, "atd") ? "at" : undefined;
}

/** A process that begins something of its own: a cron job, a service, or what nobody knows the beginning of. */
function ownLeader(entity: Entity, parent: Entity | undefined, jobs: "cron" | "at" | undefined): EntryLeader {
  const type = jobs ?? (parent?.pid === 1 || entity.pid === 1 ? "init" : "unknown");
  return { entity_id: entity.id, entry_meta: { type } };
}

const UNSET_LOGINUID = 4_294_967_295;
/**
 * A child of pid 1 that no service manager started: it has a pseudo-terminal (major 136 to 143, admin-guide/devices.txt) or a login
 * uid, so it was left behind by a login that is over. Which one, nobody saw.
 */
export const cameFromLogin = ({ tty = 0, loginuid = UNSET_LOGINUID }: ProcFacts): boolean =>
  loginuid !== UNSET_LOGINUID || ((tty >> 8) & 0xff) >> 3 === 136 >> 3;

const shortened = new WeakMap<EntryLeader, EntryLeader>();
/**
 * What events say of the one that a process belongs to. Where in the world a login's source is stands with the login itself: in every line
 * of what the login does it would be a fifth of the log.
 */
export function leaderRef(leader: EntryLeader): EntryLeader {
  const { source } = leader.entry_meta;
  if (!source?.geo && !source?.as) return leader;
  let short = shortened.get(leader);
  if (!short) {
    const { ip, port } = source;
    short = { ...leader, entry_meta: { ...leader.entry_meta, source: { ip, ...(port === undefined ? {} : { port }) } } };
    shortened.set(leader, short);
  }
  return short;
}

/** What events say of the process that did something. */
export const processRef = (entity: Entity): Process => ({
  entity_id: entity.id,
  pid: entity.pid,
  ...(entity.name === undefined ? {} : { name: entity.name }),
  ...(entity.executable === undefined ? {} : { executable: entity.executable }),
  ...(entity.leader ? { entry_leader: leaderRef(entity.leader) } : {}),
});
