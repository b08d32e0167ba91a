import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RangeUnavailable } from "../available.ts";
import { mirror } from "../debootstrap.ts";
import { must } from "../machine.ts";

/** Kernels of Debian's cloud images, and the release of Debian that each is taken from. */
export const KERNELS = { "6.1": "bookworm", "5.10": "bullseye", "6.12": "trixie" } as const;
export type Kernel = keyof typeof KERNELS;

const META = "linux-image-cloud-amd64";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** The machine's mirror does not have it, or cannot be reached. */
export class KernelUnavailable extends RangeUnavailable {
  override name = "KernelUnavailable";
}

/**
 * Unpacks Debian's newest cloud kernel of that version below `folder`: `boot/vmlinuz-RELEASE` and `lib/modules/RELEASE`; gives RELEASE.
 * apt fetches and checks it with lists and sources of its own: the machine's stay as they are. Nothing of the package is run.
 */
export async function unpackKernel(kernel: Kernel, folder: string): Promise<string> {
  const suite = KERNELS[kernel];
  const apt = join(folder, "apt");
  const unpacked = join(folder, "unpacked");
  for (const made of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(apt, made), { recursive: true });
  writeFileSync(join(apt, "sources.list"), `deb [signed-by=${KEYRING}] ${await mirror(suite)} ${suite} main\n`);
  const own = [
    `Dir::Etc::sourcelist=${join(apt, "sources.list")}`,
    "Dir::Etc::sourceparts=/dev/null",
    `Dir::State::lists=${join(apt, "lists")}`,
    `Dir::Cache=${join(apt, "cache")}`,
    "APT::Sandbox::User=root", // the folder is readable by root alone
  ].flatMap((option) => ["-o", option]);
  try {
    await must(["apt-get", ...own, "-qq", "update"]);
    const depends = await must(["apt-cache", ...own, "depends", META]);
    const name = /^\s*Depends: (linux-image-\d\S+)$/m.exec(depends)?.[1];
    if (!name?.startsWith(`linux-image-${kernel}.`)) throw new Error(`${META} of ${suite} stands for ${name ?? "nothing"}`);
    await must(["env", "-C", apt, "apt-get", ...own, "-qq", "download", name]);
  } catch (error) {
    throw new KernelUnavailable(`Debian's kernel ${kernel} (${META} of ${suite}) could not be had: ${(error as Error).message}`);
  }
  const archive = readdirSync(apt).find((file) => file.endsWith(".deb"));
  if (archive === undefined) throw new KernelUnavailable(`apt said that it had fetched Debian's kernel ${kernel}, and there is none`);
  await must(["dpkg-deb", "-x", join(apt, archive), unpacked]);
  rmSync(apt, { recursive: true });
  const releases = readdirSync(join(unpacked, "boot")).flatMap((file) => (file.startsWith("vmlinuz-") ? [file.slice(8)] : []));
  if (releases.length !== 1) throw new Error(`${archive} holds ${releases.length} kernels, not one`);
  return releases[0] as string;
}
