import { join } from "node:path";
import type { TagKeeper } from "#investigation/tags";
import type { Criteria, Tag } from "#model/event";
import { selectorKey } from "#state/criteria";
import { type HostTags, profileFiles, profilesFolder, readHost, readProfile, readText, withTags, writeWhole } from "./files.ts";

/** Where the team's tags go, where there is no profile yet or more than one. */
const TEAM = "team.yml";

/**
 * Keeps tags of a wider scope than the session in files on the analyst's machine, and never on the host: `host` is the file of this host,
 * `label` what it is called, `now` milliseconds since the epoch. Another console may have written since: each change is made to what is there.
 */
export function tagKeeper({
  host,
  label,
  now,
  profiles = profilesFolder(),
}: {
  host: string;
  label: string;
  now: () => number;
  profiles?: string;
}): TagKeeper {
  const change = (tag: Tag, analyst: string | undefined): string | undefined => {
    try {
      if (tag.scope === "host") changeHost(host, label, tag, analyst, now);
      else if (tag.scope === "profile") changeProfile(teamFile(profiles), tag, analyst !== undefined);
      return undefined;
    } catch (error) {
      return `it holds in this session alone, it could not be ${analyst === undefined ? "forgotten" : "kept"}: ${(error as Error).message.split("\n")[0]}`;
    }
  };
  return { keep: (tag, analyst) => change(tag, analyst), forget: (tag) => change(tag, undefined) };
}

const teamFile = (folder: string): string => {
  const files = profileFiles(folder);
  return files.length === 1 && files[0] !== undefined ? files[0] : join(folder, TEAM);
};

function changeHost(file: string, label: string, tag: Tag, analyst: string | undefined, now: () => number): void {
  const known = readHost(file);
  const others = known.tags.filter(({ selector }) => selectorKey(selector as Criteria) !== selectorKey(tag.selector));
  const { verdict, reason, hides_flagged: flagged } = tag;
  const kept: HostTags["tags"] =
    analyst === undefined
      ? others
      : [
          ...others,
          {
            verdict,
            selector: tag.selector as HostTags["tags"][number]["selector"],
            reason: reason || verdict,
            analyst,
            since: new Date(now()).toISOString(),
            ...(flagged ? { hides_flagged: true as const } : {}),
          },
        ];
  writeWhole(file, withTags(textOf(file), kept, { host: label }));
}

function changeProfile(file: string, tag: Tag, keep: boolean): void {
  const text = textOf(file);
  const known = text === undefined ? [] : readProfile(file).tags;
  const others = known.filter(({ selector }) => selectorKey(selector) !== selectorKey(tag.selector));
  const { verdict, selector, reason } = tag;
  writeWhole(file, withTags(text, keep ? [...others, { verdict, selector, reason: reason || verdict }] : others));
}

const textOf = (file: string): string | undefined => {
  try {
    return readText(file);
  } catch (error) {
    if (/ENOENT/.test((error as Error).message)) return undefined;
    throw error;
  }
};
