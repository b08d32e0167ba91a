import { expect, test } from "vitest";
import type { EventDraft, Verdict } from "#model/event";
import { teller, text } from "#testing/events";
import { emptyState } from "./create.ts";
import { binaryFlag } from "./flags.ts";
import { reduce } from "./reduce.ts";

/** A service (20) that an analyst knows, and somebody (30) of whom nobody knows anything. */
function host() {
  const state = emptyState();
  const tell = teller();
  const play = (draft: Parameters<typeof tell>[0]) => reduce(state, tell(draft));
  const start = (pid: number, executable: string, parent = 1) =>
    play({
      event: { action: "process.start" },
      process: { entity_id: `B:${pid}:1`, pid, executable: text(executable), parent: { entity_id: `B:${parent}:1` } },
      stakeout: { sensor: "collector", tier: "x", binary: { origin: "exec" } },
    });
  const file = (action: EventDraft["event"]["action"], path: string, pid: number, from?: string, whole?: true) =>
    play({
      event: { action },
      file: { path: text(path) },
      process: { entity_id: `B:${pid}:1` },
      stakeout: {
        sensor: "collector",
        tier: "x",
        binary: { origin: "folder", ...(from === undefined ? {} : { moved_from: text(from) }), ...(whole ? { moved_in: whole } : {}) },
      },
    });
  const tag = (pid: number, verdict: Verdict) =>
    play({
      event: { action: "tag.apply" },
      stakeout: { sensor: "console", tier: "analyst", tag: { id: `t${pid}`, verdict, selector: { process: `B:${pid}:1` }, reason: "r" } },
    });
  start(20, "/usr/sbin/uploadd");
  start(30, "/usr/bin/curl");
  tag(20, "known-good");
  const at = (path: string) => state.binaries.get(path);
  return { state, start, file, tag, at };
}

test("whoever moves a file vouches for none of what is in it: those who wrote it come with it", () => {
  const { file, tag, at } = host();
  file("file.creation", "/tmp/ours.part", 20);
  file("file.creation", "/tmp/ours", 20, "/tmp/ours.part");
  expect(at("/tmp/ours")).toMatchObject({ standing: "known-good", writer: "B:20:1" });
  expect(at("/tmp/ours.part")?.deleted).toBe(true);
  file("file.creation", "/tmp/theirs.part", 30);
  file("file.creation", "/tmp/theirs", 20, "/tmp/theirs.part");
  file("file.creation", "/tmp/theirs2", 20, "/tmp/theirs");
  expect(at("/tmp/theirs2")).toMatchObject({ standing: "unknown", writer: "B:20:1", writers: ["B:30:1", "B:20:1"] });
  tag(30, "intruder");
  expect(at("/tmp/theirs2")?.standing).toBe("intruder");
});

test("what lay there before we looked has a hand that nobody saw, under whatever name", () => {
  const { file, at } = host();
  file("file.creation", "/tmp/b", 20, "/tmp/a");
  expect(at("/tmp/b")).toMatchObject({ standing: "unknown", unseenHand: true });
  file("file.creation", "/tmp/c", 20, "/tmp/b");
  expect(at("/tmp/c")).toMatchObject({ standing: "unknown", unseenHand: true });
});

test("what comes whole from where we do not look has a hand that nobody saw: a known service that brings it does not vouch for it", () => {
  const { file, at, start, state } = host();
  file("file.creation", "/tmp/theirs", 20, undefined, true);
  expect(at("/tmp/theirs")).toMatchObject({ standing: "unknown", unseenHand: true, writer: "B:20:1" });
  start(21, "/tmp/theirs", 20);
  expect(at("/tmp/theirs")?.standing).toBe("unknown");
  file("file.creation", "/tmp/ours", 20);
  start(22, "/tmp/ours", 20);
  expect([at("/tmp/ours")?.standing, state.processes.get("B:22:1")?.standing]).toEqual(["known-good", "known-good"]);
});

test("a program that is given another name and deleted there was deleted while it ran", () => {
  const { state, file, start, tag, at } = host();
  file("file.creation", "/tmp/evil", 30);
  start(31, "/tmp/evil", 20);
  tag(20, "responder");
  expect(state.processes.get("B:31:1")?.standing).toBe("responder");
  file("file.creation", "/tmp/a", 30, "/tmp/evil");
  file("file.creation", "/tmp/b", 30, "/tmp/a");
  expect(state.processes.get("B:31:1")?.standing).toBe("responder");
  file("file.deletion", "/tmp/b", 30);
  expect(binaryFlag(at("/tmp/evil") ?? expect.fail("it is known"))).toBe("deleted while it ran");
  expect(state.processes.get("B:31:1")?.standing).toBe("unknown");
});

test("a name that was given to another file meanwhile is not taken for the one that was moved", () => {
  const { file, start, at } = host();
  file("file.creation", "/tmp/evil", 30);
  start(31, "/tmp/evil");
  file("file.creation", "/tmp/a", 30, "/tmp/evil");
  file("file.creation", "/tmp/evil", 30);
  file("file.deletion", "/tmp/a", 30);
  expect(at("/tmp/evil")?.unlinked).toBeUndefined();
  file("file.creation", "/tmp/a", 30); // another one
  file("file.deletion", "/tmp/evil", 30);
  file("file.deletion", "/tmp/a", 30);
  expect(at("/tmp/a")?.was).toBeUndefined();
});
