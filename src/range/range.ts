import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { planSides } from "./addresses.ts";
import { RangeUnavailable } from "./available.ts";
import { prepareBusyboxRoot } from "./busybox-root.ts";
import { layHostFiles } from "./host-files.ts";
import { HOST_START } from "./host-start.ts";
import { makeKey } from "./keys.ts";
import { exited, plainEnvironment, type Ran, runLocal, startBound, until } from "./machine.ts";
import { destroyNetwork, makeNetwork, namesAreMounted, unmountNames } from "./network.ts";
import { prepareRootfs, type RootfsOptions } from "./rootfs.ts";
import { claimSlot, type Slot } from "./slots.ts";
import { noteNamespace, removeInstances } from "./tracing.ts";
import { type Undo, undoAll } from "./undo.ts";

export interface RangeOptions extends Pick<RootfsOptions, "say" | "onProgress" | "packages"> {
  /**
   * true (default): the host has a pid namespace of its own, as in a container. false: its sshd runs in the machine's own pid
   * namespace (own network, mounts and name all the same), where a collector needs no mapping of pids: for benchmarks of its cost.
   */
  pidNamespace?: boolean;
  /** What the host is: Debian (default), or busybox and dropbear and nothing else. */
  system?: "debian" | "busybox";
}

export interface Range {
  readonly id: string;
  readonly host: { name: string; address: string; address6: string; port: number; user: "root" };
  /** Accounts with the analyst's key: `ops` may `sudo -n`, `reader` may nothing. */
  readonly accounts: { root: "root"; sudo: "ops"; plain: "reader" };
  /** An ssh_config(5) file in which `devbox` is the host. */
  readonly sshConfig: string;
  readonly keyFile: string;
  readonly knownHosts: string;
  /** Private key files of the others who have a login as root. */
  readonly keys: { intruder: string; responders: readonly [string, string] };
  /** Names for `ip netns exec`. */
  readonly netns: { analyst: string; intruder: string; responders: readonly [string, string]; c2: string; host: string; router: string };
  readonly addresses: { analyst: string; intruder: string; responders: readonly [string, string] };
  readonly c2: { address: string; address6: string; port: number; name: string };
  /** Machine-global pid of the host's pid 1 (of its sshd where it has no pid namespace). */
  readonly hostPid1: number;
  /** `argv` as a command that runs in the network namespace `netns`. */
  inNetns(netns: string, argv: readonly string[]): string[];
  /** Runs `argv` inside all namespaces of the host, not by ssh: ground truth for tests. Code 127 and the like are returned, not thrown. */
  onHost(argv: readonly string[], input?: string): Promise<Ran>;
  /** Ends every process of the range and takes back all it made on the machine. Can be called twice. Throws with the parts that would not go. */
  stop(): Promise<void>;
}

const HOST_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * Starts a range: a suspect host with a real sshd, a C2's, an intruder's, an analyst's and two responders' network, all of it
 * in namespaces with no way out. Takes about a second once the root file system is cached. Everything in it dies with this process.
 * Throws {@link RangeUnavailable} where it cannot run, with the host's own words when the host does not come up.
 */
