import type { Keymap } from "#commands/command";
import { DEFAULT_KEYMAP } from "#commands/keymap";
import type { Look } from "./theme.ts";

/** A filter that was given a name. */
export interface SavedFilter {
  name: string;
  text: string;
  /** From the config file: it cannot be forgotten from the screen. */
  fixed?: true;
}

/** Where named filters are kept across sessions. What goes wrong is returned in words, for the analyst to read. */
export interface FilterShelf {
  readonly all: readonly SavedFilter[];
  save(name: string, text: string): string | undefined;
  forget(name: string): string | undefined;
}

/** What an analyst has chosen for every screen. */
export interface Settings {
  keymap: Keymap;
  /** A palette that is left out follows the terminal. */
  look: Look;
  mouse: boolean;
  filters: FilterShelf;
  /** The first run's tour: whether it is still to be shown, and that it was. */
  tour: { due: boolean; seen(): void };
}

/** What holds where nobody chose anything: filters last as long as the screen. */
export function defaultSettings(): Settings {
  let filters: readonly SavedFilter[] = [];
  return {
    keymap: DEFAULT_KEYMAP,
    look: {},
    mouse: true,
    filters: {
      get all() {
        return filters;
      },
      save: (name, text) => {
        filters = [...filters.filter((one) => one.name !== name), { name, text }];
        return undefined;
      },
      forget: (name) => {
        filters = filters.filter((one) => one.name !== name);
        return undefined;
      },
    },
    tour: { due: false, seen: () => {} },
  };
}
