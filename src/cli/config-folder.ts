import { homedir } from "node:os";
import { join } from "node:path";

/** Where what an analyst has set and kept lies (XDG base directories: $XDG_CONFIG_HOME). */
export const configFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "stakeout");
