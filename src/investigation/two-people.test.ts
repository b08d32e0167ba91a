import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { EventDraft } from "#model/event";
import { ALONE, type Colleagues, SECOND_WITHIN_MS } from "./confirmations.ts";
import type { Executed } from "./prepared.ts";
import { ResponseDesk } from "./responses.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const NOON = Date.UTC(2026, 10, 27, 12);

/** A desk with jm and kim at it, who both may drive, and the customer, who may not; jm-2 is jm's other key. */
function desk({ two = true, here = ["jm", "kim", "customer", "jm-2"] } = {}) {
  const events: EventDraft[] = [];
  const clock = { now: NOON, two, driver: "jm" };
  const person = (name: string) => name.replace(/-2$/, "");
  const mayDrive = (name: string) => name !== "customer";
  const colleagues: Colleagues = {
    refused: (analyst, act) => {
      if (!mayDrive(analyst)) return "you were let in to watch";
      return act === "second" || analyst === clock.driver ? undefined : `${clock.driver} drives`;
    },
    partners: (analyst) => here.filter((name) => mayDrive(name) && person(name) !== person(analyst)),
    samePerson: (one, other) => person(one) === person(other),
  };
  const planned: string[] = [];
  const run = Promise.withResolvers<void>();
  const carried = { times: 0, hold: false, result: { ok: true, durationNs: 1e6, response: { kind: "isolate" } } as Executed };
  const made = new ResponseDesk({
    prepare: async (kind, _partners, analyst) => {
      planned.push(analyst);
      return {
        response: { kind, plan: "script", plan_sha256: "h" },
        preview: { dies: [], survives: [], allowed: [] },
        execute: async () => {
          carried.times += 1;
          if (carried.hold) await run.promise;
          return carried.result;
        },
        dispose: () => {},
      };
    },
    colleagues,
    two: () => clock.two,
    append: (draft) => events.push(draft),
    hostNow: () => new Date(clock.now).toISOString(),
    hostMillis: () => clock.now,
    blocked: () => undefined,
    changed: () => {},
    evidence: () => ({ keep: async () => {} }),
    isolated: () => {},
    releasing: () => {},
    hold: () => {},
    inWords: () => [],
    colleaguesCut: () => [],
  });
  const later = (ms: number) => {
    clock.now += ms;
    vi.advanceTimersByTime(ms);
  };
  const told = () => events.map(({ event, stakeout }) => `${event.action.slice("response.".length)} ${stakeout.analyst}`);
  const confirm = (analyst: string, how?: { alone?: boolean }) => made.confirm(made.progress?.id ?? "none", "h", analyst, how);
  return { desk: made, events, clock, carried, planned, later, told, confirm, finish: () => run.resolve() };
}

test("with the rule, a plan is carried out when a second analyst has confirmed the same", async () => {
  const { desk: d, confirm, carried, told, events, planned } = desk();
  expect(await d.plan("isolate", [], "jm")).toBeUndefined();
  expect(d.progress).toMatchObject({ phase: "review", by: "jm", two: {} });
  expect(await confirm("jm")).toBeUndefined();
  expect(carried.times).toBe(0);
  expect(d.progress).toMatchObject({ phase: "review", two: { confirmed: { by: "jm", until: NOON + SECOND_WITHIN_MS } } });
  expect(await confirm("kim")).toBeUndefined();
  expect(carried.times).toBe(1);
  expect(d.progress).toMatchObject({ phase: "succeeded", by: "jm" });
  expect(told()).toEqual(["proposed jm", "confirmed jm", "confirmed kim", "succeeded kim"]);
  expect(events.map(({ stakeout }) => stakeout.confirmation)).toEqual([
    undefined,
    { needed: 2, given: 1, until: "2026-11-27T12:00:30.000000Z" },
    { needed: 2, given: 2 },
    undefined,
  ]);
  expect(planned).toEqual(["jm"]);
});

test("the partner may press first", async () => {
  const { desk: d, confirm, carried } = desk();
  await d.plan("isolate", [], "jm");
  await confirm("kim");
  await confirm("jm");
  expect(carried.times).toBe(1);
});

test("one analyst does not count twice, by another key of his neither", async () => {
  const { desk: d, confirm, carried, told } = desk();
  await d.plan("isolate", [], "jm");
  await confirm("jm");
  expect(await confirm("jm")).toMatch(/you have confirmed/);
  expect(await confirm("jm-2")).toMatch(/you have confirmed/);
  expect(await confirm("customer")).toBe("you were let in to watch");
  expect(carried.times).toBe(0);
  expect(told()).toEqual(["proposed jm", "confirmed jm"]);
});

