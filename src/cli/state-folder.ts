import { homedir } from "node:os";
import { join } from "node:path";

/** Where what the program remembers between two runs lies (XDG base directories: $XDG_STATE_HOME). */
export const stateFolder = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "stakeout");
