import { beforeEach, expect, test } from "vitest";
import type { EventDraft } from "#model/event";
import { type IsolationChoice, PLAIN_CHOICE } from "#model/measure";
import type { Response } from "#model/response";
import type { Rehearsed } from "#model/response-progress";
import { ALONE } from "./confirmations.ts";
import type { Particulars, Prepared } from "./prepared.ts";
import { ResponseDesk } from "./responses.ts";

const REHEARSED: Rehearsed = { seconds: 10, wouldCut: ["203.0.113.66:443 tcp"], dropped: 41, keepsUs: true, cleared: true };
let events: EventDraft[];
let asked: Particulars[];
let kept: string[];
let made: Partial<Prepared>;
let desk: ResponseDesk;

beforeEach(() => {
  [events, asked, kept] = [[], [], []];
  made = {
    rehearse: async () => REHEARSED,
    grab: async (suspects, sink) => {
      for (const { pid } of suspects) await sink.keep({ what: `executable of ${pid}` } as never);
      return { kept: suspects.length, missed: [], milliseconds: 5 };
    },
  };
  desk = new ResponseDesk({
    prepare: async (kind, _partners, _analyst, more) => {
      asked.push(more);
      return {
        response: { kind, plan: "script", plan_sha256: `h${asked.length}` },
        preview: { dies: [], survives: [], allowed: [] },
        execute: async () => ({ ok: true, durationNs: 1e6, response: { kind } }),
        dispose: () => {},
        ...made,
      };
    },
    colleagues: ALONE,
    two: () => false,
    append: (draft) => events.push(draft),
    hostNow: () => "2026-11-28T12:00:00Z",
    hostMillis: () => 0,
    blocked: () => undefined,
    changed: () => {},
    evidence: () => ({ keep: async ({ what }) => void kept.push(what) }),
    isolated: () => {},
    releasing: () => {},
    hold: () => {},
    inWords: () => [],
    colleaguesCut: () => [],
  });
});
const planned = async () => {
  await desk.plan("isolate", ["192.0.2.1"], "jm", undefined, { suspects: [{ pid: 812, startTicks: 9 }] });
  return desk.progress?.id ?? "";
};
const responseOf = (draft: EventDraft | undefined) => draft?.stakeout.response as Response | undefined;
const told = () => events.map((draft) => `${draft.event.action.slice("response.".length)} ${responseOf(draft)?.kind}`);

test("a rehearsal is a change of the host and recorded as one; the plan stays, and its Enter means the same", async () => {
  const id = await planned();
  expect(desk.progress?.before).toMatchObject({ rehearsal: "offered", suspects: ["a process whose name was not seen (812)"] });
  expect(await desk.rehearse(id, "jm")).toBeUndefined();
  expect(desk.progress).toMatchObject({ phase: "review", plan_sha256: "h1", before: { rehearsal: REHEARSED } });
  expect(responseOf(events.at(-1))?.steps?.[0]?.said).toContain("203.0.113.66:443 tcp");
  await desk.confirm(id, "h1", "jm");
  expect(told()).toEqual(["proposed isolate", "succeeded rehearse", "confirmed isolate", "succeeded isolate"]);
});

test("a rehearsal that fails is recorded too, and one that cannot be says why", async () => {
  made.rehearse = () => Promise.reject(new Error("the host did not take the rules"));
  const id = await planned();
  await desk.rehearse(id, "jm");
  expect(desk.progress?.before?.rehearsal).toEqual({ error: "the host did not take the rules" });
  expect(told().at(-1)).toBe("failed rehearse");
  delete made.rehearse;
  expect(await desk.rehearse(await planned(), "jm")).toMatch(/only nft counts/);
  expect(await desk.rehearse("r99", "jm")).toBeDefined();
});

test("a grab takes of the suspects, and changes nothing of the plan", async () => {
  const id = await planned();
  await desk.grab(id);
  expect(kept).toEqual(["executable of 812"]);
  expect(desk.progress).toMatchObject({ plan_sha256: "h1", before: { grab: { kept: 1, missed: [] } } });
});

test("what was grabbed stays told when the plan is changed, whether it was taken by then or is on its way", async () => {
  const id = await planned();
  await desk.grab(id);
  await desk.adjust(id, "jm", { ...PLAIN_CHOICE, freeze: true });
  expect(desk.progress).toMatchObject({ plan_sha256: "h2", before: { grab: { kept: 1 } } });
  const way = Promise.withResolvers<{ kept: number; missed: string[]; milliseconds: number }>();
  made.grab = () => way.promise;
  const fresh = await planned();
  expect(desk.progress?.before?.grab).toBeUndefined(); // another plan, which nothing was taken for
  const grabbing = desk.grab(fresh);
  await desk.adjust(fresh, "jm", { ...PLAIN_CHOICE, freeze: true });
  expect(desk.progress?.before?.grab).toBe("running");
  expect(await desk.grab(desk.progress?.id ?? "")).toBe("it is being taken");
  way.resolve({ kept: 3, missed: [], milliseconds: 5 });
  await grabbing;
  expect(desk.progress?.before).toMatchObject({ grab: { kept: 3 } });
});

test("a change of how it is wanted makes another plan, of the same analyst alone", async () => {
  const id = await planned();
  const choice: IsolationChoice = { ...PLAIN_CHOICE, keeps: "reverts", servers: [{ ip: "192.0.2.7", port: 443 }] };
  expect(await desk.adjust(id, "kim", choice)).toMatch(/jm's plan/);
  await desk.adjust(id, "jm", choice);
  expect(asked.at(-1)).toMatchObject({ choice, suspects: [{ pid: 812 }] });
  expect(desk.progress).toMatchObject({ phase: "review", plan_sha256: "h2", choice });
  expect(await desk.confirm(id, "h1", "jm")).toBeDefined(); // the old one is no longer there
  expect(told()).toEqual(["proposed isolate", "dismissed isolate", "proposed isolate"]);
  expect(responseOf(events.at(-2))).toMatchObject({ id, replaced_by: desk.progress?.id });
  await desk.plan("kill", [], "jm");
  expect(responseOf(events.at(-2))?.kind).toBe("isolate");
  expect(responseOf(events.at(-2))).not.toHaveProperty("replaced_by"); // what is wanted now is another thing: this was dropped
});
