import type { TierSight } from "./tiers.ts";

/** One thing that an investigation needs to see. */
export interface Sight {
  what: string;
  seen: "yes" | "partly" | "no";
  how: string;
  /** What to do about it before the call begins; missing where there is nothing to do. */
  todo?: string;
}

const KERNEL_TAINTS: readonly [bit: number, what: string][] = [
  [0, "a proprietary module"],
  [1, "a module loaded by force"],
  [12, "a module from outside the kernel's tree"],
  [13, "an unsigned module"],
  [15, "a live patch"],
];

/** What the host told (doctor.ts) as a list of what can be seen and what not, the most important first. */
export function sightsOf(told: ReadonlyMap<string, string>, tiers: readonly TierSight[]): Sight[] {
  const get = (key: string) => told.get(key) ?? "";
  const root = get("uid") === "0";
  if (told.get("perl") === "") return sightsOfShell(get, root, tiers);
  const taken = tiers.find((tier) => tier.taken);
  const better = tiers.find(
    (tier) => tier.works && !tier.taken && tier.id !== "audit" && tiers.indexOf(tier) < tiers.indexOf(taken as TierSight),
  );
  const audited = taken?.id === "audit"; // it traces where it can
  const traced = taken?.id.startsWith("tracefs") === true || (audited && told.get("tier tracefs+proc") === "");
  const kept = audited || (traced && taken?.id !== "tracefs+proc");
  const untraced = taken?.id === "cn_proc" || audited; // by the process connector
  const asRoot = root ? undefined : "Log in as root, or with an account that may sudo without a password.";
  const choose = better ? `Choose --collect ${better.choice}: ${better.id} works here.` : undefined;
  const sight = (what: string, seen: Sight["seen"], how: string, todo?: string): Sight => ({
    what,
    seen,
    how,
    ...(todo !== undefined && seen !== "yes" ? { todo } : {}),
  });
  return [
    sight("programs that run", traced || audited ? "yes" : "partly", `${taken?.id}: ${taken?.programs}`, asRoot ?? choose),
    sight("their arguments", kept ? "yes" : "partly", taken?.arguments ?? "", asRoot ?? choose),
    sight("who started them", taken?.id === "poll" ? "partly" : "yes", taken?.parents ?? "", asRoot ?? choose),
    traced && get("sockets") === ""
      ? sight("TCP connections", "no", "this kernel has no event of TCP states", "Watch the network elsewhere (a tap, the firewall's log).")
      : sight("TCP connections", traced ? "yes" : "partly", taken?.connections ?? "", asRoot ?? choose),
    sight(
      "UDP",
      "partly",
      traced && get("routes") !== ""
        ? "sockets that are connected or send, with their process; what only arrives is not"
        : "those that are there when we look: short ones are missed",
      "Watch DNS elsewhere (the resolver's log).",
    ),
    sight(
      "raw and packet sockets",
      "partly",
      "those that are there when we look: short ones are missed",
      "Watch the network elsewhere (a tap).",
    ),
    get("fanotify") === "yes" && root
      ? sight("new files", "yes", "with the process that wrote them, in /tmp, /dev/shm, /var/tmp, homes, cron and /etc")
      : get("inotify") === "yes"
        ? sight("new files", "partly", `without the process that wrote them (fanotify: ${get("fanotify")})`, asRoot)
        : sight("new files", "partly", "looked at once a second", asRoot),
    opens(get, root),
    traced && get("traces") === "yes"
      ? sight("who touches other processes", "partly", "signals and ptrace; not process_vm_readv and process_vm_writev, nor io_uring")
      : sight(
          "who touches other processes",
          untraced ? "partly" : "no",
          untraced ? "who begins to trace whom; no signals" : "neither signals nor ptrace",
          asRoot ?? choose,
        ),
    sight(
      "hashes of files",
      get("sha256") ? "yes" : told.has("sha256") ? "partly" : "no",
      get("sha256") ||
        "neither Digest::SHA nor sha256sum: new binaries are read over the line (64 MB each, 1 MB/s) and hashed at the console, programs of packages are not compared",
      "Compare programs of packages at your side: copy out what matters.",
    ),
    accounts(get, root, asRoot),
    around(get),
    trust(get),
  ];
}

function accounts(get: (key: string) => string, root: boolean, todo: string | undefined): Sight {
  const what = "other accounts' processes";
  if (root) return { what, seen: "yes", how: "everything in /proc" };
  const hides = get("hidepid");
  const seen = hides === "" || hides === "0" ? "partly" : "no";
  const how = hides ? `/proc is mounted with hidepid=${hides}` : "no executable, folder or files";
  return { what, seen, how, ...(todo === undefined ? {} : { todo }) };
}

