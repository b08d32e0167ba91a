import type { Doer, EntryLeader, EventDraft, JobEntry, Origin, User } from "#model/event";
import type { HostString } from "#model/host-string";
import type { BootNs, Observation, ProcFacts } from "#model/observation";
import type { SetUp } from "#model/past";
import { type Entity, isDaemon, isSystems, leaderRef, processRef } from "./entities.ts";
import type { Ingesting } from "./ingest-network.ts";
import { isJobFolder, JobEntries } from "./job-entries.ts";
import { device } from "./start-draft.ts";

type FileChange = Extract<Observation, { kind: "file" }>;
type Kind = "elevates" | "multiplexer" | "runtime" | "asks" | "console";

/** Programs that begin something of their own for somebody, by name. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ...["su", "sudo", "sudo-rs", "doas", "runuser", "pkexec"].map((name) => [name, "elevates"] as const),
  ...["tmux", "screen"].map((name) => [name, "multiplexer"] as const),
  ...["runc", "crun", "youki"].map((name) => [name, "runtime"] as const),
  ...["systemd-run", "docker", "podman", "nerdctl", "crictl", "ctr", "kubectl", "lxc"].map((name) => [name, "asks"] as const),
  ["login", "console"],
]);
/** tmux(1), screen(1): what joins a server that is there. */
const ATTACHES = /^(?:a|at|att|atta|attac|attach|attach-session|-[dDR]*[rRx][rRx]*)$/;
const SHELL_SCRIPTS = /^\/etc\/cron\.(?:hourly|daily|weekly|monthly)\//;
/** How far above a program what began it is looked for: sudo, its monitor, a shell between. */
const CLIMB = 4;
const MOST_ASKED = 64;
/** A service manager starts what it was asked for in less. */
const ASKED_NS = 10e9;

const base = (path: string | undefined): string => (path === undefined ? "" : path.slice(path.lastIndexOf("/") + 1));
/** Asked twice for every program that starts. runc runs from a sealed copy of itself in memory ("memfd:runc_cloned:/proc/self/exe"). */
function kindOf(path: string | undefined): Kind | undefined {
  if (path === undefined) return undefined;
  const kind = KINDS.get(base(path));
  if (kind !== undefined) return isSystems(path) ? kind : undefined; // the same name elsewhere is somebody's program
  return path.startsWith("memfd:runc", path.startsWith("/") ? 1 : 0) ? "runtime" : undefined;
}

/** A job that has begun. */
interface Job {
  leader: EntryLeader;
  root: Entity;
  ts: BootNs;
}

/**
 * What began below a login or beside it: who became whom, jobs of cron and at and who wrote them, what a service manager or a container
 * runtime was asked for, servers of terminals. It changes the leader of a process only where the process belongs to nobody's login, so
 * that whoever came in keeps all that he starts. O(1) for a program that is none of these.
 */
export class Origins {
  readonly #with: Ingesting;
  readonly #user: (uid: number | undefined) => User | undefined;
  readonly #jobs: JobEntries;
  readonly #told = new WeakSet<Entity>();
  /** Uid with which su or sudo was called. */
  readonly #callers = new WeakMap<Entity, number>();
  readonly #asked: { by: Entity; args: readonly HostString[]; ts: BootNs }[] = [];
  /** Jobs whose entry was not known when they began. */
  readonly #waiting = new Map<string, Job & { command: string }>();
  /** The last job of at whose file was not heard of yet: the two come by different ways. */
  #atWaiting: Job | undefined;

  /** `before` knew who wrote which entry, before the host was started anew. */
  constructor(with_: Ingesting, user: (uid: number | undefined) => User | undefined, before?: Origins) {
    this.#with = with_;
    this.#user = user;
    this.#jobs = before ? before.#jobs : new JobEntries();
  }

