import { expect, test } from "vitest";
import type { StakeoutEvent } from "#model/event";
import type { Response, ResponseKind } from "#model/response";
import { teller } from "#testing/events";
import { emptyState } from "./create.ts";
import { reduce } from "./reduce.ts";

/** A state to which responses happen. */
function host() {
  const tell = teller();
  const state = emptyState();
  const play = (action: StakeoutEvent["event"]["action"], response: Response, more: Partial<StakeoutEvent["stakeout"]> = {}) =>
    reduce(state, tell({ event: { action }, stakeout: { sensor: "console", tier: "analyst", analyst: "jm", response, ...more } }));
  const confirm = (id: string, kind: ResponseKind) => play("response.confirmed", { id, kind });
  return { state, play, confirm };
}
const STEPS = (cut: boolean) => [
  { name: "armed", ok: true, milliseconds: 1 },
  { name: "cut", ok: cut, milliseconds: 1 },
];

test("an isolation is under way from its last confirmation to its outcome", () => {
  const { state, play, confirm } = host();
  play("response.proposed", { id: "r1", kind: "isolate" });
  expect(state.underway).toBeUndefined();
  play("response.confirmed", { id: "r1", kind: "isolate" }, { confirmation: { given: 1, needed: 2 } });
  expect(state.underway).toBeUndefined();
  confirm("r1", "isolate");
  expect(state.underway).toMatchObject({ response: "r1", kind: "isolate" });
  play("response.succeeded", { id: "r1", kind: "isolate", verified: { access: true, cut: true } });
  expect(state.underway).toBeUndefined();
  confirm("r2", "release");
  expect(state).toMatchObject({ isolated: { response: "r1" }, underway: { response: "r2", kind: "release" } });
  play("response.succeeded", { id: "r2", kind: "release" });
  expect(state.underway).toBeUndefined();
  expect(state.isolated).toBeUndefined();
});

test("one that failed after the rules were set stays so until the host was looked at; one that set none does not", () => {
  const { state, play, confirm } = host();
  confirm("r1", "isolate");
  play("response.failed", { id: "r1", kind: "isolate", steps: STEPS(false) });
  expect(state.underway).toBeUndefined();
  confirm("r2", "isolate");
  play("response.failed", { id: "r2", kind: "isolate", steps: STEPS(true) });
  expect(state.underway).toMatchObject({ response: "r2", failed: true });
  play("baseline.isolation", { id: "found", kind: "isolate" });
  expect(state.underway).toBeUndefined();
  expect(state.isolated).toMatchObject({ response: "found" });
  confirm("r3", "isolate");
  play("response.failed", { id: "r3", kind: "isolate", steps: STEPS(true) });
  play("baseline.isolation", { id: "found", kind: "release" });
  expect(state.underway).toBeUndefined();
});

test("what is less than an isolation is never taken for one", () => {
  const { state, confirm } = host();
  for (const kind of ["block", "suspend", "kill", "rehearse"] as const) confirm(kind, kind);
  expect(state.underway).toBeUndefined();
});
