import { expect, test } from "vitest";
import { Enricher } from "#analysis/enrich";
import type { EventDraft } from "#model/event";
import type { SetUp } from "#model/past";
import { text } from "#testing/events";
import { Looked } from "./looked.ts";

const NOW = "2024-05-10T12:00:00.000000Z";
function looking(): { looked: Looked; told: EventDraft[] } {
  const told: EventDraft[] = [];
  return {
    told,
    looked: new Looked({ append: (draft) => told.push(draft), hostNow: () => NOW, enricher: new Enricher(undefined, undefined) }),
  };
}
const thing = (category: SetUp["category"], id: string): SetUp => ({ category, id: `${category} ${id}`, name: text(id), detail: text("") });

test("the past is told at the time of the look, with its own times and with who can forge it", () => {
  const { looked, told } = looking();
  const login = { kind: "login" as const, from: ["auth.log"], first: Date.UTC(2020, 0, 1), last: Date.UTC(2024, 0, 1), count: 9 };
  looked.past({ rows: [{ ...login, user: text("root"), ip: "203.0.113.9", port: 22 }], more: { failed: 3 }, blind: ["x"] }, 0.2);
  expect(told).toMatchObject([
    {
      "@timestamp": NOW,
      event: { action: "lookback.login", outcome: "success", start: "2020-01-01T00:00:00.000Z", end: "2024-01-01T00:00:00.000Z" },
      user: { name: "root" },
      source: { ip: "203.0.113.9", port: 22 },
      stakeout: { lookback: { count: 9, from: ["auth.log"], forgeable_by: "anybody" } },
    },
    { event: { action: "lookback.complete" }, stakeout: { looked: { more: { failed: 3 }, blind: ["x"] } } },
  ]);
});

test("a look that failed says that it did: nothing found and not looked are not the same", () => {
  const { looked, told } = looking();
  looked.blind("no perl");
  expect(told).toMatchObject([{ event: { action: "lookback.complete" }, stakeout: { looked: { blind: ["no perl"] } } }]);
});

test("the first set-up is the baseline, what differs later is told one by one, and connections have events of their own", () => {
  const { looked, told } = looking();
  looked.setUp([thing("user", "root"), thing("connection", "a"), ...Array.from({ length: 300 }, (_, i) => thing("module", `m${i}`))]);
  const found = told.filter(({ event }) => event.action === "baseline.inventory");
  expect(found.map(({ stakeout }) => (stakeout["inventory"] as { items: unknown[] }).items.length).reduce((a, b) => a + b)).toBe(302);
  expect(Math.max(...found.map(({ stakeout }) => (stakeout["inventory"] as { items: unknown[] }).items.length))).toBe(250);
  told.length = 0;
  looked.setUp([thing("user", "eve"), thing("connection", "b"), ...Array.from({ length: 300 }, (_, i) => thing("module", `m${i}`))]);
  looked.setUp([thing("user", "root"), ...Array.from({ length: 300 }, (_, i) => thing("module", `m${i}`))]);
  const names = told.map(
    ({ event, stakeout }) => `${event.action} ${(stakeout["inventory"] as { items: { name: string }[] }).items[0]?.name}`,
  );
  expect(names).toEqual(["baseline.added eve", "baseline.removed root", "baseline.added root", "baseline.removed eve"]);
});
