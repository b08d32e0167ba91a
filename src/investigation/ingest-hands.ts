import { createHash } from "node:crypto";
import type { EventDraft, User } from "#model/event";
import type { Access, Secret } from "#model/file";
import type { HostString } from "#model/host-string";
import type { BootNs, Observation, SecretKind } from "#model/observation";
import { type Entity, processRef } from "./entities.ts";
import type { Ingesting } from "./ingest-network.ts";

type Of<K extends Observation["kind"]> = Extract<Observation, { kind: K }>;
type Hand = Of<"file-open"> | Of<"process-access"> | Of<"environment">;

const PATIENCE_NS = 1e9;
const MAX_WAITING = 2000;
const MAX_SECRETS = 5000;
/** /proc/PID/mem and /proc/PID/environ: whose. */
const OF_PROCESS = /^\/proc\/(\d{1,10})\/(?:mem|environ)$/;

/** Who opened what, who traced or signalled whom, and what of an environment matters: each with the process that did it. */
export class HandsIngest {
  readonly #with: Ingesting;
  readonly #user: (uid: number | undefined) => User | undefined;
  /** A hand may be younger than what we know: its news and the fork come by two ways. */
  #waiting: Hand[] = [];
  readonly #kinds = new Map<string, SecretKind>();

  constructor(ingesting: Ingesting, user: (uid: number | undefined) => User | undefined) {
    this.#with = ingesting;
    this.#user = user;
  }

  observe(hand: Hand): void {
    if (!this.#known(hand) && this.#waiting.length < MAX_WAITING) this.#waiting.push(hand);
    else this.#tell(hand);
  }

  /** A process has come, or time has passed: tells what waited for it, in its order. */
  settle(now: BootNs): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((hand) => !this.#known(hand) && now - hand.ts < PATIENCE_NS);
    const still = new Set(this.#waiting);
    for (const hand of waiting) if (!still.has(hand)) this.#tell(hand);
  }

  #known(hand: Hand): boolean {
    const actor = hand.kind === "process-access" ? hand.by : hand.pid;
    return this.#with.entities.at(actor, hand.ts) !== undefined;
  }

  #tell(hand: Hand): void {
    if (hand.kind === "file-open") this.#opened(hand);
    else if (hand.kind === "environment") this.#environment(hand);
    else this.#touched(hand);
  }

  #opened({ ts, pid, path, held }: Of<"file-open">): void {
    const actor = this.#with.entities.at(pid, ts);
    const secret = this.#kinds.get(path);
    const whose = OF_PROCESS.exec(path)?.[1];
    const target = whose === undefined ? undefined : this.#with.entities.at(Number(whose), ts);
    if (target && target === actor) return; // its own
    this.#access("file.access", ts, actor, {
      access: { how: held ? "held" : "open", ...(target ? { target: refOf(target) } : {}), ...(secret ? { secret } : {}) },
      path,
    });
  }

  #touched({ ts, how, by, pid, signal }: Of<"process-access">): void {
    const [actor, target] = [this.#with.entities.at(by, ts), this.#with.entities.at(pid, ts)];
    if (!target) return;
    // what a login, a service or a job does to its own is its own affair, and there is much of it
    if (how === "signal" && actor?.leader && actor.leader.entity_id === target.leader?.entity_id) return;
    this.#with.tell(target);
    this.#access("process.access", ts, actor, { access: { how, target: refOf(target), ...(signal === undefined ? {} : { signal }) } });
  }

  #access(
    action: "file.access" | "process.access",
    ts: BootNs,
    actor: Entity | undefined,
    what: { access: Access; path?: HostString },
  ): void {
    if (actor) this.#with.tell(actor);
    const user = this.#user(actor?.uid);
    const category = action === "file.access" ? "file" : "process";
    const draft: EventDraft = {
      "@timestamp": this.#with.clock.iso(ts),
      event: { action, category: [category], type: ["access"] },
      ...(actor ? { process: processRef(actor) } : {}),
      ...(user ? { user } : {}),
      stakeout: { ...this.#with.sensor, ...(actor ? {} : { unseen: { process: "raced" as const } }), access: what.access },
    };
    if (what.path !== undefined) draft.file = { path: what.path, name: what.path.slice(what.path.lastIndexOf("/") + 1) as HostString };
    this.#with.emit(draft);
  }

  #environment({ ts, pid, variables }: Of<"environment">): void {
    const actor = this.#with.entities.at(pid, ts);
    if (!actor) return;
    this.#with.tell(actor);
    this.#with.emit({
      "@timestamp": this.#with.clock.iso(ts),
      event: { action: "process.change", category: ["process"], type: ["change"] },
      process: { ...processRef(actor), env_vars: variables },
      stakeout: this.#with.sensor,
    });
  }

  /** A secret that lies on the host, as it was found or as it is now. */
  secret(found: Of<"secret">, ts: BootNs): void {
    const { path, what, uid, mode, size, publicKey, cipher, hosts } = found;
    if (this.#kinds.size >= MAX_SECRETS && !this.#kinds.has(path)) return;
    this.#kinds.set(path, what);
    const secret: Secret = { kind: what };
    if (publicKey) secret.fingerprint = fingerprint(publicKey);
    if (cipher !== undefined) secret.cipher = cipher;
    if (hosts !== undefined) secret.hosts = hosts;
    this.#with.emit({
      "@timestamp": this.#with.clock.iso(ts),
      event: { action: "baseline.secret", category: ["file"], type: ["info"] },
      file: {
        path,
        name: path.slice(path.lastIndexOf("/") + 1) as HostString,
        size,
        uid: String(uid),
        mode: (mode & 0o7777).toString(8).padStart(4, "0"),
      },
      stakeout: { ...this.#with.sensor, secret },
    });
  }
}

const refOf = ({ id, pid }: Entity) => ({ entity_id: id, pid });

/** As OpenSSH writes it: sha256 of the public key's blob, base64 without padding (ssh-keygen(1), -l). */
const fingerprint = (blob: Buffer): string => `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