function around(get: (key: string) => string): Sight {
  const what = "the machine around it";
  if (get("container") === "") return { what, seen: "yes", how: "this is the machine itself, its containers are among its processes" };
  return {
    what,
    seen: "no",
    how: "this is a container: the machine and its other containers are not seen",
    todo: "Log in to the machine.",
  };
}

/** What a shell sees where there is no perl. */
function sightsOfShell(get: (key: string) => string, root: boolean, tiers: readonly TierSight[]): Sight[] {
  const todo = `${root ? "" : "Log in as root. "}Have perl put on the host by its owner (Debian's perl-base is enough), then connect again.`;
  const taken = tiers.find((tier) => tier.taken);
  const traced = taken?.id === "tracefs+shell";
  const better = tiers.find(({ id, works }) => id === "tracefs+shell" && works && !traced);
  const more = better ? `Choose --collect ${better.choice}: ${better.id} works here.` : todo;
  const tcp = traced && get("sockets") !== "";
  const is = (what: string, seen: Sight["seen"], how: string): Sight => ({ what, seen, how });
  const links = get("ls") !== "";
  const hashes = get("sha256") !== "";
  return [
    traced
      ? is("programs that run", "yes", `${taken.id}: ${taken.programs}`)
      : { ...is("programs that run", "partly", `poll, by a shell: ${taken?.programs}, less often where there are thousands`), todo: more },
    traced && (get("od") || get("hexdump"))
      ? is("their arguments", "partly", taken.arguments)
      : get("od") || get("hexdump")
        ? is("their arguments", "partly", "of what is seen")
        : is("their arguments", "partly", "neither od nor hexdump: only those of shells that can read them by themselves"),
    is("who started them", traced ? "yes" : "partly", taken?.parents ?? ""),
    is(
      "TCP connections",
      tcp ? "yes" : "partly",
      tcp
        ? taken.connections
        : links
          ? "looked at once a second, with their process where it still holds them"
          : "looked at once a second; no ls: without their process",
    ),
    is("UDP", "partly", "those that are there when we look, every other second"),
    is("raw and packet sockets", "partly", "raw ones that are there when we look; packet sockets not at all"),
    is("new files", "partly", "by their names, in a few folders, once a second; without the process that wrote them"),
    is("who opens secrets, terminals, memory", "no", "needs perl"),
    traced && get("traces") !== ""
      ? is("who touches other processes", "partly", "signals and ptrace; not process_vm_readv and process_vm_writev, nor io_uring")
      : is("who touches other processes", "no", "neither signals nor ptrace"),
    is("what the host remembers", "partly", "its logs, logins and histories; not which files changed lately, nor lastlog"),
    is("which packages files belong to", "no", "needs perl"),
    is("hashes of files", hashes ? "yes" : "no", hashes ? "sha256sum" : "sha256sum, dd or stat is missing"),
    accounts(get, root, root ? undefined : todo),
    around(get),
    trust(get),
  ];
}

/** Who opens secrets and logs, another's terminal, a process's memory. */
function opens(get: (key: string) => string, root: boolean): Sight {
  const what = "who opens secrets, terminals, memory";
  if (!root || get("opens secrets") !== "yes")
    return { what, seen: "no", how: root ? "fanotify refuses" : "needs root", ...(root ? {} : { todo: "Log in as root, or by sudo." }) };
  const lacking = [
    get("opens terminals") === "yes" ? "" : "terminals",
    get("opens memory") === "yes" ? "" : "the memory of processes",
  ].filter(Boolean);
  const how = "with the process, the moment it opens them; connections to sockets of ssh agents and tmux are no events";
  return lacking.length === 0
    ? { what, seen: "partly", how }
    : { what, seen: "partly", how: `secrets and logs alone: this kernel (before 6.7) gives no handle of ${lacking.join(" and ")}` };
}

/** Whether the kernel, whose word all this is, can be believed. */
function trust(get: (key: string) => string): Sight {
  const tainted = /^\d{1,9}$/.test(get("tainted")) ? Number(get("tainted")) : 0;
  const taints = KERNEL_TAINTS.filter(([bit]) => (tainted >> bit) & 1).map(([, what]) => what);
  const guarded = get("lockdown") === "integrity" || get("lockdown") === "confidentiality";
  if (taints.length > 0)
    return {
      what: "the kernel's own word",
      seen: "partly",
      how: `it has loaded ${taints.join(", ")}: what such code hides is not seen`,
      todo: "Compare /proc/modules with what the host's owner expects; take a memory image if it cannot be explained.",
    };
  return {
    what: "the kernel's own word",
    seen: guarded ? "yes" : "partly",
    how: guarded ? `lockdown (${get("lockdown")})` : "no lockdown: root can load code that hides things, and no trace of it would be left",
    ...(guarded ? {} : { todo: "Nothing on the host can settle it: compare with the network's own record." }),
  };
}
