import { keyLabel } from "#commands/key-name";
import { COMMANDS } from "#commands/registry";
import { STYLES } from "#draw/palettes";
import { type Config, THEMES } from "./schema.ts";

/** A config as a file that explains itself: what was set stands there, what holds anyway stands there as a comment. */
export function printConfig(config: Config, file: string, found: boolean): string {
  const yaml = (value: unknown) => JSON.stringify(value); // every JSON scalar and list is YAML
  const line = (set: boolean, text: string) => `${set ? "" : "#"}${text}`;
  const section = (name: string, entries: readonly string[]) => [
    line(
      entries.some((entry) => !entry.startsWith("#")),
      `${name}:`,
    ),
    ...entries,
  ];
  const keys = COMMANDS.map((command) => {
    const own = config.keys[command.id];
    const text = `  ${command.id}: ${yaml(own ?? command.keys.filter((key) => key !== "ctrl-c"))}`;
    return `${line(own !== undefined, text).padEnd(46)} # ${command.title}${own ? `; by itself ${command.keys.map(keyLabel).join(" ") || "no key"}` : ""}`;
  });
  const colours = STYLES.map((style) =>
    line(config.colours[style] !== undefined, `  ${style}: ${yaml(config.colours[style] ?? "#rrggbb")}`),
  );
  const filters = Object.entries(config.filters).map(([name, text]) => `  ${yaml(name)}: ${yaml(text)}`);
  return [
    "# Stakeout's settings: what holds now. A line with # before it holds anyway; take the # away to change it.",
    `# The file is ${file}${found ? "" : " (not there yet: stakeout config > FILE makes it)"}`,
    "",
    "# Who investigates, as the log names it. --analyst and STAKEOUT_ANALYST go before it.",
    line(config.analyst !== undefined, `analyst: ${yaml(config.analyst ?? "jm")}`),
    "",
    `# ${THEMES.join(", ")}. auto is light where the terminal says that it is light, else dark. NO_COLOR leaves colours out.`,
    line(config.theme !== "auto", `theme: ${config.theme}`),
    "",
    '# Own colours by meaning, as "#rrggbb". What is filled (brand, isolated, alarm, replay, button) gets it as its ground.',
    ...section("colours", colours),
    "",
    "# Clicks select, the wheel scrolls; Shift held selects text as usual. false leaves the mouse to the terminal.",
    line(!config.mouse, `mouse: ${config.mouse}`),
    "",
    "# Sentences in the place of a screen, for screen readers.",
    line(config.plain, `plain: ${config.plain}`),
    "",
    "# How a second analyst joins with ssh: files or folders with public keys (authorized_keys, *.pub), those who may only watch, and",
    "# where to listen; this machine alone unless an address is named, any free port unless one is.",
    ...section("pair", [
      line(config.pair.keys.length > 0, `  keys: ${yaml(config.pair.keys)}`),
      line(config.pair.watchers.length > 0, `  watchers: ${yaml(config.pair.watchers)}`),
      line(config.pair.address !== undefined, `  address: ${yaml(config.pair.address ?? "127.0.0.1")}`),
      line(config.pair.port !== undefined, `  port: ${config.pair.port ?? 2222}`),
    ]),
    "",
    "# Keys by command: one, or a list; [] leaves a command to the palette. Keys in dialogs (Enter, Esc, arrows) stay as they are.",
    ...section("keys", keys),
    "",
    "# Filters by name, as they are typed after /. Those saved on the screen with Ctrl-S are kept apart and come after these.",
    ...section("filters", filters.length > 0 ? filters : ['#  "abroad": "-country:de"']),
    "",
  ].join("\n");
}
