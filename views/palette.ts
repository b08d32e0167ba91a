import fuzzysort from "fuzzysort";
import type { Command, CommandContext } from "#commands/command";
import { COMMANDS, invoke, titleOf } from "#commands/registry";
import { refusalOf } from "#commands/roles";
import { edited } from "./field.ts";
import { filterKey } from "./filter/line.ts";
import { type Destination, findThings } from "./find.ts";
import type { Key } from "./keys.ts";
import type { LocalDialog, OwnMark, ScreenState } from "./screen-state.ts";
import type { FilterShelf, SavedFilter } from "./settings.ts";

/** Something that Enter does from the palette. `title` and `help` may hold host text. */
export interface PaletteEntry {
  title: string;
  help: string;
  /** How its keys are written. */
  keys: string;
  dangerous?: true;
  /** Why it cannot be done now. */
  disabled?: string;
  does: { command: Command } | { filter: SavedFilter } | { goTo: Destination };
}

export type PaletteDialog = LocalDialog & { kind: "palette" };

const LONGEST_TEXT = 80;
const MOST_THINGS = 6;
/** How well the letters must fit, 0 to 1: below this nobody sees why an entry is there. */
const THRESHOLD = 0.35;

/** What fits the typed text, best first: things of that pid, address or path, then commands, named filters and marks by their letters. */
export function paletteEntries(
  context: CommandContext,
  text: string,
  filters: readonly SavedFilter[],
  marks: readonly OwnMark[],
): PaletteEntry[] {
  const named = [...commands(context), ...filters.map(filterEntry), ...marks.map(markEntry)];
  const typed = text.trim();
  if (typed === "") return named.toSorted((a, b) => weight(a) - weight(b));
  const found = fuzzysort.go(typed, named, {
    keys: ["title", "help"],
    threshold: THRESHOLD,
    limit: 40,
    scoreFn: (result) => Math.max(result[0]?.score ?? 0, (result[1]?.score ?? 0) * 0.6),
  });
  const things = findThings(context.state, typed, MOST_THINGS).map(
    ({ name, what, goTo }): PaletteEntry => ({ title: `Go to ${name}`, help: what, keys: "", does: { goTo } }),
  );
  const best = found.map(({ obj }) => obj);
  // digits, dots and slashes are a thing's, letters are a command's
  return /[\d./:]/.test(typed) ? [...things, ...best] : [...best, ...things];
}

function commands(context: CommandContext): PaletteEntry[] {
  return COMMANDS.filter(({ id }) => id !== "palette").map((command): PaletteEntry => {
    const now = invoke(command, context);
    return {
      title: titleOf(command, context),
      help: command.help,
      keys: context.keymap.labels(command.id).join(" "),
      ...(command.dangerous ? { dangerous: true as const } : {}),
      ...("disabled" in now ? { disabled: refusalOf(command, context) ?? "" } : {}),
      does: { command },
    };
  });
}

const filterEntry = (filter: SavedFilter): PaletteEntry => ({
  title: `Filter ${filter.name}`,
  help: `/${filter.text}`,
  keys: filter.fixed ? "" : "Del forgets",
  does: { filter },
});

const markEntry = ({ pane, key, name }: OwnMark): PaletteEntry => ({
  title: `Go to your mark: ${name}`,
  help: "",
  keys: "",
  does: { goTo: { pane, ids: [key] } },
});

/** With nothing typed: what can be done now, named filters and marks, then movements, then what cannot be done. */
function weight(entry: PaletteEntry): number {
  if (entry.disabled !== undefined) return 3;
  return "command" in entry.does && entry.does.command.group === "move" ? 2 : 1;
}

/** What the palette must know of the screen that it is open on. */
interface Around {
  state: ScreenState;
  settings: { filters: FilterShelf };
  context(): CommandContext;
}

/** The open palette. What it offers stays as it was seen until another letter is typed: Enter means what stands there. */
export class Palette {
  #offered: { text: string; entries: readonly PaletteEntry[] } | undefined;

  entries(text: string, around: Around): readonly PaletteEntry[] {
    if (this.#offered?.text !== text)
      this.#offered = { text, entries: paletteEntries(around.context(), text, around.settings.filters.all, around.state.marks) };
    return this.#offered.entries;
  }

  /** A key: the screen after it, and what is to be done then. */
  press(key: Key, around: Around): { state: ScreenState; notice?: string; does?: PaletteEntry["does"] } {
    const { dialog, ...closed } = around.state;
    if (dialog?.kind !== "palette") return { state: around.state };
    const entries = this.entries(dialog.text, around);
    const chosen = entries[dialog.at];
    const stays = { state: around.state };
    if (key.name === "delete") return chosen && "filter" in chosen.does ? this.#forget(chosen.does.filter, around) : stays;
    if (key.name === "enter" && (!chosen || chosen.disabled !== undefined))
      return { ...stays, notice: chosen ? `${chosen.title}: ${chosen.disabled}` : "nothing is called that" };
    if (key.name === "enter" || key.name === "escape" || key.name === "ctrl-c") {
      this.#offered = undefined;
      if (key.name !== "enter" || !chosen) return { state: closed };
      if (!("filter" in chosen.does)) return { state: closed, does: chosen.does };
      const typed = { ...closed.filter, text: chosen.does.filter.text, typing: true };
      return { state: { ...closed, filter: filterKey(typed, { name: "enter" }) } };
    }
    const step = STEPS[key.name];
    if (step !== undefined) {
      const at = Math.min(Math.max(0, dialog.at + step), Math.max(0, entries.length - 1));
      return { state: { ...around.state, dialog: { ...dialog, at } } };
    }
    const text = edited(dialog.text, key, LONGEST_TEXT);
    return text === undefined ? stays : { state: { ...around.state, dialog: { ...dialog, text, at: 0 } } };
  }

  #forget({ name }: SavedFilter, { state, settings }: Around) {
    this.#offered = undefined;
    return { state, notice: settings.filters.forget(name) ?? `the filter ${name} is forgotten` };
  }
}

const STEPS: Record<string, number> = { up: -1, "shift-tab": -1, "ctrl-p": -1, down: 1, tab: 1, "ctrl-n": 1, pageup: -8, pagedown: 8 };
