import type { Screen } from "../screen.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what starts a colour
const COLOURS = /\x1b\[[0-9;]*m/g;
/** Frames and rules (Unicode's Box Drawing, Block Elements) say nothing to somebody who listens. */
const FRAMES = /[\u2500-\u259f]+/g;

/** The text of any dialog, as it would be painted, without its frame. */
export function otherDialogText(screen: Screen): string[] {
  const rows = screen.frame().blocks.find(({ id }) => id === "dialog")?.rows ?? [];
  return rows.map((row) => row.replace(COLOURS, "").replace(FRAMES, " ").replace(/\s+/g, " ").trim()).filter((line) => line !== "");
}
