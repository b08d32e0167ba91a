import { chmodSync, copyFileSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { withLock } from "./lock.ts";
import { must } from "./machine.ts";

/** What a router or a small appliance has: one program that is all of them, and a small SSH server. */
const SERVER = ["/usr/sbin/dropbear", "/usr/bin/dropbearkey", "/usr/lib/dropbear/dropbearconvert"];
/** Raise when the way of building changes, so that an old one is not taken for a new one. */
const RECIPE = 1;

/**
 * Path of a root file system of busybox and dropbear alone, 6 MB, made from the Debian one in a moment and kept beside it: no perl, no
 * python, no bash, no `ss`, no `nft`, no sudo.
 */
export async function prepareBusyboxRoot(rootfs: string): Promise<string> {
  const finished = `${rootfs}-busybox-${RECIPE}`;
  if (existsSync(finished)) return finished;
  return withLock(`${finished}.lock`, async () => {
    if (existsSync(finished)) return finished;
    const unfinished = `${finished}.new`;
    rmSync(unfinished, { recursive: true, force: true });
    await build(rootfs, unfinished);
    renameSync(unfinished, finished);
    return finished;
  });
}

async function build(rootfs: string, root: string): Promise<void> {
  for (const folder of [
    "bin",
    "usr/lib",
    "etc/dropbear",
    "proc",
    "sys",
    "dev",
    "run",
    "tmp",
    "root",
    "home",
    "srv",
    "opt",
    "var/log",
    "var/tmp",
  ])
    mkdirSync(join(root, folder), { recursive: true });
  chmodSync(join(root, "var/tmp"), 0o1777);
  for (const [link, to] of [
    ["sbin", "bin"],
    ["lib", "usr/lib"],
    ["lib64", "usr/lib"],
    ["usr/bin", "../bin"],
    ["usr/sbin", "../bin"],
    ["usr/lib64", "lib"],
  ] as const)
    symlinkSync(to, join(root, link));
  copyFileSync(join(rootfs, "bin/busybox"), join(root, "bin/busybox"));
  for (const file of [...SERVER, ...(await libraries(rootfs))]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    copyFileSync(join(rootfs, file), join(root, file));
  }
  await must(["chroot", root, "/bin/busybox", "--install", "-s", "/bin"]);
  const files = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "etc/group": "root:x:0:\nutmp:x:43:\nnogroup:x:65534:\n",
    "etc/shadow": "root:*:19700:0:99999:7:::\n",
    "etc/shells": "/bin/sh\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
  };
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
}

/** The loader and the shared objects that the SSH server is linked with, as paths of the root file system (ldd(1)). */
async function libraries(rootfs: string): Promise<string[]> {
  const said = await must(["chroot", rootfs, "ldd", ...SERVER]);
  return [...new Set([...said.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path as string))];
}
