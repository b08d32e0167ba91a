import { copyFileSync, cpSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { ensureTools, RangeUnavailable, rangeAvailable } from "../available.ts";
import { makeKey } from "../keys.ts";
import { exited, must, runLocal, startBound } from "../machine.ts";
import type { Range } from "../range.ts";
import { prepareRootfs } from "../rootfs.ts";
import { GUEST } from "./guest-files.ts";
import { packagesOf } from "./packages.ts";
import { digest, kept, type VmOptions } from "./saved.ts";
import type { Vm } from "./vm.ts";
import { clientFiles, onWire, TAP } from "./wire.ts";

const SUITE = "bookworm";
const META = "linux-image-cloud-arm64";
/** A server's least, and no systemd: it is up in seconds. Nothing of the packages is configured, since no program of theirs can run here. */
const PACKAGES = [
  "auditd",
  "base-files",
  "base-passwd",
  "bash",
  "busybox-static",
  "coreutils",
  "dash",
  "iproute2",
  "openssh-server",
  "perl",
  "procps",
];
const MODULES = ["virtio_pci", "virtio_net", "virtio_rng"];
const WASTE = ["boot", "usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/i18n", "lib/udev"];
const TOOLS = { "qemu-system-aarch64": "qemu-system-arm", "dpkg-deb": "dpkg" };
/** Raise when the way of making changes, so that an old cache is not taken for a new one. */
const RECIPE = 1;
/** A boot takes some five seconds; a busy machine still has time. */
const BOOT_MS = 180_000;

/** The guest's first and only script; the analyst's key comes with the kernel's command line. */
const INIT = `#!/bin/busybox sh
b=/bin/busybox; export PATH=/usr/sbin:/usr/bin:/sbin:/bin
$b mount -t proc proc /proc; $b mount -t sysfs sysfs /sys; $b mount -t devtmpfs dev /dev; $b mount -t tracefs tracefs /sys/kernel/tracing
$b mkdir -p /dev/pts /dev/shm; $b mount -t devpts devpts /dev/pts; $b mount -t tmpfs -o mode=1777 tmpfs /dev/shm
$b mount -t tmpfs -o mode=755 tmpfs /run; $b mkdir -m 755 /run/sshd
while read -r module; do $b insmod "/lib/modules/$module"; done </lib/modules/order
for word in $($b cat /proc/cmdline); do case $word in range.key=*) echo "ssh-ed25519 \${word#*=}" >/root/.ssh/authorized_keys;; esac; done
i=/bin/ip # not busybox's own
$i link set lo up; $i link set eth0 up
$i addr add ${GUEST.address}/24 dev eth0; $i addr add ${GUEST.address6}/64 dev eth0 nodad
$i route add default via ${GUEST.gateway}; $i -6 route add default via ${GUEST.gateway6}
$b hostname ${GUEST.name}
/usr/sbin/sshd
while :; do $b sleep 3600; done
`;

const FILES: Record<string, string> = {
  init: INIT,
  "etc/shadow": "root:*:1::::::\n",
  "etc/ssh/sshd_config": "PermitRootLogin prohibit-password\nPasswordAuthentication no\nUsePAM no\nUseDNS no\n",
};
const SSHD = "sshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n";

/** Why no arm64 machine can be made here, or undefined. */
export const arm64Available = (): string | undefined => rangeAvailable(TOOLS);

/** Its kernel and its whole disk, an archive that the kernel unpacks into memory (Documentation/driver-api/early-userspace/buffer-format.rst). */
interface Made {
  vmlinuz: string;
  initrd: string;
  hostKey: string;
}

/** From the cache beside the other guests, else made: half a minute, 150 MB. Throws {@link RangeUnavailable} where it cannot be made. */
async function prepareArm64({ say = () => {}, onProgress }: VmOptions): Promise<Made> {
  await ensureTools(say, TOOLS);
  const rootfs = await prepareRootfs({ say, ...(onProgress ? { onProgress } : {}) });
  const made = await kept(`arm64-${digest(RECIPE, SUITE, PACKAGES, MODULES, WASTE, FILES)}`, say, async (folder) => {
    mkdirSync(folder, { mode: 0o700 });
    say("making a virtual machine of arm64");
    try {
      await makeArchive(folder, join(rootfs, "bin/busybox"));
    } catch (error) {
      throw new RangeUnavailable(`an arm64 machine could not be made: ${(error as Error).message}`);
    }
  });
  return { vmlinuz: join(made, "vmlinuz"), initrd: join(made, "initrd"), hostKey: join(made, "host_key.pub") };
}

async function makeArchive(folder: string, busybox: string): Promise<void> {
  const [root, apt] = [join(folder, "root"), join(folder, "apt")];
  const packages = await packagesOf(SUITE, apt, "arm64");
  const kernel = (await packages.dependsOn(META)).find((one) => /^linux-image-\d/.test(one));
  if (kernel === undefined) throw new Error(`${META} of ${SUITE} stands for no kernel`);
  await packages.fetch([kernel]); // without the tools for initial ram disks that it asks for
  for (const file of await packages.fetch(PACKAGES, { needed: true })) await must(["dpkg-deb", "-x", file, root]);
  const release = kernel.slice("linux-image-".length);
  renameSync(join(root, "boot", `vmlinuz-${release}`), join(folder, "vmlinuz"));
  keepModules(join(root, "lib/modules"), release);
  for (const waste of WASTE) rmSync(join(root, waste), { recursive: true, force: true });
  for (const made of ["root/.ssh", "proc", "sys", "dev", "run", "tmp", "var/tmp"]) mkdirSync(join(root, made), { recursive: true });
  for (const [path, text] of Object.entries(FILES)) writeFileSync(join(root, path), text, { mode: path === "init" ? 0o755 : 0o644 });
  const accounts = readFileSync(join(root, "usr/share/base-passwd/passwd.master"), "latin1");
  writeFileSync(join(root, "etc/passwd"), accounts.replace(/^root:\*:/, "root:x:") + SSHD);
  copyFileSync(join(root, "usr/share/base-passwd/group.master"), join(root, "etc/group"));
  await makeKey(join(folder, "host_key"), "vm");
  renameSync(join(folder, "host_key"), join(root, "etc/ssh/ssh_host_ed25519_key"));
  const pack = 'cd "$1"; ln -sf dash bin/sh; chmod 700 root root/.ssh; chmod 1777 tmp var/tmp; "$2" find . | "$2" cpio -o -H newc >"$3"';
  await must(["/bin/sh", "-ec", pack, "pack", root, busybox, join(folder, "initrd")]);
  for (const used of [root, apt]) rmSync(used, { recursive: true });
}

/** Leaves of a kernel's modules those of {@link MODULES} and what they need, in one folder, with their order in the file `order`. */
function keepModules(folder: string, release: string): void {
  const files = new Map<string, string>();
  const plain = (file: string) => basename(file, ".ko").replaceAll("-", "_");
  for (const file of readdirSync(join(folder, release), { recursive: true, encoding: "utf8" }))
    if (file.endsWith(".ko")) files.set(plain(file), join(folder, release, file));
  const order: string[] = [];
  const take = (name: string) => {
    const file = files.get(name);
    if (file === undefined) throw new Error(`Debian's kernel ${release} has no module ${name}`);
    if (order.includes(basename(file))) return;
    const needs = /\0depends=([^\0]*)\0/.exec(`\0${readFileSync(file, "latin1")}`)?.[1] ?? ""; // its section .modinfo
    for (const needed of needs.split(",")) if (needed !== "") take(needed.replaceAll("-", "_"));
    order.push(basename(file));
    cpSync(file, join(folder, basename(file)));
  };
  for (const name of MODULES) take(name);
  writeFileSync(join(folder, "order"), order.map((file) => `${file}\n`).join(""));
  rmSync(join(folder, release), { recursive: true });
}

/** A suspect host with another processor: an emulated 64-bit ARM machine with Debian's kernel. {@link Vm.run} goes by ssh here. */
export type Arm64 = Pick<Vm, "host" | "sshConfig" | "knownHosts" | "run" | "stop">;

/**
 * Boots it on the range's wire, where no other virtual machine may be, and waits until it lets the analyst in. Its disk is its memory.
 * Whoever calls stops it before the range. Throws {@link RangeUnavailable} where it cannot be made or does not come up.
 */
export async function startArm64(range: Range, options: VmOptions = {}): Promise<Arm64> {
  const { vmlinuz, initrd, hostKey } = await prepareArm64(options);
  return onWire(range, async ({ folder, undo, stop }) => {
    const key = readFileSync(`${range.keyFile}.pub`, "latin1").split(" ")[1];
    const argv = [
      ...[
        "qemu-system-aarch64",
        "-machine",
        "virt",
        "-accel",
        "tcg,thread=multi,tb-size=256",
        "-cpu",
        "cortex-a57",
        "-smp",
        "1",
        "-m",
        "768",
      ],
      ...["-nodefaults", "-no-user-config", "-display", "none", "-kernel", vmlinuz, "-initrd", initrd],
      ...["-append", `console=ttyAMA0 quiet net.ifnames=0 panic=0 range.key=${key}`, "-serial", `file:${join(folder, "console")}`],
      ...["-netdev", `tap,id=net,ifname=${TAP},script=no,downscript=no`, "-device", `virtio-net-pci,netdev=net,mac=${GUEST.mac}`],
      ...["-device", "virtio-rng-pci"],
    ];
    const log = openSync(join(folder, "console"), "a");
    const child = startBound(range.inNetns(range.netns.router, argv), ["ignore", log, log]);
    undo.push({
      what: "a virtual machine",
      run: async () => {
        child.kill("SIGKILL");
        await exited(child);
      },
    });
    const files = clientFiles(range, folder, hostKey);
    const ssh = (seconds: number, script: string, input?: string) => {
      const client = ["timeout", `${seconds}`, "ssh", "-F", files.sshConfig, "-o", "ConnectTimeout=5", GUEST.name, script];
      return runLocal(range.inNetns(range.netns.analyst, client), input);
    };
    const end = performance.now() + BOOT_MS;
    for (let last = await ssh(30, "true"); last.code !== 0; last = await ssh(30, "true"))
      if (performance.now() > end || child.exitCode !== null) {
        const told = readFileSync(join(folder, "console"), "latin1").trim().slice(-800);
        throw new RangeUnavailable(`an arm64 machine did not come up: ${last.stderr.trim()}; its console said: ${told}`);
      }
    return {
      host: { name: GUEST.name, address: GUEST.address, address6: GUEST.address6 },
      ...files,
      async run(script, { input, timeoutMs = 60_000 } = {}) {
        const ran = await ssh(timeoutMs / 1000, script, input);
        if (ran.code === 124)
          throw new Error(`the virtual machine did not answer within ${timeoutMs / 1000} s to: ${script.slice(0, 200)}`);
        return ran;
      },
      stop,
    };
  });
}
