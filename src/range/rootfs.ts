import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { ensureTools } from "./available.ts";
import { debootstrap, type OnProgress } from "./debootstrap.ts";
import { withLock } from "./lock.ts";

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
  "python3",
  "openssl",
  "kmod",
  "net-tools",
  "sudo",
  "tmux",
  "cron",
  "at",
  "screen",
  "lsof",
  "curl",
  "busybox-static",
  "dropbear-bin", // for the host that has nothing else (busybox-root.ts)
];
/** Raise when the way of building changes, so that an old cache is not taken for a new one. */
const RECIPE = 1;

export interface RootfsOptions {
  /** `fraction` is 0 to 1; `phrase` says what is being done. Called while building only. */
  onProgress?: OnProgress;
  say?: (line: string) => void;
  /** Packages of Debian's beside those that every host has: for what a benchmark stands beside. */
  packages?: readonly string[];
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
  const packages = [...PACKAGES, ...(options.packages ?? [])];
  await ensureTools(say);
  const cache = options.cache ?? join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "stakeout", "rootfs");
  const digest = createHash("sha256")
    .update(JSON.stringify([RECIPE, SUITE, process.arch, packages]))
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
        await debootstrap(unfinished, SUITE, packages, options.onProgress ?? (() => {}));
        renameSync(unfinished, finished);
      } finally {
        rmSync(unfinished, { recursive: true, force: true });
      }
      return finished;
    },
    () => say("another process is building the same root file system: waiting for it"),
  );
}
