import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { must } from "../machine.ts";
import type { Range } from "../range.ts";
import { packagesOf } from "./packages.ts";
import type { Vm } from "./vm.ts";

/**
 * Installs Debian's packages of `suite` in a guest as its owner would, with what they need and the guest has not; what they start is
 * started. apt fetches them outside, by the guest's own list of what is there, since the guest reaches no mirror.
 */
export async function installPackages(range: Range, vm: Vm, names: readonly string[], suite = "bookworm"): Promise<void> {
  const folder = mkdtempSync(`${range.sshConfig}.packages-`);
  const copy = (from: readonly string[], to: string) =>
    must(range.inNetns(range.netns.analyst, ["scp", "-q", "-F", vm.sshConfig, ...from, to]));
  try {
    await copy([`${vm.host.name}:/var/lib/dpkg/status`], join(folder, "guest"));
    const packages = await packagesOf(suite, folder, "amd64", join(folder, "guest"));
    const files = await packages.fetch(names, { needed: true });
    await vm.run("mkdir /run/packages");
    await copy(files, `${vm.host.name}:/run/packages/`);
    const { code, stderr } = await vm.run("dpkg -i /run/packages/*.deb && rm -r /run/packages", { timeoutMs: 300_000 });
    if (code !== 0) throw new Error(`${names.join(", ")} could not be installed in the virtual machine: ${stderr.slice(-600)}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
