import type { Mount } from "./file-flags.ts";
import type { HostString } from "./host-string.ts";
import type { ProgramFacts } from "./program.ts";

/**
 * Why a field is left out: it was gone before we could read it, we may not read it, or it was dropped on the way or too much at once
 * to be read.
 */
export type Unseen = "raced" | "denied" | "lost";

/** One way in which processes are watched, best first; what each needs and misses: sensors/tiers.ts. */
export const TIERS = [
  "tracefs+bpf",
  "tracefs+kprobe",
  "tracefs+eprobe",
  "audit",
  "tracefs+proc",
  "tracefs+shell",
  "cn_proc",
  "poll",
] as const;
export type TierId = (typeof TIERS)[number];
/** How much may be set up on the host, chosen before connecting: a netlink socket, trace instances, or probes in its kernel too. */
export const CHOICES = ["quiet", "standard", "full"] as const;
export type Choice = (typeof CHOICES)[number];
/** A choice, or one tier by name: then what is below it may be taken too, and nothing above. */
export type Collect = Choice | TierId;

/** Nanoseconds on the host's boot clock (CLOCK_BOOTTIME), which /proc's start times are on too. */
export type BootNs = number;

/** What could be read of a process in /proc at one moment. A field that is missing was not readable; `unseen` says why. */
export interface ProcFacts {
  ppid?: number;
  /** Field 22 of /proc/PID/stat, in clock ticks since boot (proc(5)). */
  startTicks?: number;
  session?: number;
  /** Field 7 of /proc/PID/stat: the controlling terminal, 0 for none. */
  tty?: number;
  uid?: number;
  euid?: number;
  /** /proc/PID/loginuid; 4294967295 when unset. Root can forge it. */
  loginuid?: number;
  comm?: HostString;
  executable?: HostString;
  /** The executable's file was unlinked while it runs (" (deleted)" in the link). */
  deleted?: boolean;
  cwd?: HostString;
  args?: HostString[];
  /** The argument list was longer than the collector reads. */
  argsCut?: boolean;
  /** How many arguments there were, where `argsCut` and the kernel told. */
  argc?: number;
  /** The kernel's record of the arguments did not come (over a trace page it is dropped without a word); `args` is its short twin. */
  argsVanished?: boolean;
  unseen?: Record<string, Unseen>;
}

export type TcpState = "ESTABLISHED" | "SYN_SENT" | "SYN_RECV" | "CLOSE" | "LISTEN" | "TIME_WAIT" | "OTHER";
export interface SocketAddress {
  ip: string;
  port: number;
}

/** What a file that somebody opens is to an investigation: `hosts` names other machines, `log` is what tells of the analysts themselves. */
export const SECRET_KINDS = ["password", "key", "hostkey", "cloud", "token", "history", "hosts", "log"] as const;
export type SecretKind = (typeof SECRET_KINDS)[number];

/** Decoded, not yet appended. `pid` is always the pid that the host itself would show. */
/** What a test of ours is, so that each way of seeing has one. */
export type CanaryKind = "program" | "connection" | "file" | "opening";

