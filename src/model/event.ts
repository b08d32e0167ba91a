import type { Access, FileFacts, Ownership, PackageFacts, Secret } from "./file.ts";
import type { FileFlag, Mount } from "./file-flags.ts";
import type { HostString } from "./host-string.ts";
import type { KnownFile } from "./known-files.ts";
import type { CanaryKind, Unseen } from "./observation.ts";
import type { Past, SetUp } from "./past.ts";
import type { Role, Subject } from "./presence.ts";
import type { ProgramFacts } from "./program.ts";
import type { Confirmation, IsolationReport, Response } from "./response.ts";
import type { StartCard } from "./start-card.ts";

/** The schema version that every line carries in `stakeout.schema`; a change of meaning is a migration. */
export const SCHEMA = 1;

export type Action =
  | `process.${"start" | "fork" | "end" | "access" | "change"}`
  | `network.${"start" | "established" | "info" | "end" | "listen" | "sockets" | "names"}`
  | `file.${"creation" | "change" | "deletion" | "info" | "access" | "package"}`
  | `configuration.${"creation" | "change" | "deletion"}`
  | `login.${"start" | "end" | "attributed" | "info"}`
  | `origin.${"start" | "attributed"}`
  | `lookback.${Past["kind"] | "complete"}`
  | `finding.${"create" | "dismiss" | "restore" | "claim"}`
  | `tag.${"apply" | "remove"}`
  | `command.${"start" | "end"}`
  | `response.${"proposed" | "confirmed" | "dismissed" | "succeeded" | "failed"}`
  | "evidence.collect"
  | "note.add"
  | `sensor.${"start" | "report" | "clock" | "degraded" | "recovered" | "lost" | "tampered" | "stop"}`
  | `session.${"start" | "gap" | "resume" | "end" | "join" | "leave" | "handover" | "rule"}`
  | `baseline.${"process" | "connection" | "listener" | "isolation" | "secret" | "complete" | "inventory" | "added" | "removed"}`;

export type Verdict = "responder" | "known-good" | "suspect" | "intruder";

