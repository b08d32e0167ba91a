import { expect, test } from "vitest";
import { facts } from "../testing/facts.ts";
import type { ExistingIsolation } from "./facts/host-facts.ts";
import { planOf } from "./made-by.ts";
import { notesOf } from "./notes.ts";
import { IsolatedMeanwhile } from "./refused.ts";

const FOUND: ExistingIsolation = {
  inet: true,
  netdev: true,
  guard: false,
  iptables: [],
  routes: [],
  watches: [],
  analyst: "jm",
  session: "s-1",
  since: "2026-11-24T21:04:11Z",
  allowed: [],
};

test("the time that an isolation's rules carry is told as that of its plan, never as that of the cut", () => {
  expect(planOf(FOUND)).toBe("session s-1, by a plan of 2026-11-24 21:04:11 UTC");
  expect(planOf({})).toBe("session unknown, by a plan of a time that is not told");
  expect(planOf({ since: "soon" })).toContain("by a plan of soon");
  const notes = notesOf(facts({ isolation: FOUND }), { allowed: [], servers: [] }, [], () => false);
  for (const words of [notes[0], new IsolatedMeanwhile(FOUND).message]) {
    expect(words).toContain(planOf(FOUND));
    expect(words).not.toContain("since");
  }
});
