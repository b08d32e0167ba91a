import { describe, expect, test } from "vitest";
import { Lateness } from "./lateness.ts";

describe("how late a line is", () => {
  test("a line is slow while it is half a second behind its best, or silent, and no longer", () => {
    const line = new Lateness();
    expect(line.slow(70_000)).toBe(false); // nothing is known yet
    line.take(1_000, 70_100);
    line.take(2_000, 71_150);
    expect(line.slow(71_200)).toBe(false);
    line.take(3_000, 72_800); // 0.7 s later than at its best
    expect(line.slow(72_900)).toBe(true);
    line.take(4_000, 73_200);
    expect(line.slow(73_300)).toBe(false);
    expect(line.slow(75_300)).toBe(true); // nothing for two seconds
  });

  test("two clocks that drift apart make no line slow", () => {
    const line = new Lateness();
    for (let second = 0; second < 4 * 3600; second++) {
      const sent = second * 1000;
      line.take(sent, sent * 1.0005 + 20);
      expect(line.slow(sent * 1.0005 + 30)).toBe(false);
    }
  });
});
