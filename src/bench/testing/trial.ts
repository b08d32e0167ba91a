import { describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { evaluate } from "../evaluation.ts";

/** A labelled trial of so many seconds as a test, with a seed that nobody has built with: a failure names it. */
export function trial(seconds: number): void {
  const reason = rangeAvailable();
  const what = `a labelled trial: three responders, two intruders, cron, packages and CI${reason ? ` (skipped: ${reason})` : ""}`;
  describe.skipIf(reason !== undefined)(what, () => {
    const seed = Date.now() & 0xffff;
    const name = `nobody is taken for another, the responders are out of sight, no intruder is, each abuse is told (seed ${seed})`;

    test(name, async () => {
      const { confusion, abuses, responders, intruders, findings } = await evaluate(seed, seconds);
      const table = confusion.lines().join("\n");
      expect(confusion.total, table).toBeGreaterThan(20 * seconds);
      expect(confusion.wrong, table).toBe(0);
      expect(confusion.count("unknown"), table).toBeLessThanOrEqual(0.02 * confusion.total);
      expect(confusion.count("not seen"), table).toBeLessThanOrEqual(0.01 * confusion.total);
      expect(responders.hidden).toBeGreaterThanOrEqual(0.99 * responders.events);
      expect(intruders.events).toBeGreaterThan(0);
      expect(intruders.hidden).toBe(0);
      // that it came: how soon is the benchmark's (npm run bench -- attribution)
      const missed = abuses.filter(({ after, back }) => after === undefined || !back);
      expect(
        missed.map(({ name }) => name),
        `${findings.join(" ")} ${JSON.stringify(abuses)}`,
      ).toEqual([]);
    });
  });
}
