import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { ensureTools, RangeUnavailable, rangeAvailable } from "../available.ts";
import { debootstrap, type OnProgress } from "../debootstrap.ts";
import { withLock } from "../lock.ts";
import { type Disk, diskIn, makeDisk } from "./disk.ts";
import { GUEST, guestFiles, INIT, UNITS } from "./guest-files.ts";
import type { Kernel } from "./kernels.ts";
import { type Qemu, startQemu } from "./qemu.ts";

/** What a guest has beside Debian's minimal base and its kernel. */
const PACKAGES = [
  ...["systemd", "systemd-sysv", "udev", "dbus", "libpam-systemd", "kmod", "openssh-server", "perl", "python3-minimal"],
  ...["nftables", "iptables", "conntrack", "iproute2", "procps", "sudo", "cron", "busybox-static"],
];
const SUITE = "bookworm";
const TOOLS = { "qemu-system-x86_64": "qemu-system-x86", "mkfs.ext4": "e2fsprogs", "dpkg-deb": "dpkg", gzip: "gzip" };
/** Raise when the way of making, booting or saving changes, so that an old cache is not taken for a new one. */
const RECIPE = 1;
/** A boot by emulation takes 20 to 40 s; a machine that is five times slower, or busy, still has time. */
const BOOT_MS = 400_000;

export interface VmOptions {
  say?: (line: string) => void;
  onProgress?: OnProgress;
}

/** A guest that has booted once: what it goes on from. */
export interface Saved extends Disk {
  state: string;
}

/** Why no virtual machine can be made here, or undefined. */
export function vmAvailable(): string | undefined {
  if (process.arch !== "x64") return `the virtual machines are x86_64, and this machine is ${process.arch}`;
  return rangeAvailable(TOOLS);
}

/**
 * A guest with that kernel that has booted and is saved, from the cache beside the range's root file systems, else made: Debian's base with
 * systemd (a minute, once for all kernels), then a disk, a boot and its state (a minute a kernel, 1 GB). Throws {@link RangeUnavailable}
 * where it cannot be made, its kind `KernelUnavailable` where Debian's kernel cannot be had.
 */
export async function prepareVm(kernel: Kernel, options: VmOptions = {}): Promise<Saved> {
  const say = options.say ?? (() => {});
  const reason = vmAvailable();
  if (reason !== undefined) throw new RangeUnavailable(reason);
  await ensureTools(say, TOOLS);
  const rootfs = await kept(`root-${digest(SUITE, PACKAGES)}`, say, (folder) =>
    debootstrap(folder, SUITE, PACKAGES, options.onProgress ?? (() => {})),
  );
  const name = `${kernel}-${digest(RECIPE, SUITE, PACKAGES, kernel, GUEST, guestFiles(), INIT, UNITS, SETTLE)}`;
  const made = await kept(name, say, async (folder) => {
    mkdirSync(folder, { mode: 0o700 });
    say(`making a virtual machine with Debian's kernel ${kernel}: its disk`);
    const disk = await makeDisk(kernel, rootfs, folder);
    await bootOnce(disk, join(folder, "state"), say);
  });
  return { ...diskIn(made), state: join(made, "state") };
}

export const digest = (...parts: unknown[]) => createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);

/** `name` in the cache, made by `make` under another name and renamed when whole; one process makes it while others wait. */
export async function kept(name: string, say: (line: string) => void, make: (folder: string) => Promise<void>): Promise<string> {
  const cache = join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "stakeout", "vm");
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const finished = join(cache, name);
  if (existsSync(finished)) return finished;
  const waiting = () => say(`another process is making ${name}: waiting for it`);
  const work = async () => {
    if (existsSync(finished)) return finished;
    for (const old of readdirSync(cache)) if (old.startsWith(`${name}.new-`)) rmSync(join(cache, old), { recursive: true, force: true });
    const unfinished = join(cache, `${name}.new-${randomBytes(4).toString("hex")}`);
    try {
      await make(unfinished);
      renameSync(unfinished, finished);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
    return finished;
  };
  return withLock(join(cache, `${name}.lock`), work, waiting);
}

/** In the guest, when it is up: waits until nothing of its boot is at work any more. */
const SETTLE = `
while state=$(systemctl is-system-running); [ "$state" = starting ] || [ "$state" = initializing ]; do sleep 1; done
systemctl is-active ssh cron systemd-networkd >/dev/null || exit 1
until ip -4 addr show eth0 | grep -q inet; do sleep 0.5; done
sync
echo "$state"; systemctl --failed --plain --no-legend`;

/** Boots the guest on a network of its own in which nobody else is, lets it settle and saves it. A boot that fails is tried once more. */
async function bootOnce(disk: Disk, state: string, say: (line: string) => void): Promise<void> {
  for (let tries = 1; ; tries++) {
    const folder = mkdtempSync(join(tmpdir(), "stakeout-vm-"));
    const started = performance.now();
    let qemu: Qemu | undefined;
    try {
      const alone = `ip tuntap add vm mode tap && ip link set vm address ${GUEST.gatewayMac} up && exec "$@"`;
      qemu = await startQemu({ ...disk, folder, into: ["unshare", "--net", "/bin/sh", "-c", alone, "alone"], tap: "vm" });
      await within("boot", BOOT_MS, qemu, qemu.agent.hello(0));
      const booted = performance.now();
      const settled = await qemu.agent.run(SETTLE, { timeoutMs: BOOT_MS });
      if (settled.code !== 0) throw new Error(`its services did not come up: ${settled.stdout} ${settled.stderr}`);
      await qemu.save(state);
      const seconds = (from: number, to: number) => `${((to - from) / 1000).toFixed(1)} s`;
      say(
        `it booted in ${seconds(started, booted)} (${settled.stdout.trim().replaceAll("\n", "; ")}), saved after ${seconds(booted, performance.now())}`,
      );
      return;
    } catch (error) {
      const why = `${(error as Error).message}; its console said: ${qemu?.told().trim().slice(-800) ?? "nothing"}`;
      if (tries === 2) throw new RangeUnavailable(`a virtual machine could not be booted: ${why}`);
      say(`a virtual machine did not boot, and is tried once more: ${why}`);
    } finally {
      await qemu?.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** `what` of the guest, which must come within `ms` and before qemu ends. */
export async function within<T>(what: string, ms: number, qemu: Qemu, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the virtual machine's ${what} took over ${ms / 1000} s`)), ms);
  });
  const over = qemu.ended.then((code): never => {
    throw new Error(`qemu ended (exit ${code}) before the virtual machine's ${what} was done`);
  });
  over.catch(() => {});
  work.catch(() => {});
  try {
    return await Promise.race([work, late, over]);
  } finally {
    clearTimeout(timer);
  }
}
