import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { RangeUnavailable } from "../available.ts";
import { must } from "../machine.ts";
import { packagesOf } from "./packages.ts";

/** Kernels of Debian's cloud images, and the release of Debian that each is taken from. */
export const KERNELS = { "6.1": "bookworm", "5.10": "bullseye", "6.12": "trixie" } as const;
export type Kernel = keyof typeof KERNELS;

const META = "linux-image-cloud-amd64";

/** The machine's mirror does not have it, or cannot be reached. */
export class KernelUnavailable extends RangeUnavailable {
  override name = "KernelUnavailable";
}

/**
 * Unpacks Debian's newest cloud kernel of that version below `folder`: `boot/vmlinuz-RELEASE` and `lib/modules/RELEASE`; gives RELEASE.
 * Nothing of the package is run.
 */
export async function unpackKernel(kernel: Kernel, folder: string): Promise<string> {
  const suite = KERNELS[kernel];
  const apt = join(folder, "apt");
  const unpacked = join(folder, "unpacked");
  let archive: string | undefined;
  try {
    const packages = await packagesOf(suite, apt);
    const name = (await packages.dependsOn(META)).find((one) => /^linux-image-\d/.test(one));
    if (!name?.startsWith(`linux-image-${kernel}.`)) throw new Error(`${META} of ${suite} stands for ${name ?? "nothing"}`);
    [archive] = await packages.fetch([name]);
  } catch (error) {
    throw new KernelUnavailable(`Debian's kernel ${kernel} (${META} of ${suite}) could not be had: ${(error as Error).message}`);
  }
  await must(["dpkg-deb", "-x", archive as string, unpacked]);
  rmSync(apt, { recursive: true });
  const releases = readdirSync(join(unpacked, "boot")).flatMap((file) => (file.startsWith("vmlinuz-") ? [file.slice(8)] : []));
  if (releases.length !== 1) throw new Error(`${META} of ${suite} holds ${releases.length} kernels, not one`);
  return releases[0] as string;
}
