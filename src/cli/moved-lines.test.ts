import { expect, test } from "vitest";
import { event, text } from "#testing/events";
import { nightState } from "#testing/night-state";
import { Narrator } from "./lines.ts";

test("a file that came by a move is told with where it was, and a program that was moved off is not called deleted", () => {
  const state = nightState();
  const ran = [...state.binaries.values()].find(({ runs }) => runs > 0);
  const lines = new Narrator();
  const told = (action: "file.creation" | "file.deletion", path: string, binary: object) =>
    lines.line(event(1, { event: { action }, file: { path: text(path) }, stakeout: { sensor: "collector", tier: "x", binary } }), state);
  expect(told("file.creation", "/root/.x", { moved_from: text("/var/log/\u001bauth.log") })).toMatch(
    /new file {2}\/root\/\.x {2}\(moved from \/var\/log\/\P{Cc}auth\.log\)/u,
  );
  expect(told("file.deletion", ran?.path ?? "", { moved_away: true })).toMatch(/moved off .*, which was executed/);
  expect(told("file.deletion", ran?.path ?? "", {})).toMatch(/deleted {3}.*, which was executed/);
});
