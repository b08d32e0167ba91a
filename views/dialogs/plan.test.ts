import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { PLAIN_CHOICE } from "#model/measure";
import type { BeforeCut } from "#model/response-progress";
import { isolatePlan } from "#testing/fixture-store";
import { paintRow } from "../row.ts";
import { makeTheme } from "../theme.ts";
import { planBody } from "./plan.ts";

const theme = makeTheme("none");
/** The plan's dialog as text, one line for each of its rows' ends: words that were wrapped are joined. */
const told = (before: BeforeCut): string =>
  planBody(theme, isolatePlan({ choice: PLAIN_CHOICE, before }), 200, undefined)
    .map((row) => stripVTControlCharacters(paintRow(theme, 200, row)).trim())
    .join("\n");

test("what was grabbed while nobody was tagged is not called whole: it has nothing of any process", () => {
  const grab = { kept: 1, milliseconds: 100, missed: [] };
  expect(told({ suspects: [], grab })).toMatch(/grab +1 piece of evidence .*of no process, for nobody is tagged/);
  const whole = told({ suspects: ["xq7 (812)"], grab: { ...grab, kept: 3 } });
  expect(whole).toMatch(/grab +✓ 3 pieces of evidence in 0\.1 s, in the session's evidence folder$/m);
});

test("a rehearsal says that our login passes, and how many far ends would be cut", () => {
  const rehearsal = { seconds: 10, wouldCut: ["203.0.113.66:443 tcp"], dropped: 41, keepsUs: true, cleared: true };
  expect(told({ suspects: [], rehearsal })).toMatch(
    /rehearsal +✓ our login passes; in 10 s 1 far end would be cut, 41 packets dropped:\n203\.0\.113\.66:443 tcp/,
  );
  expect(told({ suspects: [], rehearsal: { ...rehearsal, wouldCut: [], dropped: 0 } })).toContain("nobody else was heard of");
  expect(told({ suspects: [], rehearsal: { ...rehearsal, keepsUs: false } })).toContain("OUR LOGIN WAS NOT SEEN TO PASS");
});
