import type { Frame } from "./frame.ts";

/**
 * A frame as lines for the {@link FrameWriter}: its blocks side by side, what lies over others behind a jump to its column. Every row is
 * exactly as wide as its block, so nothing is measured: Ink's own way takes every line apart into characters, which costs more
 * than all else together.
 */
export function composed({ width, height, blocks }: Frame): string {
  const lines: string[] = [];
  for (let y = 0; y < height; y++) {
    const here = blocks.filter((block) => y >= block.y && y < block.y + block.height);
    const under = here.filter(({ id }) => id !== "dialog").sort((a, b) => a.x - b.x);
    const over = here.filter(({ id }) => id === "dialog");
    let line = "";
    let column = 0;
    for (const block of under) {
      if (block.x < column) continue; // no layout has two in one place
      line += " ".repeat(block.x - column) + (block.rows[y - block.y] ?? " ".repeat(block.width));
      column = block.x + block.width;
    }
    if (over.length === 0) lines.push(line.trimEnd());
    else {
      line += " ".repeat(Math.max(0, width - column));
      for (const block of over) line += `\x1b[${block.x + 1}G\x1b[0m${block.rows[y - block.y] ?? " ".repeat(block.width)}`;
      lines.push(line);
    }
  }
  return lines.join("\n");
}
