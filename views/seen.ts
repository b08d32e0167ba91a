import { PANES, type PaneName } from "#commands/pane";
import type { State } from "#state/state";
import { loadWorldMap, type WorldMap } from "./charts/world-map.ts";
import { Details } from "./panes/details.ts";
import { type Lists, type Look, RowCache } from "./rows/cache.ts";
import { type Cursor, locate, scrollTop } from "./screen-state.ts";
import type { ViewStore } from "./store.ts";

/** Where a pane is scrolled to, and the row of its cursor then. */
interface Scrolled {
  top: number;
  key: string | undefined;
  index: number;
}

/** What one analyst has before the eyes: the state, or a copy of it that was frozen; the rows made of it, and how far they are scrolled. */
export class Seen {
  readonly cache: RowCache;
  readonly details: Details;
  readonly #store: ViewStore;
  readonly #changed: () => void;
  readonly #scroll = Object.fromEntries(PANES.map(({ name }) => [name, { top: 0, key: undefined, index: 0 }])) as Record<
    PaneName,
    Scrolled
  >;
  /** A copy of what was seen when the picture was frozen. */
  #frozen: { state: State; now: number } | undefined;
  #world: WorldMap | string | "loading" | undefined;

  /** `changed` is called when something may look different without a key or an event. */
  constructor(store: ViewStore, changed: () => void) {
    this.#store = store;
    this.#changed = changed;
    // in a replay that stands still all that happens is the analyst's own doing: none of it is put off
    const still = () => store.meta.replay?.playing === false;
    this.cache = new RowCache(changed, still);
    this.details = new Details(changed, still);
  }

  get state(): State {
    return this.#frozen?.state ?? this.#store.state;
  }
  get now(): number {
    return this.#frozen?.now ?? this.#store.now();
  }
  get frozen(): boolean {
    return this.#frozen !== undefined;
  }
  /** Events that came since the picture was frozen; undefined while it goes on. */
  get frozenFor(): number | undefined {
    return this.#frozen && this.#store.state.counts.events - this.#frozen.state.counts.events;
  }

  freeze(on: boolean): void {
    this.#frozen = on ? { state: structuredClone(this.#store.state), now: this.#store.now() } : undefined;
  }

  /** Ends its timers. */
  close(): void {
    this.cache.close();
    this.details.close();
  }

  lists(look: Look, hold = false): Lists {
    return this.cache.lists(this.state, look, hold);
  }

  /** The outlines of the land, or why there are none; they are loaded when a map is first painted, and undefined until then. */
  get world(): WorldMap | string | undefined {
    if (this.#world === undefined) {
      this.#world = "loading";
      const loaded = (world: WorldMap | string) => {
        this.#world = world;
        this.#changed();
      };
      loadWorldMap().then(loaded, (error: unknown) => loaded(error instanceof Error ? error.message : String(error)));
    }
    return this.#world === "loading" ? undefined : this.#world;
  }

  /** First row that a pane shows. */
  topOf(pane: PaneName): number {
    return this.#scroll[pane].top;
  }

  /** Scrolls a pane so that its cursor is in it, moved with the cursor's row so that rows that come above do not push it around. */
  scroll(pane: PaneName, list: Lists[PaneName], cursor: Cursor, height: number): number {
    const index = locate(list, cursor);
    const before = this.#scroll[pane];
    const moved = cursor.key !== undefined && cursor.key === before.key ? index - before.index : 0;
    const top = scrollTop(before.top + moved, Math.max(0, index), height, list.length);
    this.#scroll[pane] = { top, key: cursor.key, index };
    return top;
  }
}
