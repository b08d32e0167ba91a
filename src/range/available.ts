import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { must, plainEnvironment, runLocal } from "./machine.ts";

/** The range cannot run here; the message says why and what to do. */
export class RangeUnavailable extends Error {
  override name = "RangeUnavailable";
}

/** Program -> the Debian package that brings it. */
type Tools = Readonly<Record<string, string>>;
const TOOLS: Tools = {
  debootstrap: "debootstrap",
  ip: "iproute2",
  unshare: "util-linux",
  nsenter: "util-linux",
  setpriv: "util-linux",
  flock: "util-linux",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
};

/**
 * Why the range cannot run on this machine, or undefined when it can. Missing programs are no reason where they can be installed
 * (root on Debian): see {@link ensureTools}. `more`: programs that are needed besides.
 */
export function rangeAvailable(more: Tools = {}): string | undefined {
  if (process.platform !== "linux") return `the range is made of Linux namespaces, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "the range makes network and pid namespaces, which needs root: run it as root, or with sudo";
  const missing = ["net", "pid", "mnt", "uts", "ipc", "cgroup"].filter((name) => !existsSync(`/proc/self/ns/${name}`));
  if (missing.length > 0) return `this kernel has no ${missing.join(", ")} namespaces`;
  if (!capable(21))
    return "root has no CAP_SYS_ADMIN here (a container?), so no namespaces can be made: run it on a machine or with --privileged";
  if (!existsSync("/proc/net/if_inet6")) return "this kernel has no IPv6, and the range speaks both";
  const filesystems = readFileSync("/proc/filesystems", "latin1");
  if (!/\btracefs\b/.test(filesystems)) return "this kernel has no tracefs, which the live sensors read";
  if (!/\boverlay\b/.test(filesystems) && !existsSync("/sys/module/overlay") && !overlayModule())
    return "this kernel has no overlay file system, which the suspect host's disk is made of";
  const needed = { ...TOOLS, ...more };
  const tools = missingTools(needed);
  if (tools.length > 0 && !isDebian())
    return `${tools.join(", ")} missing, and only on Debian can they be installed here: install ${packagesOf(tools, needed).join(", ")}`;
  return undefined;
}

/**
 * Installs what is missing with apt-get, after a line through `say`. Throws {@link RangeUnavailable} when the range cannot run,
 * or when the installation fails.
 */
export async function ensureTools(say: (line: string) => void, more: Tools = {}): Promise<void> {
  const reason = rangeAvailable(more);
  if (reason !== undefined) throw new RangeUnavailable(reason);
  const needed = { ...TOOLS, ...more };
  const missing = missingTools(needed);
  if (missing.length === 0) return;
  const packages = packagesOf(missing, needed);
  say(`installing ${packages.join(", ")} with apt-get (${missing.join(", ")} missing on this machine)`);
  const install = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "--no-install-recommends", ...packages];
  if ((await runLocal(install)).code !== 0) {
    say("the package lists are stale: apt-get update");
    try {
      await must(["apt-get", "update"]);
      await must(install);
    } catch (error) {
      throw new RangeUnavailable(
        `${packages.join(", ")} could not be installed: ${(error as Error).message}; install by hand and start again`,
      );
    }
  }
  const still = missingTools(needed);
  if (still.length > 0) throw new RangeUnavailable(`${still.join(", ")} still missing after apt-get install ${packages.join(" ")}`);
}

function missingTools(tools: Tools): string[] {
  const folders = (plainEnvironment()["PATH"] ?? "").split(":");
  return Object.keys(tools).filter((tool) => !folders.some((folder) => executable(`${folder}/${tool}`)));
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const packagesOf = (missing: readonly string[], tools: Tools) => [...new Set(missing.map((tool) => tools[tool] as string))];
const isDebian = () => existsSync("/etc/debian_version") && executable("/usr/bin/apt-get");

/** A loadable overlay module counts: mount(8) loads it. */
function overlayModule(): boolean {
  try {
    const release = readFileSync("/proc/sys/kernel/osrelease", "latin1").trim();
    return /\/overlay\.ko/.test(readFileSync(`/lib/modules/${release}/modules.dep`, "latin1"));
  } catch {
    return false;
  }
}

/** Bit `number` of our effective capabilities (capabilities(7); 21 is CAP_SYS_ADMIN). */
function capable(number: number): boolean {
  const mask = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? "0";
  return ((BigInt(`0x${mask}`) >> BigInt(number)) & 1n) === 1n;
}