  /** A program began in `entity`, which ran `before` until then. Called before it is told, so that it is told with its leader. */
  exec(entity: Entity, before: HostString | undefined, facts: ProcFacts, ts: BootNs): void {
    const [now, was] = [kindOf(entity.executable), kindOf(before)];
    if (now === "elevates") this.#callers.set(entity, facts.uid ?? entity.uid ?? 0);
    if (was === "elevates" && now !== "elevates") this.#elevated(entity, before, facts.uid, ts);
    if (was === "multiplexer" && now !== "multiplexer" && entity.parent && kindOf(entity.parent.executable) === "multiplexer")
      this.#serves(entity.parent, ts);
    if (now === "multiplexer" && ATTACHES.test(facts.args?.[1] ?? "")) this.#tell(entity, { type: "client" }, ts);
    if (now === "asks" && facts.args) this.#ask(entity, facts.args, ts);
    const type = entity.leader?.entry_meta.type;
    if (type === "sshd" || type === "console") return;
    if ((type === "cron" || type === "at") && entity.leader) this.#job(entity, entity.leader, before, facts, ts);
    if (type !== "init" && type !== "unknown") return; // it belongs to somebody, and goes on doing so
    if (was === "runtime" && now !== "runtime") this.#contained(entity, facts, ts);
    else if (was === "console" && now !== "console") this.#console(entity, before);
    else if (type === "init" && entity.parent?.pid === 1 && this.#asked.length > 0) this.#onRequest(entity, facts, ts);
  }

  /** A process that was there when we came: its leader alone; it is told by {@link tellFound}, once the snapshot is. */
  found(entity: Entity, facts: ProcFacts): void {
    const above = entity.parent;
    const type = entity.leader?.entry_meta.type;
    if (kindOf(above?.executable) === "console" && kindOf(entity.executable) !== "console" && type !== "sshd")
      this.#console(entity, above?.executable);
    if (kindOf(entity.executable) === "elevates") this.#callers.set(entity, above?.uid ?? facts.uid ?? 0);
  }

  tellFound(entity: Entity, ts: BootNs): void {
    const [here, above] = [kindOf(entity.executable), entity.parent && kindOf(entity.parent.executable)];
    if (above === "elevates" && here !== "elevates") this.#elevated(entity, entity.parent?.executable, entity.uid, ts);
    if (here === "multiplexer" && entity.parent?.pid === 1) this.#serves(entity, ts);
  }

  /** A file in a folder of jobs changed, by somebody or by nobody who was seen. */
  wrote({ path, change, ts }: FileChange, writer: Entity | undefined): void {
    if (!isJobFolder(path)) return;
    this.#jobs.changed(path, change, writer && this.#doer(writer, ts), ts);
    const job = this.#atWaiting;
    if (!job || job.leader.entry_meta.entry) return;
    const entry = this.#jobs.running(job.ts);
    if (entry) this.#attribute(job, entry);
  }

  #attribute({ leader, root, ts }: Job, entry: JobEntry): void {
    leader.entry_meta.entry = entry;
    this.#tell(root, { type: leader.entry_meta.type, ...loginOf(entry.written_by) }, ts, "origin.attributed");
  }

  /** How the host is set up was read: jobs that began before their entry was known may have one now. */
  entries(setUp: readonly SetUp[]): void {
    this.#jobs.read(setUp);
    for (const [id, job] of this.#waiting) {
      if (job.root.ended !== undefined) this.#waiting.delete(id);
      const entry = this.#jobs.match(job.command);
      if (!entry) continue;
      this.#waiting.delete(id);
      this.#attribute(job, entry);
    }
  }

  #elevated(entity: Entity, before: HostString | undefined, uid: number | undefined, ts: BootNs): void {
    let root: Entity | undefined = entity;
    for (let i = 0; root && i < CLIMB && !this.#callers.has(root); i++) root = root.parent;
    if (!root || this.#told.has(root)) return;
    const caller = this.#callers.get(root);
    if (caller === undefined) return;
    this.#told.add(root);
    const [user, effective] = [this.#user(caller), this.#user(uid)];
    const type = base(before ?? root.executable) === "su" || base(before ?? root.executable) === "runuser" ? "su" : "sudo";
    this.#tell(root, { type, ...loginOf({ entry_leader: root.leader }) }, ts, "origin.start", {
      user: { ...user, ...(effective ? { effective } : {}) },
      ...(entity.tty === undefined ? {} : { tty: entity.tty }),
    });
  }

  #serves(server: Entity, ts: BootNs): void {
    if (this.#told.has(server)) return;
    this.#told.add(server);
    this.#tell(server, { type: base(server.executable) === "screen" ? "screen" : "tmux", ...loginOf({ entry_leader: server.leader }) }, ts);
  }

  #ask(by: Entity, args: readonly HostString[], ts: BootNs): void {
    this.#asked.push({ by, args, ts });
    if (this.#asked.length > MOST_ASKED) this.#asked.shift();
  }

