import type { User } from "#model/event";
import type { BootNs, Observation } from "#model/observation";
import { type Entity, processRef } from "./entities.ts";
import type { Ingesting, NetworkIngest } from "./ingest-network.ts";
import { device } from "./start-draft.ts";

type Peer = Extract<Observation, { kind: "login-peer" }>;

export interface LoginTold {
  id: string;
  ours: boolean;
  /** It serves the login. */
  pid: number;
  /** The first process of whoever came in. */
  first: number;
}

/** Who came in, by the per-connection sshds and the terminals that carry them. */
export class LoginIngest {
  readonly #with: Ingesting;
  readonly #user: (uid: number | undefined) => User | undefined;
  readonly #isOurs: (root: Entity) => boolean;
  readonly #onLogin: (login: LoginTold) => void;
  /** By entity_id: what carries a login, and whether that was told. */
  readonly #logins = new Map<string, { root: Entity; told: boolean }>();

  constructor(
    ingesting: Ingesting,
    user: (uid: number | undefined) => User | undefined,
    isOurs: (root: Entity) => boolean,
    onLogin: (login: LoginTold) => void,
  ) {
    this.#with = ingesting;
    this.#user = user;
    this.#isOurs = isOurs;
    this.#onLogin = onLogin;
  }

  /** `root` carries a login: it is told with the first process of whoever came in. */
  cameIn(root: Entity): void {
    this.#logins.set(root.id, { root, told: false });
  }

  /** Makes the per-connection sshd the leader of what comes from it; undefined when something above it is one already. */
  mark({ pid, remote, ts }: Peer): Entity | undefined {
    const { entities, enricher } = this.#with;
    const entity = entities.at(pid, ts);
    if (!entity || entity.leader?.entry_meta.type === "sshd") return undefined;
    entity.leader = { entity_id: entity.id, entry_meta: { type: "sshd", source: enricher.endpoint(remote.ip, remote.port) } };
    this.cameIn(entity);
    return entity;
  }

  /** The same of one that came while we look: its connection is the login's from now on, which is told. */
  peer(peer: Peer, network: NetworkIngest | undefined): void {
    const entity = this.mark(peer);
    if (!entity) return;
    const { tell, emit, clock, sensor } = this.#with;
    tell(entity);
    const connection = network?.handOver(entity, peer.local, peer.remote);
    if (connection === undefined) return;
    emit({
      "@timestamp": clock.iso(peer.ts),
      event: { action: "login.attributed", category: ["session"], type: ["info"], outcome: "unknown" },
      process: processRef(entity),
      ...sourceOf(entity),
      stakeout: { ...sensor, connection },
    });
  }

  /** Tells the login of a process when this is the first of it that is not sshd's own: by that the authentication has succeeded. */
  of(entity: Entity, ts: BootNs): void {
    const type = entity.leader?.entry_meta.type;
    if (!entity.leader || (type !== "sshd" && type !== "console")) return;
    const login = this.#logins.get(entity.leader.entity_id);
    if (!login || login.told || login.root === entity) return;
    login.told = true;
    const { root } = login;
    const { emit, clock, sensor } = this.#with;
    const source = sourceOf(root);
    const ours = this.#isOurs(root);
    const user = this.#user(entity.uid);
    emit({
      "@timestamp": clock.iso(ts),
      event: { action: "login.start", category: ["authentication", "session"], type: ["start"], outcome: "success" },
      process: {
        ...processRef(root),
        start: clock.iso(root.start),
        ...(entity.tty ? { tty: { char_device: device(entity.tty) } } : {}),
      },
      ...(user ? { user } : {}),
      ...source,
      stakeout: {
        ...sensor,
        ...(ours ? { ours: true } : {}),
        ...("source" in source || type === "console" ? {} : { unseen: { source: "raced" as const } }),
      },
    });
    this.#onLogin({ id: root.id, ours, pid: root.pid, first: entity.pid });
  }

  /** What carried a login has ended, and so has that. */
  ended(root: Entity, ts: BootNs): void {
    const login = this.#logins.get(root.id);
    this.#logins.delete(root.id);
    if (!login?.told) return;
    const duration = Math.max(0, Math.round(ts - root.start));
    this.#with.emit({
      "@timestamp": this.#with.clock.iso(ts),
      event: { action: "login.end", category: ["authentication", "session"], type: ["end"], duration },
      process: processRef(root),
      ...sourceOf(root),
      stakeout: this.#with.sensor,
    });
  }
}

const sourceOf = ({ leader }: Entity) => (leader?.entry_meta.source ? { source: leader.entry_meta.source } : {});
