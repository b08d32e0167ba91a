import type { Enricher } from "#analysis/enrich";
import type { EventDraft, User } from "#model/event";
import type { HostString } from "#model/host-string";
import type { Observation } from "#model/observation";
import type { PackageList } from "#model/package-list";
import type { ClockMap } from "./clock-map.ts";
import { Entities, type Entity } from "./entities.ts";
import { type AskFileInfo, FileIngest } from "./ingest-files.ts";
import { HandsIngest } from "./ingest-hands.ts";
import { LoginIngest, type LoginTold } from "./ingest-logins.ts";
import { type Ingesting, NetworkIngest } from "./ingest-network.ts";
import { type AskOwner, OwnerIngest } from "./ingest-owners.ts";
import { ProcessIngest } from "./ingest-processes.ts";
import { SensorIngest } from "./ingest-sensor.ts";
import { UnixIngest } from "./ingest-unix.ts";
import { Origins } from "./origins.ts";
import type { Containers } from "./start-draft.ts";

type Hello = Extract<Observation, { kind: "hello" }>;

/** Whom what follows a host asks and tells. */
export interface BootOptions {
  enricher: Enricher;
  emit: (draft: EventDraft) => void;
  askFileInfo: AskFileInfo;
  /** Left out where nobody can be asked. */
  askOwner?: AskOwner | undefined;
  /** What the distribution ships, from a place that the host could not edit. */
  packages?: PackageList | undefined;
  /** True for a connection that the console itself made, by the source address and port that the host sees. */
  isOurs: (peer: { ip: string; port: number }) => boolean;
  onLogin?: (login: LoginTold) => void;
  /** A file changed in one of the folders that are watched. */
  onWritten?: (path: HostString) => void;
}

/** What is known of the host that its next boot does not change. */
interface Known {
  clock: ClockMap;
  users: ReadonlyMap<number, HostString>;
  /** What the host's files call its containers, by id. */
  containers: Containers;
}

/** All that follows one boot of the host: every name of a process is made of the boot's id, so another boot has another of these. */
export interface Boot {
  /** Of the sensor that looks now. */
  hello: Hello;
  readonly ingesting: Ingesting;
  readonly processes: ProcessIngest;
  /** The same in all boots: connections go on being numbered. */
  readonly network: NetworkIngest;
  readonly files: FileIngest;
  readonly hands: HandsIngest;
  readonly owners: OwnerIngest | undefined;
  readonly unix: UnixIngest;
  readonly logins: LoginIngest;
  readonly origins: Origins;
  sensor: SensorIngest;
}

/** `before`: the boot that this one comes after, where the console saw that. */
export function followBoot(hello: Hello, options: BootOptions, { clock, users, containers }: Known, before?: Boot): Boot {
  const ingesting: Ingesting = {
    entities: new Entities(hello.bootId),
    clock,
    enricher: options.enricher,
    sensor: { sensor: "collector", tier: hello.tier },
    emit: options.emit,
    tell: (entity) => processes.tell(entity),
    wrote: (change, writer) => {
      origins.wrote(change, writer);
      options.onWritten?.(change.path);
    },
    cameIn: (root) => logins.cameIn(root),
  };
  const user = (uid: number | undefined): User | undefined => {
    if (uid === undefined) return undefined;
    const name = users.get(uid);
    return { id: String(uid), ...(name === undefined ? {} : { name }) };
  };
  /** A login that this console made: it is known by its own sshd, or by its connection. */
  const isOurs = (root: Entity): boolean => {
    const source = root.leader?.entry_meta.source;
    return root.pid === boot.hello.sshd || (source?.port !== undefined && options.isOurs({ ip: source.ip, port: source.port }));
  };
  const logins = new LoginIngest(ingesting, user, isOurs, (login) => options.onLogin?.(login));
  const origins = new Origins(ingesting, user, before?.origins);
  const files = new FileIngest(ingesting, options.askFileInfo);
  const hands = new HandsIngest(ingesting, user);
  const owners = options.askOwner && new OwnerIngest(ingesting, options.askOwner, options.packages);
  const raced = () => boot.sensor.raced();
  const processes = new ProcessIngest(ingesting, { user, containers, files, hands, logins, origins, owners, raced }, hello);
  const network = before?.network ?? new NetworkIngest(ingesting);
  network.goOn(ingesting);
  const unix = new UnixIngest(ingesting);
  const sensor = new SensorIngest(ingesting, hello, before?.sensor.report);
  const boot: Boot = { hello, ingesting, processes, network, files, hands, owners, unix, logins, origins, sensor };
  return boot;
}

/** Another sensor looks at the same boot: its hello is to be believed, and its counts go on from those of the one before. */
export function lookAgain(boot: Boot, hello: Hello): void {
  boot.hello = hello;
  boot.ingesting.sensor.tier = hello.tier;
  boot.processes.goOn(hello);
  boot.sensor = new SensorIngest(boot.ingesting, hello, boot.sensor.report);
}
