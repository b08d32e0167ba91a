import type { Selector } from "#model/event";
import type { Presence } from "#model/presence";
import type { Standing, State } from "#state/state";
import type { Intent } from "./intent.ts";
import type { PaneName } from "./pane.ts";

export type { PaneName };

/** What the cursor is on. `tag` is the tag that gives the thing its standing. */
export interface Selection {
  kind: "login" | "process" | "connection" | "binary" | "place" | "group" | "past" | "set-up";
  id: string;
  /** What a tag on it would select; missing where nothing can be tagged. */
  selector?: Selector;
  standing?: Standing;
  /** Of a group: the processes in it that are known one by one; of a place: the connections. */
  members?: readonly string[];
  /** Of programs of one name that ended: how many, those that are only counted by now with them. */
  count?: number;
  tag?: string;
  /** The selected row is of what began again and again (a job of cron, a terminal's server): `id` is the first process of one run, where one is kept. */
  origin?: string;
}

/** Which keys the commands have: those of the registry, or an analyst's own. */
export interface Keymap {
  /** The command of a key, named as the key parser does. */
  command(key: string): Command | undefined;
  /** The first key of a command as it is written ('T'); ':' and its title where it has no key. */
  label(id: string): string;
  /** All of its keys as they are written; empty where it has none. */
  labels(id: string): readonly string[];
}

/** Who else is on the session, and which of the screens this one is. */
export interface Company {
  presence: Presence;
  seat: string;
}

export interface CommandContext {
  state: State;
  mode: "live" | "replay";
  pane: PaneName;
  selection: Selection | undefined;
  showHidden: boolean;
  keymap: Keymap;
  /** A filter leaves rows out. */
  filtered?: boolean;
  /** One pane has the whole body. */
  zoomed?: boolean;
  /** The cursor stays on the newest row. */
  following?: boolean;
  /** The picture stands still. */
  frozen?: boolean;
  /** A replay that runs. */
  playing?: boolean;
  /** The selected thing carries the analyst's own mark. */
  marked?: boolean;
  /** How many things carry one. */
  marks?: number;
  /** The host was lost: it is tried again by itself, or not any more. Left out while it is connected. */
  link?: "away" | "stopped";
  /** Left out where there is no session to share. */
  company?: Company;
}

/** Under which heading the help page lists a command. */
export const GROUPS = {
  judge: "Judging and acting",
  look: "Looking",
  move: "Moving",
  pair: "Two analysts",
  own: "Your own",
  replay: "In a replay",
  console: "Console",
};

export interface Command {
  id: string;
  /** Names as the key parser gives them; the first is the one that is shown. A key belongs to one command; with none it is in the palette alone. */
  keys: readonly string[];
  /** How these keys are written in the footer and in tables. */
  key: string;
  title: string;
  /** One sentence for the help page and the README. */
  help: string;
  /** "look" when left out. */
  group?: keyof typeof GROUPS;
  /** The footer shows it at every width, most important first; left out: only in help. */
  footer?: number;
  /** As `footer`, while it is the next sensible step: undefined while it is none. */
  footerNow?(context: CommandContext): number | undefined;
  /** The footer shows it only there. */
  footerIn?: CommandContext["mode"];
  /** Changes the host. */
  dangerous?: true;
  /** Why it cannot be used now, a sentence; undefined when it can. */
  disabledReason?(context: CommandContext): string | undefined;
  intent(context: CommandContext): Intent;
  /** A title that depends on the moment ("Release" while isolated). */
  titleNow?(context: CommandContext): string;
}