export interface Geo {
  country_iso_code?: string;
  country_name?: string;
  city_name?: string;
  location?: { lat: number; lon: number };
}
export interface AutonomousSystem {
  number: number;
  organization?: { name: string };
}
export interface Endpoint {
  ip: string;
  port?: number;
  /** Sent from here to the other end so far (ECS). */
  bytes?: number;
  geo?: Geo;
  as?: AutonomousSystem;
}
export type Transport = "tcp" | "udp" | "raw" | "packet";
/** What began a session on the host (ECS `process.entry_leader.entry_meta`). */
export interface EntryMeta {
  type: "sshd" | "console" | "cron" | "at" | "systemd-run" | "container" | "init" | "unknown";
  source?: Endpoint;
  /** Of a job: the entry that has it run, and who wrote that where it was seen being written. */
  entry?: JobEntry;
  /** Of what a service manager or a container runtime began for somebody: who asked for it. */
  asked_by?: Doer;
}
/** A process that did something, and what it began with: in the log it stands where the deed's consequence is told. */
export interface Doer {
  entity_id: string;
  entry_leader?: { entity_id: string; entry_meta: Pick<EntryMeta, "type" | "source"> };
  /** RFC 3339. */
  at: string;
}
/** An entry of cron or at. Left out of a job where none of the entries that were read has its command. */
export interface JobEntry {
  path: HostString;
  line?: HostString;
  /** Who was last seen to write its file when it appeared. Left out where nobody was: it was there before us, or no sensor saw who it was. */
  written_by?: Doer;
  /** Entries of the same command: it could have been any of them. */
  one_of?: number;
}
/** What began below a login or beside it, as `origin.start` tells it. */
export interface Origin {
  /** `tmux` and `screen` are their servers, which outlive the login; who looks at one has a client. */
  type: EntryMeta["type"] | "su" | "sudo" | "tmux" | "screen" | "client";
  /** The login that it belongs to, that wrote its entry, or that asked for it. */
  login?: string;
}
/** What a host tells of a login beside its socket. Root can forge all of it. */
export interface LoginInfo {
  method?: string;
  /** Fingerprint, "SHA256:…". */
  key?: string;
  /** Who says method and key: SSH_USER_AUTH of its environment, auth.log. */
  from: string[];
  /** Of the audit system, /proc/PID/loginuid and sessionid; left out where unset. */
  audit?: { loginuid?: number; session?: number };
  /** What contradicts the socket, a sentence each. */
  contradicts?: string[];
}
export interface EntryLeader {
  entity_id: string;
  entry_meta: EntryMeta;
}
export interface Process {
  /** `boot_id:pid:start_ns` on the boot clock. */
  entity_id: string;
  pid?: number;
  name?: HostString;
  executable?: HostString;
  args?: HostString[];
  /** How many there were, where `args` is cut. */
  args_count?: number;
  working_directory?: HostString;
  start?: string;
  parent?: { entity_id: string; pid?: number };
  entry_leader?: EntryLeader;
  tty?: { char_device: { major: number; minor: number } };
  /** What of its environment decides what it runs and whose agent it asks, `NAME=value` each (ECS). */
  env_vars?: HostString[];
  /** Its pid in the innermost pid namespace, where it is in a container and that was looked at. */
  vpid?: number;
  /** Its place in the unified hierarchy, as /proc/PID/cgroup has it behind `0::` (cgroups(7)): names its unit or container. */
  cgroup?: HostString;
}
export interface User {
  id?: string;
  name?: HostString;
  /** Whom su or sudo made of them (ECS `user.effective`). */
  effective?: { id?: string; name?: HostString };
}
/** Of `network.sockets`: the unix sockets with a name that were there when an analyst asked, those of one name as one. */
export interface UnixSockets {
  items: {
    /** Abstract ones begin with `@`. */
    path: HostString;
    type: "stream" | "datagram" | "seqpacket";
    listening: boolean;
    /** Accepted connections of it. */
    connections: number;
    /** Who holds it, the first 16; none: nobody's descriptor was found. */
    processes: { pid: number; entity_id?: string; name?: HostString }[];
  }[];
  /** Sockets without a name, and with one that were left out. */
  unnamed: number;
  more: number;
  /** What was not looked at. */
  why?: HostString;
}
/** Of `process.start` and `baseline.process` (ECS `container`): the container, and what the host's own files call it. */
export interface ContainerFacts {
  id: string;
  name?: HostString;
  image?: { name: HostString };
  runtime?: string;
}
export type Level = "informational" | "low" | "medium" | "high" | "critical";
/** What a rule says, with its evidence (Sigma's levels, ATT&CK's technique ids). */
export interface Finding {
  id: string;
  rule: string;
  title: string;
  level: Level;
  technique: string[];
  /** entity_ids of the processes that are its evidence: who did it first, then to whom. */
  entities: string[];
  path?: HostString;
  /** What a tag had hidden and is brought back into view with all below it: entity_ids of processes and logins. */
  exposes?: string[];
  /** Who did it, as the kernel names it: the pid may be one of another namespace. */
  by?: { pid: number; name: HostString };
}
/**
 * What a tag is on, where that is no one login or process: everything to which all of these apply. How each is read: src/state/criteria.ts.
 */
