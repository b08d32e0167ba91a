import type { CommandContext } from "#commands/command";
import type { Picture } from "./picture.ts";
import type { BaseRow } from "./rows/list.ts";

/** What a key's command depends on: the host, where the analyst is, and what is selected there: `row` has the cursor. */
export function contextOf(screen: Picture, row: BaseRow | undefined): CommandContext {
  const { store, state } = screen;
  return {
    state: store.state,
    mode: store.meta.mode,
    pane: state.pane,
    selection: row?.selection,
    showHidden: state.showHidden,
    zoomed: state.zoomed,
    following: state.following,
    keymap: screen.keymap,
    filtered: screen.filtered,
    frozen: screen.frozenFor !== undefined,
    playing: store.meta.replay?.playing ?? false,
    marked: row !== undefined && screen.marked(state.pane, row.key),
    marks: state.marks.length,
    ...(store.meta.link ? { link: store.meta.link.phase } : {}),
    ...(store.company ? { company: store.company } : {}),
  };
}
