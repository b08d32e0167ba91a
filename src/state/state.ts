import type {
  Doer,
  Endpoint,
  EntryMeta,
  JobEntry,
  LoginInfo,
  Origin,
  SensorReport,
  Transport,
  UnixSockets,
  User,
  Verdict,
} from "#model/event";
import type { Ownership, Secret } from "#model/file";
import type { Mount } from "#model/file-flags";
import type { HostString } from "#model/host-string";
import type { KnownFile } from "#model/known-files";
import type { Unseen } from "#model/observation";
import type { Past, SetUp } from "#model/past";
import type { Subject } from "#model/presence";
import type { ProgramFacts } from "#model/program";
import type { StartCard } from "#model/start-card";
import type { DecidedState } from "./decided-state.ts";
import type { Millis } from "./time.ts";

/** How a thing is judged: a tag's verdict, or that nobody has judged it. */
export type Standing = Verdict | "unknown";

/**
 * All fields are there from the beginning, those that are not known as `undefined`: thousands of objects of one shape are read many times as fast
 * as objects of twenty (V8 looks up a field of the fifth shape and on anew each time).
 */
export interface ProcessState {
  id: string;
  pid: number;
  parent?: string | undefined;
  children: Set<string>;
  /** The login that this process descends from, kept after reparenting. */
  login?: string | undefined;
  /** What the thing began with that it belongs to (ECS `process.entry_leader.entry_meta.type`); "unknown" when nobody saw. */
  origin: EntryMeta["type"];
  name?: HostString | undefined;
  executable?: HostString | undefined;
  /** The file that it interprets, where that is one which no package's folder has. */
  script?: HostString | undefined;
  /** Variables that matter, `NAME=value`, where they changed within its session. */
  environment?: HostString[] | undefined;
  args?: HostString[] | undefined;
  cwd?: HostString | undefined;
  uid?: number | undefined;
  /** systemd unit and container that it runs in, of the cgroup it was last seen in; a child is in its parent's. */
  unit?: HostString | undefined;
  container?: HostString | undefined;
  /** Its pid inside of the container, where that was looked at. */
  inside?: number | undefined;
  /** The command of the cron entry that began it. */
  cron?: HostString | undefined;
  /** The login that wrote the entry that began it, or had it begun: of the first process of such a run. */
  planter?: string | undefined;
  /** `major:minor` of the controlling terminal, "136:0" is pts/0. */
  tty?: string | undefined;
  start: Millis;
  end?: Millis | undefined;
  /** Times that it, or something below it, was last seen doing something. */
  active: Millis;
  /** Was there when we came. */
  baseline: boolean;
  unseen?: Record<string, Unseen> | undefined;
  /** How many connections and files in the picture name it: while there are any it is not folded away. */
  noted?: number | undefined;
  /** Exited leaves that were folded away, by name. */
  folded?: Record<string, number> | undefined;
  /** Too many ended after it: it folds away as soon as nothing holds it. */
  overdue?: true | undefined;
  standing: Standing;
  /** The tag that gives `standing`. */
  tag?: string | undefined;
  /** The finding that brought it back into view, whatever the tag says. */
  finding?: string | undefined;
}

export interface LoginState {
  /** entity_id of the sshd process that serves this connection. */
  id: string;
  /** Its place among all that there were in this session, from 1 on. */
  number: number;
  type: EntryMeta["type"];
  user?: User;
  source?: Endpoint;
  ttys: string[];
  start: Millis;
  end?: Millis;
  active: Millis;
  standing: Standing;
  tag?: string | undefined;
  finding?: string | undefined;
  /** The console's own connection. */
  ours: boolean;
  /** Processes that ran under it so far, dead ones included. */
  processes: number;
  ended: Ended;
  /** What the host tells of it beside its socket. */
  info?: LoginInfo;
}

/** What began below a login or beside it: su, sudo, a job of cron or at, what was asked of a service manager, a terminal's server. */
export interface OriginState {
  /** entity_id of its first process; of a job, of its entry, since it runs again and again. */
  id: string;
  type: Origin["type"];
  /** The login that it belongs to, that wrote its entry or that asked for it. */
  login?: string;
  user?: User;
  entry?: JobEntry;
  askedBy?: Doer;
  ttys: string[];
  start: Millis;
  last: Millis;
  /** How often it began. */
  runs: number;
  /** The first processes of its latest runs, oldest first, and how many of all runs have not ended. */
  roots: string[];
  live: number;
}

/** A thing that the host remembers. */
export interface PastState extends Past {
  id: string;
  source?: Endpoint;
}
/** A thing of the host's set-up: there when we came, new since, or gone. */
export interface SetUpState extends SetUp {
  status: "here" | "new" | "gone";
  /** It was there when we came, whatever became of it. */
  here?: true;
  /** When it was seen to change; of what was there, when we looked. */
  at: Millis;
}

