import type { Range } from "#range/range";
import { allCells, cellName, lockOut, pairwise } from "../response/testing/lock-out.ts";
import { type Figure, figure } from "./figure.ts";

/**
 * The lock-out matrix: each cell must end with the analyst back in, or with the dead man's revert. As many cells as each pair of values
 * needs to be in one; with STAKEOUT_MATRIX=all every cell, which takes a quarter of an hour.
 */
export async function matrix(range: Range, report: (figure: Figure) => void): Promise<void> {
  const cells = process.env["STAKEOUT_MATRIX"] === "all" ? allCells() : pairwise();
  let failed = 0;
  for (const [i, cell] of cells.entries()) {
    const wrong = await lockOut(range, cell).catch((error: Error) => error.message);
    if (wrong !== undefined) {
      failed += 1;
      process.stderr.write(`stakeout: cell ${i + 1} of ${cells.length} (${cellName(cell)}): ${wrong.slice(0, 2000)}\n`);
    }
  }
  report(figure({ name: "locked-out", value: failed, unit: "cells", bar: 0, n: cells.length, p: "sum" }));
}
