import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { LONGEST_FILTER } from "#draw/filter/parse";
import type { FilterShelf, SavedFilter } from "#draw/settings";

const MOST_FILTERS = 200;
const kept = z.object({
  filters: z
    .array(z.object({ name: z.string().min(1).max(160), text: z.string().max(LONGEST_FILTER) }))
    .max(MOST_FILTERS)
    .default([]),
  /** The tour was shown. */
  tour: z.boolean().default(false),
});
type Kept = z.infer<typeof kept>;

/** What the console remembers between two runs, in one small file of the state folder. */
export class Memory {
  readonly #file: string;
  #now: Kept;

  constructor(file: string) {
    this.#file = file;
    this.#now = this.#read() ?? kept.parse({});
  }

  get tourSeen(): boolean {
    return this.#now.tour;
  }

  sawTour(): void {
    this.#change((now) => ({ ...now, tour: true }));
  }

  /** Named filters: those of the config file first, which cannot be changed from here, then those that were saved. */
  shelf(fixed: readonly SavedFilter[]): FilterShelf {
    const names = new Set(fixed.map(({ name }) => name));
    const inFile = (name: string) => (names.has(name) ? `the config file has a filter ${name}: change it there` : undefined);
    const memory = this;
    return {
      get all() {
        return [...fixed, ...memory.#now.filters.filter(({ name }) => !names.has(name))];
      },
      save: (name, text) =>
        inFile(name) ?? this.#change((now) => ({ ...now, filters: [...without(now, name), { name, text }].slice(-MOST_FILTERS) })),
      forget: (name) => inFile(name) ?? this.#change((now) => ({ ...now, filters: without(now, name) })),
    };
  }

  /** Another console may have written since: its changes are kept. In words, why it could not be kept on the disk; it holds for this run all the same. */
  #change(change: (now: Kept) => Kept): string | undefined {
    this.#now = change(this.#read() ?? this.#now);
    const fresh = `${this.#file}.${process.pid}.new`;
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      writeFileSync(fresh, `${JSON.stringify(this.#now, null, 2)}\n`, { mode: 0o600 });
      renameSync(fresh, this.#file);
      return undefined;
    } catch (error) {
      return `it holds for this run alone, it could not be kept: ${(error as Error).message}`;
    }
  }

  /** Undefined where there is none, or one that is damaged. */
  #read(): Kept | undefined {
    try {
      return kept.parse(JSON.parse(readFileSync(this.#file, "utf8")));
    } catch {
      return undefined;
    }
  }
}

const without = ({ filters }: Kept, gone: string) => filters.filter(({ name }) => name !== gone);