/** Processes that have ended and stay in the picture: how many there were, and the ids of the latest, oldest first. */
export interface Ended {
  count: number;
  latest: string[];
}

export interface ConnectionState {
  id: string;
  process?: string;
  login?: string;
  transport: Transport;
  direction: "egress" | "ingress";
  source: Endpoint;
  destination: Endpoint;
  phase: "attempt" | "established" | "ended" | "listening";
  outcome?: "success" | "failure" | "unknown";
  start: Millis;
  end?: Millis;
  /** Bytes from the host and to it, and the round trip in milliseconds, as they were told last. */
  carried?: { sent: number; received: number; rtt?: number; at: Millis };
  standing: Standing;
  tag?: string | undefined;
  finding?: string | undefined;
}

/** Counts over time: `counts[i]` belongs to the stretch of time from `(first + i) * width` on. The width is kept by who owns the series. */
export interface Series {
  first: number;
  counts: number[];
}

/** Who did something: what is known of it now decides its standing, so that a tag colours the past too. */
export interface ActivitySource extends Series {
  /** "others" are sources that were told apart once, with the standing that they had then. */
  kind: "login" | "services" | "unseen" | "others";
  login?: string;
  /** A tag on a process inside of it: it counts for as long as it stands. */
  tag?: string;
  standing?: Standing;
}

/** What was done on the host over time, by whom: programs started, calls out, files written. Bounded in length and in number. */
export interface ActivityState {
  /** Milliseconds of one count; doubles when the session outgrows the longest series that is kept. */
  width: Millis;
  /** The first stretch of time that anything was counted in, in units of `width`. */
  first: number;
  sources: Map<string, ActivitySource>;
}

/** Attempts over time, at their own scale: a far end that was tried twice in an hour and one tried each second both show as what they are. */
export interface Tries extends Series {
  width: Millis;
}

/** Names of an address, and who asked for them last. */
export interface AddressNames {
  items: HostString[];
  why?: string;
  at: Millis;
  analyst: string;
}

/** Repeated attempts at one far end: what a beacon looks like. */
export interface Tried {
  attempts: number;
  /** The attempts over time. */
  tries: Tries;
  /** They are of several who are not told apart: the most that one of them can have made. */
  shared?: true;
}
/** A far end that was called, by whomever. */
export interface PeerState extends Tried {
  ip: string;
  port: number;
  established: number;
  first: Millis;
  last: Millis;
  /** Who called it first: a login and a program of it. */
  caller: string;
  /** The attempts of each caller; left out while there was only the first. */
  callers?: Map<string, Tried>;
}

/** From this on a name is shown as random-looking: below it are words, versions and hashes of packages. */
export const RANDOM_LOOKING = 0.6;

export interface BinaryState {
  path: HostString;
  /** Its place among all that there were in this session, from 1 on. */
  number: number;
  /** Who created it last, where a sensor could say. */
  writer?: string;
  /** Everybody who was seen to write it, the first 32. */
  writers: string[];
  /** Somebody else wrote it whom no sensor saw, or more did than are remembered: it cannot be vouched for. */
  unseenHand?: boolean;
  login?: string;
  /** Processes that executed it: the first 32 ids, and how often in all. */
  runners: string[];
  runs: number;
  size?: number;
  mode?: string;
  /** Who owns it, and when it was modified, by its inode: whoever owns it can set the time. */
  uid?: number;
  modified?: Millis;
  sha256?: string;
  /** Its digest was made at the console; `size`: what it had when it was looked at, where another number of bytes was read. */
  hashed?: { bytes: number; size?: number };
  /** Its content could not be read (it was gone, or no plain file): there will be no hash. */
  unread?: boolean;
  elf?: boolean;
  /** What its head says of it. */
  program?: ProgramFacts;
  /** It had another content before, or was written to after it was hashed: its hash is not known to be what ran. */
  rewritten?: true;
  /** It never had a name in its folder (O_TMPFILE). */
  nameless?: true;
  /** The mount that it lies on, where that was seen. */
  mount?: Mount;
  /** The name that it had before it was moved to this one. */
  was?: HostString;
  /** Unlinked while something ran it. */
  unlinked?: true;
  /** The distribution's package that it belongs to, where somebody looked. */
  package?: { name: string; unchanged: boolean };
  /** What a list of the analyst's says of its content. */
  known?: KnownFile;
  /** 0 (a word) to 1 (random letters). */
  random?: number;
  deleted: boolean;
  first: Millis;
  standing: Standing;
  tag?: string | undefined;
  finding?: string | undefined;
}

/** What is known of a container beside its id: by the host's own files, which root on it can edit. */
export interface ContainerState {
  id: HostString;
  name?: HostString;
  image?: HostString;
  /** By its cgroup: docker, podman, containerd, cri-o, lxc; of Kubernetes also the pod's uid. */
  runtime?: string;
  pod?: HostString;
}

