import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Document, parseDocument, stringify } from "yaml";
import type { z } from "zod";
import type { Profile } from "#model/profile";
import { configFolder } from "../config-folder.ts";
import { EXIT, UserError } from "../exit.ts";
import { checkedYaml } from "../settings/checked-yaml.ts";
import { hostSchema, profileSchema } from "./schema.ts";

/** Largest file that is read, in bytes: it is written by hand. */
const LARGEST = 256 * 1024;
const MOST_PROFILES = 100;

export const profilesFolder = (env?: NodeJS.ProcessEnv): string => join(configFolder(env), "profiles");

/** Files of profiles, by name. */
export function profileFiles(folder = profilesFolder()): string[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return []; // no folder, no profiles
  }
  return names
    .filter((name) => /\.ya?ml$/.test(name) && !name.startsWith("."))
    .sort()
    .slice(0, MOST_PROFILES)
    .map((name) => join(folder, name));
}

/** A text file of ours. @throws UserError when it cannot be read, is too large or no text */
export function readText(file: string): string {
  try {
    if (statSync(file).size > LARGEST) throw new Error(`it has more than ${LARGEST / 1024} kB`);
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const why = error instanceof TypeError ? "it is not UTF-8 text" : (error as Error).message;
    throw new UserError(`${file} cannot be read: ${why}.`, EXIT.usage);
  }
}

const unknown = (names: readonly string[]) => (path: readonly PropertyKey[], name: string) =>
  path.length === 0 ? `there is nothing called "${name}"; there are ${names.join(", ")}` : `there is no "${name}" here`;

/** A profile's text. @throws UserError with `file:line:column` of every mistake */
export const parseProfile = (text: string, file: string): Profile => ({
  name: basename(file).replace(/\.ya?ml$/, ""),
  ...(checkedYaml(text, file, profileSchema, unknown(Object.keys(profileSchema.shape))).data as Omit<Profile, "name">),
});

export const readProfile = (file: string): Profile => parseProfile(readText(file), file);

/** All profiles that are in order, and what is wrong with the others: a mistake in one is no reason not to answer a call. */
export function readProfiles(files = profileFiles()): { profiles: Profile[]; problems: string[] } {
  const profiles: Profile[] = [];
  const problems: string[] = [];
  for (const file of files) {
    try {
      profiles.push(readProfile(file));
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  return { profiles, problems };
}

export type HostTags = z.output<typeof hostSchema>;

/** The file of what is kept for one host; a host is who has its SSH key: `fingerprint` is `SHA256:…`. */
export const hostFile = (fingerprint: string, folder = configFolder()): string =>
  join(folder, "hosts", `${fingerprint.replace(/^SHA256:/, "").replace(/[^A-Za-z0-9]/g, "-")}.yml`);

/** What is kept for a host; nothing where there is no file. @throws UserError when it has a mistake */
export function readHost(file: string): HostTags {
  try {
    statSync(file);
  } catch {
    return { tags: [] };
  }
  return checkedYaml(readText(file), file, hostSchema, unknown(Object.keys(hostSchema.shape))).data;
}

/** Writes a file as a whole or not at all, readable by the analyst alone. @throws Error */
export function writeWhole(file: string, text: string): void {
  const fresh = `${file}.${process.pid}.new`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(fresh, text, { mode: 0o600 });
  renameSync(fresh, file);
}

/** A file with its list `tags` changed; what else stands in it, comments too, stays. */
export function withTags(text: string | undefined, tags: readonly object[], more: Record<string, unknown> = {}): string {
  if (text === undefined || text.trim() === "") return stringify({ ...more, tags });
  const document = parseDocument(text);
  if (!(document instanceof Document) || document.errors.length > 0)
    throw new Error("the file has a mistake: stakeout profile check names it");
  document.set("tags", document.createNode(tags));
  return document.toString();
}