test("a first confirmation lapses after 30 s, on the screen too; the second then is a first one", async () => {
  const { desk: d, confirm, carried, later } = desk();
  await d.plan("isolate", [], "jm");
  await confirm("jm");
  later(SECOND_WITHIN_MS - 1);
  expect(d.progress?.two?.confirmed?.by).toBe("jm");
  later(1);
  expect(d.progress).toMatchObject({ phase: "review", two: {} });
  expect(d.progress?.two?.confirmed).toBeUndefined();
  await confirm("kim");
  expect(carried.times).toBe(0);
  expect(d.progress?.two?.confirmed?.by).toBe("kim");
  await confirm("jm");
  expect(carried.times).toBe(1);
});

test("it lapses even where no timer has run: a second that comes too late is a first", async () => {
  const { desk: d, confirm, carried, clock } = desk();
  await d.plan("isolate", [], "jm");
  await confirm("jm");
  clock.now += SECOND_WITHIN_MS;
  await confirm("kim");
  expect(carried.times).toBe(0);
});

test("who confirms and then disconnects has not confirmed", async () => {
  const { desk: d, confirm, carried } = desk();
  await d.plan("isolate", [], "jm");
  await confirm("jm");
  d.withdraw("jm");
  expect(d.progress?.two).toEqual({});
  await confirm("kim");
  expect(carried.times).toBe(0);
});

test("alone one may go on, and the log says so; while a partner is here one may not", async () => {
  const together = desk();
  await together.desk.plan("isolate", [], "jm");
  expect(await together.confirm("jm", { alone: true })).toMatch(/^kim can confirm/);
  expect(together.carried.times).toBe(0);

  const alone = desk({ here: ["jm", "customer", "jm-2"] });
  await alone.desk.plan("isolate", [], "jm");
  expect(await alone.confirm("jm")).toMatch(/nobody else is here who could: go on alone/);
  expect(alone.told()).toEqual(["proposed jm"]);
  expect(await alone.confirm("jm", { alone: true })).toBeUndefined();
  expect(alone.carried.times).toBe(1);
  expect(alone.events[1]?.stakeout.confirmation).toEqual({ needed: 2, given: 1, override: "alone" });
});

test("without the rule one confirmation is enough, and it is the driver's", async () => {
  const { desk: d, confirm, carried, told, events } = desk({ two: false });
  await d.plan("isolate", [], "jm");
  expect(d.progress?.two).toBeUndefined();
  expect(await confirm("kim")).toBe("jm drives");
  expect(await d.plan("isolate", [], "kim")).toBe("jm drives");
  await confirm("jm");
  expect(carried.times).toBe(1);
  expect(told()).toEqual(["proposed jm", "confirmed jm", "succeeded jm"]);
  expect(events[1]?.stakeout.confirmation).toBeUndefined();
});

test("two press opposite things at once: whichever comes first holds, and the other is told", async () => {
  const first = desk();
  await first.desk.plan("isolate", [], "jm");
  await first.confirm("jm");
  const id = first.desk.progress?.id ?? "";
  expect(first.desk.dismiss(id, "kim")).toBeUndefined();
  expect(await first.desk.confirm(id, "h", "kim")).toBe("that plan is no longer there");
  expect(first.told()).toEqual(["proposed jm", "confirmed jm", "dismissed kim"]);

  const second = desk();
  second.carried.hold = true;
  await second.desk.plan("isolate", [], "jm");
  await second.confirm("jm");
  const running = second.confirm("kim");
  expect(second.desk.dismiss(second.desk.progress?.id ?? "", "jm")).toMatch(/cannot be stopped half way/);
  expect(await second.confirm("jm")).toBe("it is being carried out already");
  second.finish();
  await running;
  expect(second.carried.times).toBe(1);
  expect(second.told().at(-1)).toBe("succeeded kim");
});

test("a plan that is being read does not become another one under somebody's Enter", async () => {
  const { desk: d, confirm, told, clock } = desk({ two: false });
  await d.plan("isolate", [], "jm");
  clock.driver = "kim";
  expect(await d.plan("isolate", [], "kim")).toBe("jm's plan to isolate waits for an answer");
  clock.driver = "jm";
  const shown = d.progress?.id ?? "";
  await d.plan("isolate", [], "jm"); // jm himself asked anew: recorded as dropped
  expect(await d.confirm(shown, "h", "jm")).toBe("that plan is no longer there");
  await confirm("jm");
  expect(told()).toEqual(["proposed jm", "dismissed jm", "proposed jm", "confirmed jm", "succeeded jm"]);
});

test("asking for two while a plan is read changes what it needs, and a first Enter before that counts no more", async () => {
  const { desk: d, confirm, carried, clock } = desk({ two: true });
  await d.plan("isolate", [], "jm");
  await confirm("jm");
  clock.two = false;
  d.ruleChanged();
  expect(d.progress?.two).toBeUndefined();
  clock.two = true;
  d.ruleChanged();
  expect(d.progress?.two).toEqual({});
  await confirm("kim");
  expect(carried.times).toBe(0);
});

test("at a console alone nothing is different", () => {
  expect([ALONE.refused("jm", "plan"), ALONE.partners("jm"), ALONE.samePerson("a", "b")]).toEqual([undefined, [], false]);
});
