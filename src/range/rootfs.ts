import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { ensureTools, RangeUnavailable } from "./available.ts";
import { withLock } from "./lock.ts";
import { exited, runLocal, startBound } from "./machine.ts";

const SUITE = "bookworm";
/** What the suspect host has beside Debian's minimal base. They go into its rootfs, never onto the machine. */
const PACKAGES = [
  "openssh-server",
  "nftables",
  "iptables",
  "conntrack",
  "iproute2",
  "procps",
  "perl",
  "python3-minimal",
  "sudo",
  "tmux",
  "cron",
  "at",
  "tmux",
  "screen",
  "lsof",
  "curl",
  "busybox-static",
];
/** Raise when the way of building changes, so that an old cache is not taken for a new one. */
const RECIPE = 1;

export interface RootfsOptions {
  /** `fraction` is 0 to 1; `phrase` says what is being done. Called while building only. */
  onProgress?: (progress: { fraction: number; phrase: string }) => void;
  say?: (line: string) => void;
  /** Where rootfs are kept; by default `${XDG_CACHE_HOME:-~/.cache}/stakeout/rootfs`. */
  cache?: string;
}

/**
 * Path of a clean Debian root file system for suspect hosts, read-only by agreement (hosts lay an overlay on it). Built once by
 * debootstrap(8) (about a minute, 200 MB) and cached by a digest of suite, packages and recipe. It is built under another name and
 * renamed when whole, so that an interrupted build never looks finished. Throws {@link RangeUnavailable} when it cannot be built.
 */
export async function prepareRootfs(options: RootfsOptions = {}): Promise<string> {
  const say = options.say ?? (() => {});
  await ensureTools(say);
  const cache = options.cache ?? join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "stakeout", "rootfs");
  const digest = createHash("sha256")
    .update(JSON.stringify([RECIPE, SUITE, process.arch, PACKAGES]))
    .digest("hex")
    .slice(0, 16);
  const finished = join(cache, digest);
  if (existsSync(finished)) return finished;
  mkdirSync(cache, { recursive: true, mode: 0o755 });
  return withLock(
    join(cache, `${digest}.lock`),
    async () => {
      if (existsSync(finished)) return finished; // somebody else has built it while we waited
      for (const name of readdirSync(cache))
        if (name.startsWith(`${digest}.new-`)) rmSync(join(cache, name), { recursive: true, force: true });
      const unfinished = join(cache, `${digest}.new-${randomBytes(4).toString("hex")}`);
      try {
        await build(unfinished, options.onProgress ?? (() => {}));
        renameSync(unfinished, finished);
      } finally {
        rmSync(unfinished, { recursive: true, force: true });
      }
      return finished;
    },
    () => say("another process is building the same root file system: waiting for it"),
  );
}

async function build(folder: string, onProgress: NonNullable<RootfsOptions["onProgress"]>): Promise<void> {
  const debootstrap = ["debootstrap", "--variant=minbase", `--include=${PACKAGES.join(",")}`, SUITE, folder, await mirror()];
  // Namespaces of its own: its mounts never show on the machine, and what it starts dies with it.
  const isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "--"];
  const child = startBound([...isolated, ...(await proxied()), ...debootstrap], ["ignore", "pipe", "pipe"]);
  const progress = debootstrapProgress();
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    if (stream)
      createInterface({ input: stream }).on("line", (line) => {
        tail.push(line);
        if (tail.length > 5) tail.shift();
        const step = progress(line);
        if (step) onProgress(step);
      });
  const code = await exited(child);
  if (code !== 0)
    throw new RangeUnavailable(
      `debootstrap could not build the suspect host's root file system (exit ${code}): ${tail.join(" | ")}; check the network and the apt mirror, then start again`,
    );
  for (const waste of ["var/cache/apt/archives", "var/lib/apt/lists"])
    for (const name of readdirSync(join(folder, waste)))
      if (name !== "lock" && name !== "partial") rmSync(join(folder, waste, name), { recursive: true, force: true });
  onProgress({ fraction: 1, phrase: "root file system ready" });
}

/** The machine's own Debian mirror (it may be the only one that is reachable), else Debian's. */
async function mirror(): Promise<string> {
  const { stdout } = await runLocal(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"]);
  const lines = stdout.split("\n").map((line) => line.split(" "));
  const debian = lines.filter(([uri]) => uri && /debian/i.test(uri) && !/security/i.test(uri));
  return debian.find(([, codename]) => codename === SUITE)?.[0] ?? debian[0]?.[0] ?? "http://deb.debian.org/debian";
}

/** apt's own proxy, which debootstrap's wget does not read. */
async function proxied(): Promise<string[]> {
  const { stdout } = await runLocal(["apt-config", "dump", "--format", "%v%n", "Acquire::http::Proxy"]);
  const proxy = stdout.trim();
  return proxy ? ["env", `http_proxy=${proxy}`] : [];
}

/**
 * A reader of debootstrap's lines ("I: Retrieving NAME VERSION", "I: Validating ...", "Extracting", "Unpacking", "Configuring"):
 * gives the fraction done so far, which never falls. The number of packages is not announced; about 155 for this list, and a longer
 * list only makes the bar wait at the end of its phase.
 */
export function debootstrapProgress(expected = 155): (line: string) => { fraction: number; phrase: string } | undefined {
  // phase -> [where it starts, its share of the time], measured: retrieving 30 %, extracting 10, unpacking 25, configuring 35
  const phases: Record<string, [number, number, number]> = {
    Retrieving: [0, 0.3, expected],
    Extracting: [0.3, 0.1, Math.round(expected * 0.57)],
    Unpacking: [0.4, 0.25, expected],
    Configuring: [0.65, 0.34, expected],
  };
  const seen = new Map<string, number>();
  let fraction = 0;
  return (line) => {
    const match = /^I: (Retrieving|Extracting|Unpacking|Configuring) (\S+)/.exec(line);
    const phase = phases[match?.[1] ?? ""];
    if (!match || !phase) return undefined;
    const [verb, what] = [match[1] as string, match[2] as string];
    const count = (seen.get(verb) ?? 0) + 1;
    seen.set(verb, count);
    const [start, share, total] = phase;
    fraction = Math.max(fraction, start + share * Math.min(1, count / total));
    return { fraction, phrase: `${verb.toLowerCase()} ${what.replace(/\.{3}$/, "")}` };
  };
}
