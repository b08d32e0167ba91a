import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import type { Profile } from "#model/profile";
import { EXIT, say, UserError } from "./exit.ts";
import { parseProfile, profileFiles, profilesFolder, readProfile, readText, writeWhole } from "./profiles/files.ts";
import { write } from "./standard-output.ts";

const count = (n: number, one: string) => `${n} ${one}${n === 1 ? "" : "s"}`;
const summary = ({ analysts, customer, tools, tags }: Profile): string => {
  const sum = (of: (analyst: Profile["analysts"][number]) => readonly string[]) => analysts.reduce((n, one) => n + of(one).length, 0);
  return [
    count(analysts.length, "analyst"),
    count(
      sum(({ keys }) => keys),
      "key",
    ),
    `${sum(({ addresses }) => addresses)} addresses`,
    count(
      sum(({ users }) => users),
      "account",
    ),
    ...(customer.length > 0 ? [`${count(customer.length, "network")} of the customer's`] : []),
    count(tools.length, "tool"),
    count(tags.length, "tag"),
  ].join(", ");
};

/** `stakeout profile list`: the profiles that are there. One with a mistake is named, and is no failure of the others. */
export async function listProfiles(): Promise<number> {
  const files = profileFiles();
  if (files.length === 0) say(`there is no profile in ${profilesFolder()}: stakeout profile import FILE takes one over`);
  let wrong = 0;
  for (const file of files) {
    try {
      const profile = readProfile(file);
      write(`${profile.name}: ${summary(profile)}`);
    } catch (error) {
      wrong += 1;
      say((error as Error).message);
    }
  }
  return wrong > 0 ? EXIT.failed : EXIT.ok;
}

/** `stakeout profile check [FILE...]`: every mistake by file, line and column. */
export async function checkProfiles(given: readonly string[]): Promise<number> {
  const files = given.length > 0 ? given : profileFiles();
  if (files.length === 0) say(`there is no profile in ${profilesFolder()}`);
  const problems: string[] = [];
  for (const file of files) {
    try {
      write(`${file}: in order (${summary(readProfile(file))})`);
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  if (problems.length > 0) throw new UserError(problems.join("\n"), EXIT.usage);
  return EXIT.ok;
}

/** `stakeout profile import FILE`: checked, then copied to where the console looks, so that two analysts suggest the same. */
export async function importProfile(file: string, { replace }: { replace?: boolean }): Promise<number> {
  const text = readText(file);
  const profile = parseProfile(text, file);
  if (!/^[\w][\w.-]*$/.test(profile.name))
    throw new UserError(`A profile's file has a plain name such as team.yml, and not ${basename(file)}.`, EXIT.usage);
  const target = join(profilesFolder(), `${profile.name}.yml`);
  const other = profileFiles().find((one) => basename(one).replace(/\.ya?ml$/, "") === profile.name);
  if (other !== undefined && existsSync(other) && readText(other) !== text && !replace)
    throw new UserError(`There is another profile of that name, ${other}: --replace puts this one in its place.`, EXIT.usage);
  writeWhole(other ?? target, text);
  write(`${profile.name}: ${summary(profile)}, in ${other ?? target}`);
  say("it suggests tags in the console (v), and makes none by itself");
  return EXIT.ok;
}
