import { expect, test } from "vitest";
import type { EventDraft } from "#model/event";
import { errorWords, ResponseRecord } from "./response-record.ts";

test("each step of a response is an event with its outcome and time, and all of one that went beyond the scope say so", () => {
  const log: EventDraft[] = [];
  const record = new ResponseRecord(
    (draft) => log.push(draft),
    () => "2026-03-01T21:04:00.000000Z",
  );
  record.write("proposed", "info", "jm", { id: "r1", kind: "isolate" });
  record.outside = { scope: ["observe"], needs: "contain", reason: "it beacons" };
  record.write("confirmed", "info", "jm", { id: "r1", kind: "isolate" }, { confirmation: { needed: 2, given: 1 } });
  record.write("failed", "change", "jm", { id: "r1", kind: "isolate" }, { duration: 1.5, at: "2026-03-01T21:03:59.000000Z" });
  expect(
    log.map(({ "@timestamp": at, event, stakeout }) => [at.slice(17, 19), event.action, event.outcome, event.duration, stakeout]),
  ).toEqual([
    ["00", "response.proposed", undefined, undefined, expect.objectContaining({ analyst: "jm", response: { id: "r1", kind: "isolate" } })],
    ["00", "response.confirmed", undefined, undefined, expect.objectContaining({ confirmation: { needed: 2, given: 1 } })],
    [
      "59",
      "response.failed",
      "failure",
      2,
      expect.objectContaining({ response: expect.objectContaining({ outside_scope: expect.objectContaining({ reason: "it beacons" }) }) }),
    ],
  ]);
});

test("what to do about an error is told apart from what went wrong", () => {
  const error = Object.assign(new Error("nft refused. Try iptables."), { remedy: "Try iptables." });
  expect(errorWords(error)).toEqual({ what: "nft refused.", next: "Try iptables." });
  expect(errorWords(new Error("gone"))).toEqual({ what: "gone", next: "" });
});