export async function startRange(options: RangeOptions = {}): Promise<Range> {
  const { pidNamespace = true, system = "debian", ...rest } = options;
  const debian = await prepareRootfs(rest);
  const rootfs = system === "busybox" ? await prepareBusyboxRoot(debian) : debian;
  const namesWereMounted = namesAreMounted();
  const slot = await claimSlot();
  const sides = planSides(slot.number);
  const name = (role: string) => `${slot.id}-${role}`;
  const undo: Undo[] = [
    {
      what: "networks and files",
      run: async () => {
        await destroyNetwork(`${slot.id}-`);
        if (!namesWereMounted) await unmountNames();
        await removeInstances(slot.state);
        rmSync(slot.state, { recursive: true, force: true });
      },
    },
  ];
  let stopping: Promise<void> | undefined;
  const stop = () => {
    stopping ??= undoAll(undo);
    return stopping;
  };
  try {
    await makeNetwork(slot.id, Object.values(sides)).catch((error: Error) => {
      throw new RangeUnavailable(`the range's network could not be made: ${error.message}`);
    });
    const keys = await layOut(slot, sides, system);
    const hostPid1 = await startHost(slot, rootfs, { pidNamespace, system }, undo);
    noteNamespace(slot, hostPid1, pidNamespace);
    return {
      id: slot.id,
      host: { name: HOST, address: sides.host.addresses.v4, address6: sides.host.addresses.v6, port: 22, user: "root" },
      accounts: { root: "root", sudo: "ops", plain: "reader" },
      ...keys,
      netns: {
        analyst: name("analyst"),
        intruder: name("intruder"),
        responders: [name("responder1"), name("responder2")],
        c2: name("c2"),
        host: name("host"),
        router: name("router"),
      },
      addresses: {
        analyst: sides.analyst.addresses.v4,
        intruder: sides.intruder.addresses.v4,
        responders: [sides.responder1.addresses.v4, sides.responder2.addresses.v4],
      },
      c2: { address: sides.c2.addresses.v4, address6: sides.c2.addresses.v6, port: 443, name: C2_NAME },
      hostPid1,
      inNetns: (netns, argv) => ["ip", "netns", "exec", netns, ...argv],
      onHost: (argv, input) => runLocal(["nsenter", "-t", String(hostPid1), "-a", "env", "-i", `PATH=${HOST_PATH}`, ...argv], input),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const HOST = "devbox";
const C2_NAME = "cdn-updates.example";

/** What the office's name server knows: the host, machines that its people use (nobody answers there), and the C2. */
function namesIn({ host, responder1, responder2, c2 }: ReturnType<typeof planSides>): [string, string][] {
  const named: [string, { v4: string; v6: string }][] = [
    [`${HOST}.corp.example`, host.addresses],
    ["build.corp.example", responder1.addresses],
    ["git.corp.example", responder1.addresses],
    ["db01.corp.example", responder2.addresses],
    [C2_NAME, c2.addresses],
  ];
  return named.flatMap(([name, { v4, v6 }]): [string, string][] => [
    [name, v4],
    [name, v6],
  ]);
}

/** Keys, the host's files, and what an ssh client needs to reach the host. */
async function layOut(
  slot: Slot,
  sides: ReturnType<typeof planSides>,
  system: Host["system"],
): Promise<Pick<Range, "sshConfig" | "keyFile" | "knownHosts" | "keys">> {
  const at = (file: string) => join(slot.state, file);
  const names = ["analyst", "intruder", "responder1", "responder2", "host", "developer"] as const;
  const made = await Promise.all(names.map((name) => makeKey(at(name), name === "developer" ? "dev@devbox" : name)));
  const [analyst, intruder, responder1, responder2, host, developer] = made as [Key, Key, Key, Key, Key, Key];
  layHostFiles(at("files"), {
    name: HOST,
    system,
    machineId: createHash("sha256").update(slot.id).update(randomBytes(8)).digest("hex").slice(0, 32),
    names: namesIn(sides),
    rootKeys: [analyst, responder1, responder2, intruder].map((key) => key.public).join(""),
    analystKey: analyst.public,
    hostKey: host,
    developerKey: developer,
  });
  const [type, blob] = host.public.split(" ");
  writeFileSync(at("known_hosts"), `${sides.host.addresses.v4},${sides.host.addresses.v6} ${type} ${(blob as string).trim()}\n`);
  const config = [
    `Host ${HOST}`,
    `  HostName ${sides.host.addresses.v4}`,
    "  Port 22",
    "  User root",
    `  IdentityFile ${at("analyst")}`,
    "  IdentitiesOnly yes",
    `  UserKnownHostsFile ${at("known_hosts")}`,
    "  GlobalKnownHostsFile /dev/null",
    "",
  ];
  writeFileSync(at("ssh_config"), config.join("\n"));
  return {
    sshConfig: at("ssh_config"),
    keyFile: at("analyst"),
    knownHosts: at("known_hosts"),
    keys: { intruder: at("intruder"), responders: [at("responder1"), at("responder2")] },
  };
}
type Key = Awaited<ReturnType<typeof makeKey>>;

interface Host {
  pidNamespace: boolean;
  system: "debian" | "busybox";
}
const SHELL = { debian: "/bin/bash", busybox: "/bin/sh" } as const;

/** Starts the host in its namespaces and waits until its sshd listens; gives the machine-global pid of its pid 1. */
async function startHost(slot: Slot, rootfs: string, { pidNamespace, system }: Host, undo: Undo[]): Promise<number> {
  const netns = `${slot.id}-host`;
  const namespaces = ["unshare", "--mount", "--uts", "--ipc", "--cgroup", "--propagation", "private"];
  // --kill-child: when unshare dies, pid 1 of the host dies, and the kernel ends all of its pid namespace with it
  if (pidNamespace) namespaces.push("--pid", "--fork", "--kill-child");
  // what would reach beyond the host is dropped from everything that runs on it
  const dropped = ["setpriv", "--bounding-set", `-sys_module,-sys_time${pidNamespace ? "" : ",-sys_boot"}`, "--"];
  writeFileSync(join(slot.state, "start.sh"), HOST_START);
  const script = ["/bin/sh", join(slot.state, "start.sh"), rootfs, slot.state, HOST, pidNamespace ? "pid" : "shared", SHELL[system]];
  const logFile = join(slot.state, "host.log");
  const log = openSync(logFile, "a");
  const outer = startBound(["nsenter", `--net=/run/netns/${netns}`, ...namespaces, ...dropped, ...script], ["ignore", log, log]);
  closeSync(log);
  const ended = exited(outer);
  undo.push({
    what: "the suspect host",
    run: async () => {
      outer.kill("SIGKILL");
      await ended;
    },
  });
  if (!pidNamespace) undo.push({ what: "the suspect host's processes", run: guardShared(netns) });
  const died = ended.then((code) => {
    throw new RangeUnavailable(`the suspect host ended at its start (exit ${code}): ${readFileSync(logFile, "latin1").trim()}`);
  });
  died.catch(() => {}); // an end after the start is no failure of the start
  const pid1 = until("the suspect host's sshd to listen on port 22", () => {
    const pid = pidNamespace ? onlyChild(outer.pid as number) : outer.pid;
    return pid !== undefined && listens(pid, 22) ? pid : undefined;
  });
  return Promise.race([pid1, died]);
}

/**
 * Without a pid namespace nothing ends the host's processes with us: this shell does, when its pipe from us closes. It must
 * outlive us by a moment, so it is the one process of the range that is not bound to us by a signal.
 */
function guardShared(netns: string): () => Promise<void> {
  // again and again until there is none: what forks just then is not in the list yet
  const script = `read -r _; while pids=$(ip netns pids ${netns}); [ -n "$pids" ]; do kill -9 $pids; sleep 0.02; done`;
  const guard = spawn("/bin/sh", ["-c", script], { stdio: ["pipe", "ignore", "ignore"], env: plainEnvironment(), detached: true });
  return async () => {
    guard.stdin?.end();
    await exited(guard);
  };
}

function onlyChild(pid: number): number | undefined {
  try {
    const first = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ")[0];
    return first ? Number(first) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether something listens on the TCP port in the network namespace of `pid` (/proc/PID/net/tcp: state 0A is LISTEN). */
function listens(pid: number, port: number): boolean {
  const local = new RegExp(`^\\s*\\d+: [0-9A-F]+:${port.toString(16).toUpperCase().padStart(4, "0")} [0-9A-F:]+ 0A `, "m");
  return ["tcp", "tcp6"].some((file) => {
    try {
      return local.test(readFileSync(`/proc/${pid}/net/${file}`, "latin1"));
    } catch {
      return false;
    }
  });
}