  /** Who asked for a program with these arguments: his command ends with them. Words alone say so, and he chose them. */
  #askedFor(facts: ProcFacts, ts: BootNs): Entity | undefined {
    const { args } = facts;
    if (!args || args.length === 0) return undefined;
    const found = this.#asked.findLast(({ by, args: words, ts: when }) => {
      if (ts - when > ASKED_NS && by.ended !== undefined) return false;
      const tail = words.slice(-args.length);
      return words.length > args.length && tail.every((word, i) => (i === 0 ? base(word) === base(args[0]) : word === args[i]));
    });
    return found?.by;
  }

  #onRequest(entity: Entity, facts: ProcFacts, ts: BootNs): void {
    const by = this.#askedFor(facts, ts);
    if (!by || base(by.executable) !== "systemd-run") return;
    this.#lead(entity, { type: "systemd-run", asked_by: this.#doer(by, ts) }, ts);
  }

  #contained(entity: Entity, facts: ProcFacts, ts: BootNs): void {
    const by = this.#askedFor(facts, ts);
    this.#lead(entity, { type: "container", ...(by ? { asked_by: this.#doer(by, ts) } : {}) }, ts);
  }

  #lead(entity: Entity, meta: EntryLeader["entry_meta"], ts: BootNs): void {
    entity.leader = { entity_id: entity.id, entry_meta: meta };
    this.#tell(entity, { type: meta.type, ...loginOf(meta.asked_by) }, ts);
  }

  /** login(1) let somebody in at a terminal of the machine. Its own leader comes down to who it starts. */
  #console(entity: Entity, before: HostString | undefined): void {
    let root: Entity = entity;
    for (let i = 0; root.parent && i < CLIMB && root.parent.executable === before; i++) root = root.parent;
    if (before === undefined || !isDaemon({ executable: before }, "login")) return;
    const leader: EntryLeader = { entity_id: root.id, entry_meta: { type: "console" } };
    root.leader = leader;
    entity.leader = leader;
    this.#with.cameIn(root);
  }

  #job(entity: Entity, leader: EntryLeader, before: HostString | undefined, facts: ProcFacts, ts: BootNs): void {
    if (SHELL_SCRIPTS.test(entity.executable ?? "") && leader.entry_meta.entry?.path !== entity.executable) {
      const entry = this.#jobs.script(entity.executable as HostString);
      entity.leader = { entity_id: entity.id, entry_meta: { type: "cron", entry } };
      this.#tell(entity, { type: "cron", ...loginOf(entry.written_by) }, ts);
      return;
    }
    if (leader.entry_meta.entry || !/^(?:cron|crond|CRON|atd|anacron)$/.test(base(before))) return;
    const root = this.#rootOf(entity, leader);
    if (!root || this.#told.has(root)) return;
    this.#told.add(root);
    const command = facts.args?.[1] === "-c" ? facts.args[2] : undefined;
    const entry = leader.entry_meta.type === "at" ? this.#jobs.running(ts) : command === undefined ? undefined : this.#jobs.match(command);
    if (entry) leader.entry_meta.entry = entry;
    else if (leader.entry_meta.type === "at") this.#atWaiting = { leader, root, ts };
    else if (command !== undefined && this.#waiting.size < MOST_ASKED) this.#waiting.set(root.id, { leader, root, command, ts });
    const user = this.#user(facts.uid);
    this.#tell(root, { type: leader.entry_meta.type, ...loginOf(entry?.written_by) }, ts, "origin.start", user ? { user } : {});
  }

  #rootOf(entity: Entity, leader: EntryLeader): Entity | undefined {
    let at: Entity | undefined = entity;
    for (let i = 0; at && i <= CLIMB && at.id !== leader.entity_id; i++) at = at.parent;
    return at;
  }

  #doer(entity: Entity, ts: BootNs): Doer {
    const { leader } = entity;
    const at = this.#with.clock.iso(ts);
    if (!leader) return { entity_id: entity.id, at };
    const { type, source } = leaderRef(leader).entry_meta;
    return { entity_id: entity.id, at, entry_leader: { entity_id: leader.entity_id, entry_meta: { type, ...(source ? { source } : {}) } } };
  }

  #tell(
    root: Entity,
    origin: Origin,
    ts: BootNs,
    action: "origin.start" | "origin.attributed" = "origin.start",
    about: { user?: User; tty?: number } = {},
  ): void {
    const { clock, emit, sensor, tell } = this.#with;
    tell(root);
    const user = about.user ?? this.#user(root.uid);
    const tty = about.tty ?? root.tty;
    const source = root.leader?.entry_meta.source;
    const draft: EventDraft = {
      "@timestamp": clock.iso(ts),
      event: { action, category: ["session"], type: [action === "origin.start" ? "start" : "info"], outcome: "success" },
      process: { ...processRef(root), start: clock.iso(root.start), ...(tty ? { tty: { char_device: device(tty) } } : {}) },
      ...(user && Object.keys(user).length > 0 ? { user } : {}),
      ...(source ? { source } : {}),
      stakeout: { ...sensor, origin },
    };
    emit(draft);
  }
}

/** The login that somebody did something from. */
function loginOf(doer: { entry_leader?: Doer["entry_leader"] | EntryLeader | undefined } | undefined): { login?: string } {
  const leader = doer?.entry_leader;
  return leader && (leader.entry_meta.type === "sshd" || leader.entry_meta.type === "console") ? { login: leader.entity_id } : {};
}
