import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mirror } from "../debootstrap.ts";
import { must } from "../machine.ts";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Packages of one release of Debian, fetched and checked by apt. Its errors are thrown with apt's own words. */
export interface Packages {
  /** What a package depends on, by name, as apt-cache(8) tells it. */
  dependsOn(name: string): Promise<string[]>;
  /** These alone, or with `needed` all that they need and that is not there yet; gives the .deb files. Nothing of them is run. */
  fetch(names: readonly string[], how?: { needed: boolean }): Promise<string[]>;
}

/**
 * Packages of `suite`, with lists, sources and a cache in `folder`: the machine's own stay as they are.
 * `architecture` is Debian's name; `installed` a dpkg status file that says what is there already: nothing without it.
 */
export async function packagesOf(suite: string, folder: string, architecture = "amd64", installed?: string): Promise<Packages> {
  const [sources, archives] = [join(folder, "sources.list"), join(folder, "cache/archives")];
  for (const made of [join(folder, "lists/partial"), join(archives, "partial")]) mkdirSync(made, { recursive: true });
  writeFileSync(sources, `deb [arch=${architecture} signed-by=${KEYRING}] ${await mirror(suite)} ${suite} main\n`);
  writeFileSync(join(folder, "status"), "");
  const own = [
    `APT::Architecture=${architecture}`,
    `APT::Architectures::=${architecture}`,
    `Dir::Etc::sourcelist=${sources}`,
    "Dir::Etc::sourceparts=/dev/null",
    `Dir::State::lists=${join(folder, "lists")}`,
    `Dir::State::status=${installed ?? join(folder, "status")}`,
    `Dir::Cache=${join(folder, "cache")}`,
    "APT::Sandbox::User=root", // the folder is readable by root alone
  ].flatMap((option) => ["-o", option]);
  await must(["apt-get", ...own, "-qq", "update"]);
  return {
    dependsOn: async (name) => {
      const told = await must(["apt-cache", ...own, "depends", name]);
      return [...told.matchAll(/^\s*Depends: (\S+)$/gm)].map(([, needed]) => needed as string);
    },
    fetch: async (names, { needed } = { needed: false }) => {
      if (needed) await must(["apt-get", ...own, "-qq", "-y", "--no-install-recommends", "--download-only", "install", ...names]);
      else await must(["env", "-C", archives, "apt-get", ...own, "-qq", "download", ...names]);
      const files = readdirSync(archives).filter((file) => file.endsWith(".deb"));
      const missing = names.filter((name) => !files.some((file) => file.startsWith(`${name}_`)));
      if (missing.length > 0) throw new Error(`apt said that it had fetched ${missing.join(", ")}, and there is none`);
      return files.map((file) => join(archives, file));
    },
  };
}
