import { expect, test } from "vitest";
import type { EventDraft, StakeoutEvent } from "#model/event";
import { teller } from "#testing/events";
import { emptyState } from "./create.ts";
import { reduce } from "./reduce.ts";
import { toPlain, whoDidWhat } from "./selectors.ts";

function told() {
  const tell = teller();
  const state = emptyState();
  return {
    state,
    play: (
      analyst: string | undefined,
      action: StakeoutEvent["event"]["action"],
      stakeout: Partial<EventDraft["stakeout"]> = {},
      reason?: string,
    ) =>
      void reduce(
        state,
        tell({
          event: { action, ...(reason === undefined ? {} : { reason }) },
          stakeout: { sensor: "console", tier: "analyst", ...(analyst === undefined ? {} : { analyst }), ...stakeout },
        }),
      ),
  };
}
const acts = ({ state }: ReturnType<typeof told>, name: string) => state.analysts.get(name)?.acts.map(({ what }) => what);

test("who is here, who drives and how many must confirm follow from the log", () => {
  const t = told();
  t.play("jm", "session.start");
  t.play("jm", "session.join", { joined: { seat: "console", role: "driver" } });
  t.play("kim", "session.join", { joined: { seat: "s1", role: "spectator", key: "SHA256:x", address: "198.51.100.4" } });
  t.play("jm", "session.handover", { handover: { from: "jm", to: "kim" } });
  t.play("jm", "session.rule", { rule: { people: 2 } });
  expect([t.state.driver, t.state.twoPeople]).toEqual(["kim", true]);
  expect([...t.state.analysts.values()].map(({ name, seats }) => [name, seats])).toEqual([
    ["jm", ["console"]],
    ["kim", ["s1"]],
  ]);
  t.play("kim", "session.leave", { left: { seat: "s1" } }, "the connection was lost");
  t.play("kim", "session.handover", { handover: { from: "kim", to: "jm" } }, "kim has left");
  expect([t.state.driver, t.state.analysts.get("kim")?.seats]).toEqual(["jm", []]);
  expect(acts(t, "kim")).toEqual([
    "joined as spectator from 198.51.100.4 with the key SHA256:x",
    "left: the connection was lost",
    "the drive went from kim to jm: kim has left",
  ]);
});

test("half of a confirmation is none; the second makes it one, by both", () => {
  const t = told();
  const response = { id: "r1", kind: "isolate" as const, plan_sha256: "h" };
  t.play("jm", "response.proposed", { response });
  t.play("jm", "response.confirmed", { response, confirmation: { needed: 2, given: 1 } });
  expect(t.state.responses.get("r1")).toMatchObject({ phase: "proposed", confirmedBy: ["jm"] });
  t.play("kim", "response.confirmed", { response, confirmation: { needed: 2, given: 1 } }); // jm's had lapsed
  t.play("jm", "response.confirmed", { response, confirmation: { needed: 2, given: 2 } });
  expect(t.state.responses.get("r1")).toMatchObject({ phase: "confirmed", confirmedBy: ["kim", "jm"] });
  t.play("jm", "response.succeeded", { response });
  expect(t.state.responses.get("r1")).toMatchObject({ phase: "succeeded", confirmedBy: ["kim", "jm"] });
  expect(t.state.isolated).toBeDefined();
  expect(acts(t, "jm")).toEqual([
    "planned to isolate",
    "confirmed to isolate (1 of 2)",
    "confirmed to isolate (2 of 2)",
    "isolated the host",
  ]);
});

test("who went on alone, and who dropped a plan, is kept", () => {
  const t = told();
  const response = { id: "r1", kind: "isolate" as const };
  t.play("jm", "response.proposed", { response });
  t.play("kim", "response.dismissed", { response });
  expect(t.state.responses.get("r1")).toMatchObject({ phase: "dismissed", analyst: "kim" });
  t.play("jm", "response.confirmed", { response: { ...response, id: "r2" }, confirmation: { needed: 2, given: 1, override: "alone" } });
  expect(t.state.responses.get("r2")).toMatchObject({ phase: "confirmed", alone: true, confirmedBy: ["jm"] });
  expect(acts(t, "jm")?.at(-1)).toMatch(/alone, where two were needed/);
});

test("notes and claims hang on their thing; what is given back is nobody's", () => {
  const t = told();
  const subject = { kind: "process", id: "B:7:1" } as const;
  t.play("jm", "note.add", { note: "ask the customer", subject });
  t.play("kim", "finding.claim", { subject, claim: "mine" });
  expect(t.state.notes).toMatchObject([{ analyst: "jm", text: "ask the customer", on: subject }]);
  expect(t.state.claims.get("process:B:7:1")).toMatchObject({ analyst: "kim", claim: "mine" });
  t.play("jm", "finding.claim", { subject, claim: "done" });
  expect(t.state.claims.get("process:B:7:1")).toMatchObject({ analyst: "jm", claim: "done" });
  t.play("jm", "finding.claim", { subject, claim: "free" });
  expect(t.state.claims.size).toBe(0);
  expect(acts(t, "kim")).toEqual(["took it on"]);
  expect(whoDidWhat(t.state).map(({ analyst, what }) => `${analyst} ${what}`)).toEqual([
    "jm gave it back",
    "jm is done with it",
    "kim took it on",
    "jm noted: ask the customer",
  ]);
  expect(t.state.analysts.get("jm")?.acts[0]?.on).toEqual(subject);
  expect(JSON.parse(JSON.stringify(toPlain(t.state)))).toMatchObject({ analysts: [{ name: "jm" }, { name: "kim" }], claims: [] });
});

test("what no analyst did is under no analyst's name: the host's word, the console's own tag, the sensors", () => {
  const t = told();
  t.play("mallory", "baseline.isolation", { response: { id: "found", kind: "isolate" } });
  t.play(undefined, "sensor.degraded");
  expect(t.state.analysts.size).toBe(0);
  const login = "B:3:1";
  t.state.logins.set(login, { id: login, ours: true } as never);
  t.play("jm", "tag.apply", { tag: { id: "t1", verdict: "responder", selector: { login }, reason: "the console's own login" } });
  expect(t.state.analysts.size).toBe(0);
});

test("acts and names are kept in bounds, and what is left out is counted", () => {
  const t = told();
  for (let i = 0; i < 700; i++) t.play("jm", "note.add", { note: `${i}` });
  for (let i = 0; i < 300; i++) t.play(`forged${i}`, "note.add", { note: "x" });
  const jm = t.state.analysts.get("jm");
  expect([jm?.acts.length, jm?.more, jm?.acts[0]?.what]).toEqual([500, 200, "noted: 200"]);
  expect(t.state.analysts.size).toBe(100);
});
