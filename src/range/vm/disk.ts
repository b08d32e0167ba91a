import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { RangeUnavailable } from "../available.ts";
import { makeKey } from "../keys.ts";
import { runLocal } from "../machine.ts";
import { guestFiles, INIT, UNITS } from "./guest-files.ts";
import { type Kernel, unpackKernel } from "./kernels.ts";

/** Modules of the initial ram disk, by which the guest finds its disk; what they need comes with them. */
const MODULES = ["virtio_pci", "virtio_blk", "ext4"];

/**
 * Puts a guest together: the root file system below an overlay in memory (it is shared and stays as it is), the kernel's modules, the
 * guest's files and accounts, then an ext4 image of all of it and an initial ram disk. In a mount namespace of its own, which ends with it.
 */
const ASSEMBLE = `set -e
rootfs=$1 folder=$2 release=$3 enabled=$4 masked=$5 modules=$6
w=$folder/work; mkdir "$w"; mount -t tmpfs -o mode=755 tmpfs "$w"; mkdir "$w/up" "$w/work" "$w/root" "$w/ram"
cd "$rootfs"; mount -t overlay overlay -o "lowerdir=.,upperdir=$w/up,workdir=$w/work" "$w/root"
cd "$w/root"
mkdir -p lib/modules; mv "$folder/unpacked"/lib/modules/"$release" lib/modules/ 2>/dev/null || mv "$folder/unpacked"/usr/lib/modules/"$release" lib/modules/
chroot . depmod "$release"
rm -f etc/ssh/ssh_host_* etc/machine-id; : >etc/machine-id
cp -a --no-preserve=ownership "$folder/files/." .
for user in ops reader; do chroot . useradd -m -s /bin/bash "$user"; mkdir -m 700 "home/$user/.ssh"; chroot . chown "$user:$user" "/home/$user/.ssh"; done
mkdir -p -m 700 root/.ssh
chroot . systemctl --quiet enable $enabled
chroot . systemctl --quiet mask $masked
cd "$w/ram"; mkdir bin modules proc sys dev root; cp "$w/root/bin/busybox" bin/; cp "$folder/init" init; chmod 755 init
for module in $modules; do chroot "$w/root" modprobe -S "$release" --show-depends "$module"; done | while read -r verb path rest; do
  [ "$verb" = insmod ] || continue # what is built in needs nothing
  name=$(basename "$path"); [ -e "modules/$name" ] && continue
  cp "$w/root$path" modules/; echo "$name" >>modules/order
done
busybox=$w/root/bin/busybox
"$busybox" find . | "$busybox" cpio -o -H newc 2>/dev/null | gzip -1 >"$folder/initrd"
mv "$folder/unpacked/boot/vmlinuz-$release" "$folder/vmlinuz"
cd "$folder"; rm -r unpacked files init
truncate -s 3G disk; mkfs.ext4 -q -O ^has_journal -E lazy_itable_init=1 -d "$w/root" disk
`;

/** What a guest is started from, in one folder. */
export interface Disk {
  /** ext4, a whole disk without partitions. */
  disk: string;
  vmlinuz: string;
  initrd: string;
  /** The guest's ssh host key; it is in the image, so it is known beforehand. */
  hostKey: string;
}

export const diskIn = (folder: string): Disk => ({
  disk: join(folder, "disk"),
  vmlinuz: join(folder, "vmlinuz"),
  initrd: join(folder, "initrd"),
  hostKey: join(folder, "host_key.pub"),
});

/** Makes the disk, kernel and initial ram disk of a guest in `folder`; about 20 s. `rootfs` is a Debian with systemd. */
export async function makeDisk(kernel: Kernel, rootfs: string, folder: string): Promise<Disk> {
  const release = await unpackKernel(kernel, folder);
  const hostKey = await makeKey(join(folder, "host_key"), "vm");
  const files = {
    ...guestFiles(),
    "etc/ssh/ssh_host_ed25519_key": hostKey.private,
    "etc/ssh/ssh_host_ed25519_key.pub": hostKey.public,
  };
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, "files", path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
    writeFileSync(file, text);
    chmodSync(file, path.endsWith("_key") ? 0o600 : path.startsWith("etc/sudoers.d/") ? 0o440 : 0o644);
  }
  chmodSync(join(folder, "files"), 0o755); // it becomes the guest's /
  writeFileSync(join(folder, "init"), INIT);
  const isolated = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private", "--"];
  const facts = [rootfs, folder, release, UNITS.enabled.join(" "), UNITS.masked.join(" "), MODULES.join(" ")];
  const { code, stderr } = await runLocal([...isolated, "/bin/sh", "-c", ASSEMBLE, "assemble", ...facts]);
  rmSync(join(folder, "work"), { recursive: true }); // empty: its mounts went with the namespace
  const made = diskIn(folder);
  if (code !== 0 || !existsSync(made.disk))
    throw new RangeUnavailable(`the disk of a virtual machine could not be made (exit ${code}): ${stderr.trim().slice(-600)}`);
  return made;
}
