import { EXIT, say } from "./exit.ts";
import { readConfig } from "./settings/open.ts";
import { printConfig } from "./settings/print.ts";
import { write } from "./standard-output.ts";

/** Prints the settings that hold now as a file that explains itself; with `check`, only says whether the file is in order. */
export async function config(options: { settings?: string; check?: boolean }): Promise<number> {
  const { file, found, config } = await readConfig(options.settings);
  if (options.check) say(found ? `${file} is in order` : `${file} is not there: everything is as it comes`);
  else write(printConfig(config, file, found).trimEnd());
  return EXIT.ok;
}
