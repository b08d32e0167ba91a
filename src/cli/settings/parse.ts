import { keyNamed } from "#commands/key-name";
import { clashes } from "#commands/keymap";
import { STYLES } from "#draw/palettes";
import { type CheckedYaml, checkedYaml, type Problem } from "./checked-yaml.ts";
import { type Config, schema } from "./schema.ts";

/** Largest config file that is read, in bytes: it is written by hand. */
export const LARGEST_CONFIG = 256 * 1024;
/**
 * A config file's text, checked as a whole: either all of it holds, or none.
 * @throws UserError (exit code 2) that names every mistake as `file:line:column: what is wrong`, in the order of the file
 */
export function parseConfig(text: string, file: string): Config {
  const checked = checkedYaml(text, file, schema, (path, name) => unknown(path[0], name));
  const { config, wrong } = withKeys(checked.data, checked.place);
  if (wrong.length > 0) throw checked.refusal(wrong);
  return config;
}

/** What is said of a name that is not in the schema. */
function unknown(section: PropertyKey | undefined, name: string): string {
  if (section === "colours") return `nothing has the colour "${name}"; there are ${STYLES.join(", ")}`;
  if (section === "pair") return `there is no setting "${name}" of pair; there are keys, watchers, address, port`;
  if (section === "keys") return `there is no command "${name}": stakeout config lists them`;
  return `there is no setting "${name}"; there are ${Object.keys(schema.shape).join(", ")}`;
}

/** The keys by the parser's names; what is no key, and what two commands would have. */
function withKeys(config: Config, place: CheckedYaml<Config>["place"]): { config: Config; wrong: Problem[] } {
  const wrong: Problem[] = [];
  const bindings: Record<string, string[]> = {};
  for (const [id, written] of Object.entries(config.keys))
    bindings[id] = (written ?? []).flatMap((one) => {
      const key = keyNamed(one);
      if ("name" in key) return [key.name];
      wrong.push({ at: place(["keys", id]), what: `"${one}" ${key.wrong}` });
      return [];
    });
  for (const { key, command, other } of clashes(bindings)) {
    const at = place(["keys", command.id]);
    const both = `"${command.id}" (${command.title}) and "${other.id}" (${other.title})`;
    wrong.push({ at, what: `${both} would both have the key "${key}": give one of them another` });
  }
  return { config: { ...config, keys: bindings }, wrong };
}
