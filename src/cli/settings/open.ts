import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { makeKeymap } from "#commands/keymap";
import type { Style } from "#draw/palettes";
import type { Settings } from "#draw/settings";
import { configFolder } from "../config-folder.ts";
import { EXIT, UserError } from "../exit.ts";
import { stateFolder } from "../state-folder.ts";
import { Memory } from "./memory.ts";
import { LARGEST_CONFIG, parseConfig } from "./parse.ts";
import { type Config, schema } from "./schema.ts";

/** A config and where it is, or would be. */
export interface ConfigFile {
  file: string;
  /** There is such a file. */
  found: boolean;
  config: Config;
}

/** The config file: `given`, else $XDG_CONFIG_HOME/stakeout/config.yaml (XDG base directories). */
const configFile = (given: string | undefined, env: NodeJS.ProcessEnv) =>
  given === undefined ? join(configFolder(env), "config.yaml") : resolve(given);

/**
 * Reads the config. One that nobody named may be missing: then everything is as it comes.
 * @throws UserError (exit code 2) for a file that cannot be read, or has a mistake
 */
export async function readConfig(given?: string, env: NodeJS.ProcessEnv = process.env): Promise<ConfigFile> {
  const file = configFile(given, env);
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && given === undefined) return { file, found: false, config: schema.parse({}) };
    throw new UserError(`The config file cannot be read: ${(error as Error).message}.`, EXIT.usage);
  }
  if (bytes.length > LARGEST_CONFIG)
    throw new UserError(`${file} has more than ${LARGEST_CONFIG / 1024} kB: that is no config file.`, EXIT.usage);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${file} is not UTF-8 text.`, EXIT.usage);
  }
  return { file, found: true, config: parseConfig(text, file) };
}

/** What the screen is to be like: the config, and what earlier runs left. */
export async function openSettings(given?: string, env: NodeJS.ProcessEnv = process.env): Promise<Settings> {
  const { config } = await readConfig(given, env);
  const memory = new Memory(join(stateFolder(env), "console.json"));
  const colours = Object.fromEntries(
    Object.entries(config.colours).map(([style, text]) => [style, Number.parseInt((text ?? "").slice(1), 16)]),
  ) as Partial<Record<Style, number>>;
  return {
    keymap: makeKeymap(config.keys as Record<string, string[]>),
    look: { ...(config.theme === "auto" ? {} : { palette: config.theme }), colours },
    mouse: config.mouse,
    filters: memory.shelf(Object.entries(config.filters).map(([name, text]) => ({ name, text, fixed: true as const }))),
    tour: { due: !memory.tourSeen, seen: () => memory.sawTour() },
  };
}