export interface Criteria {
  /** Name or numeric id: logins as that account, and what runs as it without a login. */
  user?: string;
  /** Address or CIDR that logins come from. */
  source?: string;
  /** Of the executable, in hexadecimal. */
  sha256?: string;
  /** The distribution's own file, as it was shipped. Never alone: the intruder's shell is that, too. */
  package?: "unchanged";
  /** systemd unit, such as `nginx.service`. */
  unit?: string;
  /** Container id, or the beginning of one. */
  container?: string;
  /** The command of a cron entry, as it stands in the crontab. */
  cron?: string;
  /** Pattern of the executable, or of the executable and its arguments: `*` and `?` as in a shell. */
  command?: string;
}
export type Selector = { login: string } | { process: string } | Criteria;
/** How far a tag holds: here, on this host in later sessions too, or (as a suggestion) wherever our team's profile is. */
export type TagScope = "session" | "host" | "profile";
/** What a tag hides, or shows again, of what was there when it was decided. */
export interface TagEffect {
  logins: number;
  processes: number;
  connections: number;
  binaries: number;
  /** Of the processes and binaries: those that something speaks against. */
  flagged: number;
}
export interface Tag {
  id: string;
  verdict: Verdict;
  selector: Selector;
  reason: string;
  /** "session" when left out. */
  scope?: TagScope;
  /** Flagged things are hidden too: the analyst was asked. */
  hides_flagged?: true;
  /** What it was said to do when it was decided. */
  effect?: TagEffect;
  /** The tag that it was made of, by editing. */
  replaces?: string;
  /** Where it was decided before: the time of that, and by whom. */
  kept?: { since: string; analyst: string };
}
/** Why a command was ended before it ended itself: it took too long, it wrote too much, an analyst asked for it, the connection was lost. */
export type CommandEnd = "time" | "size" | "analyst" | "lost";
/** Longest command that can be typed, in characters. */
export const LONGEST_COMMAND = 4000;
/** A command that an analyst ran on the host through the console. */
export interface RecordedCommand {
  id: string;
  /** As it was typed. */
  line: string;
  exit_code?: number;
  ended?: CommandEnd;
  /** Bytes that were kept of it, of both outputs. */
  bytes?: number;
  /** The beginning of what it wrote, both outputs as they came. */
  output?: HostString;
  /** All that was kept of it, in the session's folder, and the sha256 of that file. */
  file?: string;
  sha256?: string;
  /** It could not be run. */
  error?: string;
}
export interface SensorReport {
  /** Events of the host that were received since the sensor started. */
  received?: number;
  /** Events that the kernel dropped because its buffer was full (ring buffer `overrun` + `dropped events`). */
  lost?: number;
  /** Execs whose arguments were gone before they could be read. */
  raced?: number;
  /** Kernel events that belong to no process of this host (a namespaced host sees its neighbours' events too). */
  outside?: number;
  /** Lines of a collector that could not be decoded. */
  undecodable?: number;
  /** Bytes that wait on the host for the channel. */
  queue?: number;
  /** The host's clock minus ours, milliseconds. */
  clock_offset?: number;
  /** Host time of the last thing that was seen. */
  last_seen?: string;
  /** What the collector did to itself as a test: how often, how often it was seen, and when last. */
  canaries?: { sent: number; returned: number; last?: string };
  /** When each way of seeing was last shown to work by such a test (RFC 3339); what is left out is not proven. */
  proven?: Partial<Record<CanaryKind, string>>;
  /** Kernel memory of the trace buffers, bytes. */
  kernel_buffer?: number;
  /** What this tier cannot see, a sentence each. */
  blind?: string[];
  /** Namespace pids are mapped ("mapped") or the host is the machine itself ("init"). */
  pids?: "init" | "mapped";
  reason?: string;
}
export interface StakeoutFields {
  schema: number;
  session: string;
  sensor: string;
  tier: string;
  prev: string;
  unseen?: Record<string, Unseen>;
  analyst?: string;
  tag?: Tag;
  /** Of `command.start` and `command.end`. */
  command?: RecordedCommand;
  response?: Response;
  report?: SensorReport;
  isolation?: IsolationReport;
  /** Of `evidence.collect`. */
  evidence?: { what: string; source: HostString; file: string; sha256: string; bytes: number; complete: boolean; problem?: string };
  /** Binary facts that ECS has no field for. */
  binary?: {
    elf?: boolean;
    program?: ProgramFacts;
    random?: number;
    deleted?: boolean;
    origin?: "exec" | "folder";
    /** It never had a name in its folder (O_TMPFILE): `file.path` is '#' and its inode there. */
    nameless?: "plain" | "executable";
    /**
     * Of `file.creation`: it was moved here from there; it came whole, with another name or from where is not seen, so that nobody saw who
     * wrote it. Of `file.deletion`: it was moved out, to where was not seen.
     */
    moved_from?: HostString;
    moved_in?: true;
    moved_away?: true;
    /** Where it lies that few programs do, the gravest first. */
    flags?: FileFlag[];
    /** The mount that it lies on, the root's included; unseen where nobody could say. */
    mount?: Mount;
    package?: { name: string; unchanged: boolean };
  };
  /** Of a start: the file that an interpreter runs, outside of the packages' folders. */
  script?: { path: HostString; random?: number; flags?: FileFlag[] };
  ownership?: Ownership;
  /**
   * Of `file.info` whose digests are no word of the host's tools: they were made at the console, of so many bytes that were read over the
   * line. `size`: it had another when it was looked at, so it changed while it was read.
   */
  hashed?: { by: "console"; bytes: number; size?: number };
  /** Of `file.info` and `file.package`: what a list of the analyst's says of the content. */
  known?: KnownFile;
  sockets?: UnixSockets;
  /** Of `network.names`: the names of `destination.ip` by the analyst's resolver, or why there was no answer. */
  names?: { items: HostString[]; why?: string };
  access?: Access;
  secret?: Secret;
  finding?: Finding;
  note?: string;
  /** What a note or a claim is about; a note without one is about the session. */
  subject?: Subject;
  /** Of `finding.claim`: somebody has taken it on, is done with it, or gives it back. */
  claim?: Claim;
  /** Of `response.confirmed`. */
  confirmation?: Confirmation;
  /** Of `session.join`: the key that was shown and where it came from; `analyst` is whose it is. */
  joined?: { seat: string; role: Role; key?: string; address?: string };
  /** Of `session.leave`. */
  left?: { seat: string };
  /** Of `session.handover`: who may act on the host from here on. */
  handover?: { from: string; to: string };
  /** Of `session.rule`: how many must confirm what changes the host. */
  rule?: { people: 1 | 2 };
  /** Of `lookback.*`: what the host remembers; its times are `event.start` and `event.end`, since `@timestamp` is when it was read. */
  lookback?: Omit<Past, "first" | "last" | "user" | "effective" | "ip" | "port" | "path"> & { forgeable_by: string };
  /** Of `lookback.complete`: of which kind how many more there were, and what could not be read. */
  looked?: { more: Record<string, number>; blind: string[]; seconds: number };
  /** Of `baseline.inventory`, `baseline.added` and `baseline.removed`. */
  inventory?: { category: SetUp["category"]; items: Omit<SetUp, "category">[] };
  /** Of `origin.*`. */
  origin?: Origin;
  /** Of `login.info`. */
  login?: LoginInfo;
  /** Of `session.start` where it was known beforehand, of the `note.add` that answers it otherwise. The last one holds. */
  card?: StartCard;
  [key: string]: unknown;
}
export type Claim = "mine" | "done" | "free";
/** One line of `events.jsonl`. Unknown keys are kept by whoever reads and writes it. */
export interface StakeoutEvent {
  "@timestamp": string;
  event: {
    action: Action;
    category: string[];
    type: string[];
    sequence: number;
    created: string;
    kind: "event" | "alert" | "state";
    outcome?: "success" | "failure" | "unknown";
    /** Nanoseconds (ECS). */
    duration?: number;
    reason?: string;
    /** Of what was read about the past: when it was (ECS). */
    start?: string;
    end?: string;
  };
  host: { id: string; name: HostString };
  process?: Process;
  user?: User;
  network?: { transport?: Transport; direction?: "egress" | "ingress"; type?: "ipv4" | "ipv6" };
  source?: Endpoint;
  destination?: Endpoint;
  file?: FileFacts;
  package?: PackageFacts;
  container?: ContainerFacts;
  stakeout: StakeoutFields;
}

type Appended = "sequence" | "created" | "kind";
/** An event before the log has given it its place: no sequence, no host, no hash of the line before it. */
export interface EventDraft extends Omit<StakeoutEvent, "event" | "host" | "stakeout"> {
  event: Omit<StakeoutEvent["event"], Appended> & { kind?: StakeoutEvent["event"]["kind"] };
  stakeout: Omit<StakeoutFields, "schema" | "session" | "prev">;
}