/** The unix sockets that were there when somebody asked last. */
export interface SocketsState extends UnixSockets {
  at: Millis;
  analyst: string;
}

/** Which package a file belongs to, as it was told last. */
export interface OwnerState extends Ownership {
  package?: HostString;
  version?: HostString;
  sha256?: string;
  /** What a list of the analyst's says of its content. */
  known?: KnownFile;
  at: Millis;
}

/** Somebody who reached for a secret or a host: a login, or a process that belongs to none. */
export interface Reach {
  /** entity_id of the login, else of the process. */
  who: string;
  /** The process that did it last. */
  process: string;
  uid?: number;
  first: Millis;
  last: Millis;
  times: number;
}
/** A secret on the host, or a file that was opened as one. */
export interface SecretState extends Partial<Secret> {
  path: HostString;
  uid?: number;
  mode?: string;
  size?: number;
  /** Who opened it, the first 64. */
  by: Map<string, Reach>;
}
/** A far end that was called. */
export interface ReachedState {
  ip: string;
  port: number;
  endpoint: Endpoint;
  established: number;
  by: Map<string, Reach>;
}
/** What was touched by whom, so that "what do we rotate?" is answered whatever is tagged later. */
export interface TouchedState {
  secrets: Map<string, SecretState>;
  hosts: Map<string, ReachedState>;
  /** Users that a login's processes ran as. */
  uids: Map<string, number[]>;
}
export interface SensorState {
  id: string;
  tier: string;
  status: "running" | "degraded" | "lost" | "tampered" | "stopped";
  since: Millis;
  /** Host time of the newest thing that it saw. */
  seen?: Millis;
  report: SensorReport;
}

/** Everything that the session's events say, and nothing else: plain data, made by `reduce` alone. */
export interface State extends DecidedState {
  session: string;
  host: { id: string; name: HostString };
  /** Sequence and host time of the last event. */
  sequence: number;
  now: Millis;
  started: Millis;
  /** Where places and networks of addresses come from, with the data's dates. */
  placesBy?: string;
  ended?: Millis;
  /** Raised by every event that changes the shape of the process tree: views rebuild their rows only then. */
  structure: number;
  /** Raised whenever a tag was made or taken back. */
  judged: number;
  processes: Map<string, ProcessState>;
  /** Those whose parent nobody saw: where every tree begins. */
  orphans: Set<string>;
  /** The live process of a pid. */
  pids: Map<number, string>;
  /** Processes of no login that have ended and stay, because they are judged or ran a new binary. */
  endedElsewhere: Ended;
  /** Exited leaves that were folded away and had no parent in the picture, by name: whose origin nobody saw, and services. */
  folded: { unseen: Record<string, number>; services: Record<string, number> };
  logins: Map<string, LoginState>;
  origins: Map<string, OriginState>;
  /** What the host remembers of the time before we came; empty until the look back is over. */
  past: { rows: PastState[]; at?: Millis; more: Record<string, number>; blind: string[] };
  /** How it was set up when we came, with what changed since. */
  setUp: Map<string, SetUpState>;
  /** Live connections, and the last 1,000 that ended. */
  connections: Map<string, ConnectionState>;
  /** The ended ones of these, in the order of their ends. */
  endedConnections: string[];
  peers: Map<string, PeerState>;
  /** Files that ran or changed, by path; of more than 20,000 those stay that matter most. */
  binaries: Map<string, BinaryState>;
  /** Left out until somebody asks. */
  sockets?: SocketsState;
  /** Names of addresses that somebody asked for. */
  names: Map<string, AddressNames>;
  containers: Map<string, ContainerState>;
  /** Files that somebody looked at for it, by the path that was executed or written. */
  owners: Map<string, OwnerState>;
  /** Files that never had a name and are no programs yet, the latest, with who wrote them (entity_id): what cron and sort make by the hour. */
  nameless: Map<HostString, string | undefined>;
  activity: ActivityState;
  /** Of the last event that is counted over time: its time, where it was counted, and our clock then (pace.ts). */
  pace?: { at: Millis; on: Millis; created: Millis };
  touched: TouchedState;
  /** Names of accounts by their id, as events told them. */
  users: Map<number, HostString>;
  sensors: Map<string, SensorState>;
  /** Who investigates, on whose word, how far; left out where nobody was asked. */
  card?: StartCard & { at: Millis };
  notes: { at: Millis; analyst: string; text: string; on?: Subject }[];
  counts: {
    events: number;
    execs: number;
    forks: number;
    ends: number;
    connections: number;
    /** Changes of files. */
    files: number;
    folded: number;
    /** All files that there were in `binaries`, and those that are no longer. */
    binaries: number;
    let_go: number;
    /** All that rules found, whether it is still in `findings` or not. */
    findings: number;
    /** The same of logins. */
    logins: number;
  };
}
