import { expect, test } from "vitest";
import type { StakeoutEvent } from "#model/event";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { teller } from "#testing/events";
import { reportOf } from "./report.ts";

test("of an isolation that was found the report says when, by whom and of when its plan is, and claims no moment from which it held", async () => {
  const tell = teller();
  const console_ = { sensor: "console", tier: "analyst", analyst: "kim" };
  const isolation = { id: "found", kind: "isolate" as const };
  const played: StakeoutEvent[] = [
    tell({ event: { action: "session.start" }, stakeout: { ...console_, analyst: "jm" } }),
    tell({
      event: { action: "baseline.isolation" },
      stakeout: { ...console_, response: isolation, isolated_by: { analyst: "kim", since: "2026-11-27T20:31:00Z" } },
    }),
    tell({ event: { action: "baseline.isolation" }, stakeout: { ...console_, response: { ...isolation, kind: "release" } } }),
  ];
  const state = emptyState();
  for (const event of played) reduce(state, event);
  async function* events() {
    yield* played;
  }
  const cover = {
    hostLabel: "devbox",
    chain: { ok: true as const, events: 3, head: "ab".repeat(32), broken: 0 },
    sealed: true,
    version: "9",
  };
  const report = await reportOf(state, events(), cover);
  expect(report).toContain(
    "The host was found isolated at 21:00:00, by kim by a plan of 2026-11-27 20:31:00 UTC as the host says; since when is not known.",
  );
  expect(report).toContain("cut off (for at least ");
  expect(report).toMatch(/- found 21:00:00, made by kim by a plan of .* as the host itself says; since when it held is not known/);
  expect(report).not.toMatch(/(?:since|made|from) (?:2026-11-27 )?20:31/);
});
