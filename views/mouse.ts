import type { CommandContext } from "#commands/command";
import { PANES, type PaneName } from "#commands/pane";
import type { Frame } from "./frame.ts";
import type { Key, Mouse } from "./keys.ts";
import { itemAt } from "./panes/footer.ts";
import { momentAt } from "./panes/scrubber.ts";
import { locate, type Panes, pointAt, type ScreenState, scrollPane } from "./screen-state.ts";
import type { ReplayPlace } from "./store.ts";

/** What the mouse points at: a row of a pane (0 is its title), a key of the footer, a moment of a replay. */
type Pointed = { pane: PaneName; row: number } | { command: string } | { at: number };

/** Rows that one click of a wheel is worth. */
const WHEEL_ROWS = 3;

/** What lies under the mouse on the frame that the analyst sees. */
export function pointedAt(frame: Frame, { x, y }: Mouse, context: CommandContext, replay: ReplayPlace | undefined): Pointed | undefined {
  const block = frame.blocks.findLast((one) => x >= one.x && x < one.x + one.width && y >= one.y && y < one.y + one.height);
  if (!block) return undefined;
  const pane = PANES.find(({ name }) => name === block.id)?.name;
  // a drawing above or beside the list counts as its title
  const { x: left, y: above } = block.list ?? { x: 0, y: 0 };
  if (pane !== undefined) return { pane, row: x - block.x < left ? 0 : Math.max(0, y - block.y - above) };
  if (block.id === "footer") {
    const command = itemAt(block.width, context, x - block.x);
    return command === undefined ? undefined : { command };
  }
  if (block.id === "scrubber" && replay) {
    const at = momentAt(block.width, replay, x - block.x);
    return at === undefined ? undefined : { at };
  }
  return undefined;
}

const direction = ({ what }: Mouse) => (what === "click" ? 0 : what === "wheel-up" ? -1 : 1);

/** What the mouse means in a dialog: its wheel is the arrow keys, a click is nothing. */
export const inDialog = (mouse: Mouse): Key[] =>
  direction(mouse) === 0 ? [] : Array.from({ length: WHEEL_ROWS }, () => ({ name: direction(mouse) < 0 ? "up" : "down" }));

/** What the mouse does on a pane: selects, scrolls; "again" for a click on the row that was selected already. */
export function onPane(
  state: ScreenState,
  mouse: Mouse,
  { pane, row, top }: { pane: PaneName; row: number; top: number },
  panes: Panes,
): ScreenState | "again" {
  if (direction(mouse) !== 0) return scrollPane(state, pane, direction(mouse) * WHEEL_ROWS, panes);
  const index = row === 0 ? -1 : top + row - 1;
  const selected = state.pane === pane && index >= 0 && locate(panes.lists[pane], state.cursors[pane]) === index;
  return selected ? "again" : pointAt(state, pane, index, panes);
}
