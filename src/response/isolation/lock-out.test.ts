import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rangeAvailable } from "#range/available";
import { type Range, startRange } from "#range/range";
import { allCells, cellName, lockOut, pairwise } from "../testing/lock-out.ts";

const cells = pairwise();

describe.skipIf(rangeAvailable() !== undefined)(
  `nobody is locked out: ${cells.length} of ${allCells().length} cells, each pair of conditions in one (STAKEOUT_MATRIX=all lets the benchmark run all)`,
  () => {
    let range: Range;
    beforeAll(async () => {
      range = await startRange();
    });
    afterAll(() => range?.stop());

    it.each(cells.map((cell) => ({ name: cellName(cell), cell })))(
      "$name",
      async ({ cell }) => {
        expect(await lockOut(range, cell)).toBeUndefined();
      },
      120_000,
    );
  },
);
