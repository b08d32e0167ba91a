import type { Command, Keymap } from "./command.ts";
import { keyLabel } from "./key-name.ts";
import { COMMANDS } from "./registry.ts";

/** Keys by command id, in the place of those of the registry; an empty list leaves a command to the palette. */
export type Bindings = Readonly<Record<string, readonly string[]>>;

/** A key that two commands would have. */
export interface Clash {
  key: string;
  /** The command that was given the key, and the one that has it too. */
  command: Command;
  other: Command;
}

/** The key that leaves at any time: it cannot be lost by a rebinding. */
const ALWAYS: Bindings = { quit: ["ctrl-c"] };

/** Keys that two commands would have with these bindings. */
export function clashes(bindings: Bindings): Clash[] {
  const found: Clash[] = [];
  const owner = new Map<string, Command>();
  // what was rebound comes last, so that it is named as the one to change
  const order = COMMANDS.toSorted((a, b) => Number(a.id in bindings) - Number(b.id in bindings));
  for (const command of order)
    for (const key of new Set(keysOf(command, bindings))) {
      const other = owner.get(key);
      if (other) found.push({ key, command, other });
      else owner.set(key, command);
    }
  return found;
}

/** The keymap of the registry with some commands rebound; of two commands with one key, the first has it. */
export function makeKeymap(bindings: Bindings = {}): Keymap {
  const byKey = new Map<string, Command>();
  const labels = new Map<string, readonly string[]>();
  for (const command of COMMANDS) {
    const keys = keysOf(command, bindings);
    for (const key of keys) if (!byKey.has(key)) byKey.set(key, command);
    labels.set(
      command.id,
      command.id in bindings ? keys.filter((key) => key !== "ctrl-c").map(keyLabel) : command.key.split(" ").filter(Boolean),
    );
  }
  const titles = new Map(COMMANDS.map(({ id, title }) => [id, title]));
  return {
    command: (key) => byKey.get(key),
    labels: (id) => labels.get(id) ?? [],
    label: (id) => labels.get(id)?.[0] ?? `:${titles.get(id) ?? id}`,
  };
}

const keysOf = (command: Command, bindings: Bindings) => {
  const own = bindings[command.id];
  return own ? [...own, ...(ALWAYS[command.id] ?? [])] : command.keys;
};

export const DEFAULT_KEYMAP: Keymap = makeKeymap();
