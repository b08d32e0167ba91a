import { describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { isolationRange } from "../testing/isolation-range.ts";
import { allCells, cellName, lockOut, pairwise } from "../testing/lock-out.ts";

const cells = pairwise();

describe.skipIf(rangeAvailable() !== undefined)(
  `nobody is locked out: ${cells.length} of ${allCells().length} cells, each pair of conditions in one (STAKEOUT_MATRIX=all lets the benchmark run all)`,
  () => {
    const stage = isolationRange();

    it.each(cells.map((cell) => ({ name: cellName(cell), cell })))(
      "$name",
      async ({ cell }) => {
        expect(await lockOut(stage.range, cell)).toBeUndefined();
      },
      120_000,
    );
  },
);