export type Observation =
  | {
      kind: "hello";
      bootId: string;
      machineId?: string;
      hostname: HostString;
      kernel: HostString;
      arch: string;
      cpus: number;
      ticksPerSecond: number;
      pids: "init" | "mapped";
      /** The collector's own pid, and the pid of the sshd that carries the console's connection (0 if not found). */
      self: number;
      sshd: number;
      uid: number;
      tier: TierId;
      kernelBufferBytes: number;
      /** What the collector could not set up, a sentence each. */
      blind: string[];
    }
  /** From here on another tier watches, or the same one set up anew. What /proc says of all processes follows, up to `snapshot-end`. */
  | {
      kind: "tier";
      ts: BootNs;
      tier: TierId;
      how: "tampered" | "degraded" | "recovered";
      reason: HostString;
      kernelBufferBytes: number;
      blind: string[];
    }
  | { kind: "clock"; boot: BootNs; wallNs: bigint }
  | { kind: "process"; pid: number; facts: ProcFacts }
  /** The cgroup of a process that was put into another than its parent's; told before the process itself is. */
  | { kind: "cgroup"; pid: number; path: HostString }
  /** On request: unix sockets of one name, `@` before it where it is abstract; who holds one, the first 16. `unix-end` follows the last. */
  | {
      kind: "unix-socket";
      type: "stream" | "datagram" | "seqpacket";
      listening: boolean;
      connections: number;
      path: HostString;
      pids: number[];
    }
  | { kind: "unix-end"; unnamed: number; more: number; why?: HostString }
  /** Of a process in a container: its pid in the innermost pid namespace. */
  | { kind: "pid-inside"; pid: number; inside: number }
  /** What the host's files call a container, and the image it was made of. */
  | { kind: "container"; id: string; name?: HostString; image?: HostString }
  | { kind: "snapshot-end"; processes: number; milliseconds: number }
  | { kind: "fork"; ts: BootNs; parent: number; pid: number }
  /** `path` is what the kernel was asked to execute; `facts.executable` what it resolved to. */
  | { kind: "exec"; ts: BootNs; pid: number; path: HostString; facts: ProcFacts }
  | { kind: "exit"; ts: BootNs; pid: number }
  /**
   * A TCP state change (tracepoint sock:inet_sock_set_state). `pid` only where the kernel's word can be trusted. `sk` is the kernel's
   * own name of the socket (the record's `skaddr`): it joins the changes of one connection, whose local port is 0 at SYN_SENT.
   */
  | { kind: "socket"; ts: BootNs; sk?: string; pid?: number; from: TcpState; to: TcpState; local: SocketAddress; remote: SocketAddress }
  /** A socket that was there at the first snapshot. */
  | {
      kind: "socket-found";
      transport: "tcp" | "udp";
      state: TcpState;
      local: SocketAddress;
      remote: SocketAddress;
      uid: number;
      pid?: number;
    }
  /** A socket of which the kernel tells nobody came or went since the last look; `inode` is its name. A packet socket has no addresses. */
  | {
      kind: "socket-polled";
      ts: BootNs;
      gone: boolean;
      transport: "udp" | "raw" | "packet";
      inode: string;
      local: SocketAddress;
      remote: SocketAddress;
      uid: number;
      pid?: number;
    }
  /** A process connects a UDP socket, or sends by one that is not connected. `local` has no address where none was chosen yet. */
  | { kind: "datagram"; ts: BootNs; pid: number; local: SocketAddress; remote: SocketAddress }
  /** What an established TCP connection has carried so far, bytes by our end's view, and its round trip in microseconds. */
  | { kind: "socket-carried"; ts: BootNs; local: SocketAddress; remote: SocketAddress; sent: number; received: number; rttUs: number }
  /** The connected socket that a per-connection sshd holds: where its login comes from. */
  | { kind: "login-peer"; ts: BootNs; pid: number; local: SocketAddress; remote: SocketAddress }
  /**
   * `nameless`: it was written and never had a name in its folder (O_TMPFILE); its path is '#' and the inode. `executable`: it may be run.
   * `from`: what was moved in was there before, in a folder that is watched too. `away`: it was moved out and not deleted, to where was not seen.
   */
  | {
      kind: "file";
      ts: BootNs;
      change: "created" | "moved-in" | "written" | "deleted";
      path: HostString;
      pid?: number;
      nameless?: "plain" | "executable";
      from?: HostString;
      away?: true;
    }
  | {
      kind: "file-info";
      path: HostString;
      size?: number;
      mode?: number;
      uid?: number;
      mtimeNs?: bigint;
      inode?: string;
      sha256?: string;
      sha1?: string;
      md5?: string;
      /** The host has nothing that computes a sha256. */
      unhashable?: true;
      /** The digests are made at the console, of so many bytes that were read over the line; without them, they are on their way. */
      streamed?: { bytes?: number };
      elf?: boolean;
      program?: ProgramFacts;
      /** The mount that it lies on; left out where nobody could say. */
      mount?: Mount;
      error?: HostString;
    }
  /**
   * Which package the file at `path` belongs to, by the host's own list: its digest is that list's, differs, or the list has none.
   * `unchanged`: the file is what it was at `stamp`; `file` is what the path leads to.
   */
  | {
      kind: "file-owner";
      path: HostString;
      file?: HostString;
      manager?: "dpkg" | "rpm";
      package?: HostString;
      version?: HostString;
      found: "same" | "differs" | "undigested" | "none" | "unchanged" | "unknown";
      sha256?: string;
      sha1?: string;
      md5?: string;
      stamp?: string;
      why?: HostString;
    }
  /** A process opened a file, folder or terminal that is watched for it; `held`: a terminal that was handed to it, found in its descriptors. */
  | { kind: "file-open"; ts: BootNs; pid: number; path: HostString; held?: true }
  /** `by` traced `pid` (ptrace), or sent it a signal. */
  | { kind: "process-access"; ts: BootNs; how: "trace" | "signal"; by: number; pid: number; signal?: number }
  /** What of its environment decides what it runs and whose agent it asks, `NAME=value` each; told where it changes within a session. */
  | { kind: "environment"; ts: BootNs; pid: number; variables: HostString[] }
  /** A secret that lies on the host: never its content. `publicKey` is the blob that a fingerprint is made of (RFC 4253, 6.6). */
  | {
      kind: "secret";
      path: HostString;
      what: SecretKind;
      uid: number;
      gid: number;
      mode: number;
      size: number;
      publicKey?: Buffer;
      cipher?: HostString;
      hosts?: HostString[];
    }
  | { kind: "user"; uid: number; name: HostString }
  /**
   * Something that the collector does to itself, so that the way of everything else is tested: a program that it runs (`id` is the pid),
   * a connection of its own to 127.0.0.1 (`id` is the port), a file without a name in memory, or its opening of a file that is watched for
   * it (`path` of both; `id` is 0). Told before the event of it can come; a program's again, with the time of now, while it has not begun.
   */
  | { kind: "canary"; ts: BootNs; what: CanaryKind; id: number; path?: HostString }
  | {
      kind: "tick";
      ts: BootNs;
      lost: number;
      outside: number;
      unmapped: number;
      cpuMs: number;
      rssKb: number;
      /** Bytes that wait at the collector for the channel. */
      queue?: number;
      /** Lines that the decoder could not read so far. */
      undecodable?: number;
    }
  /** `tampered`: somebody's hand; `files-lost`: of files or openings the kernel had more to tell than it keeps; `passing`: what was not seen, or not whole, for a while. */
  | { kind: "problem"; what: HostString; fatal: boolean; about?: "tampered" | "files-lost" | "passing" };
