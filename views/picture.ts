import type { CommandContext, Keymap } from "#commands/command";
import type { MeasureItem } from "#commands/measures";
import type { PaneName } from "#commands/pane";
import type { State } from "#state/state";
import type { WorldMap } from "./charts/world-map.ts";
import type { MeasuresDialog } from "./measures-keys.ts";
import type { PaletteEntry } from "./palette.ts";
import type { Details } from "./panes/details.ts";
import type { Lists } from "./rows/cache.ts";
import type { Hidden } from "./rows/standing.ts";
import type { ScreenState } from "./screen-state.ts";
import type { Settings } from "./settings.ts";
import type { Message, ViewStore } from "./store.ts";
import type { Theme } from "./theme.ts";

/** What is to be painted. */
export interface Picture {
  readonly store: ViewStore;
  readonly theme: Theme;
  readonly state: ScreenState;
  readonly settings: Settings;
  readonly keymap: Keymap;
  readonly hidden: Hidden;
  /** Running processes that no tag hides. */
  readonly live: number;
  /** The state that the panes show, and its moment: a frozen picture has its own. */
  readonly seen: State;
  readonly seenNow: number;
  /** Events that came since the picture was frozen. */
  readonly frozenFor: number | undefined;
  readonly filtered: boolean;
  /** Rows of the tree that the filter asked for. */
  readonly found: number;
  readonly message: Message | undefined;
  /** The open dialog may be confirmed. */
  readonly armed: boolean;
  /** The world's outlines; undefined while they load, and in words why they cannot be. */
  readonly world: WorldMap | string | undefined;
  /** What is told of the selected thing. */
  readonly details: Details;
  lists(): Lists;
  context(): CommandContext;
  /** What the open palette offers. */
  palette(): readonly PaletteEntry[];
  measures(dialog: MeasuresDialog): readonly MeasureItem[];
  /** Whether a row carries the analyst's own mark. */
  marked(pane: PaneName, key: string): boolean;
  /** First row to show of a pane of that height. */
  top(pane: PaneName, height: number): number;
  /** Told how far the open dialog can scroll. */
  limitScroll(max: number): void;
}
