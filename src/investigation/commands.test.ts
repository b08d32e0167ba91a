import { expect, test } from "vitest";
import type { EventDraft } from "#model/event";
import { text } from "#testing/events";
import { CommandDesk, type RunCommand } from "./commands.ts";

function desk(run?: RunCommand, blocked?: string) {
  const events: EventDraft[] = [];
  const commands = new CommandDesk({
    run,
    append: (draft) => void events.push(draft),
    hostNow: () => "T",
    changed: () => {},
    blocked: () => blocked,
  });
  return {
    commands,
    events,
    told: () => events.map(({ event, stakeout }) => [event.action, event.outcome, stakeout.analyst, stakeout.command]),
  };
}

test("a command is in the log before it runs, and how it went after", async () => {
  let before: unknown;
  const { commands, told, events } = desk(async () => {
    before = events.length;
    return { exit_code: 3, bytes: 2, output: text("hi") };
  });
  expect(await commands.run("  false ", "kim")).toMatchObject({ id: "c1", exit_code: 3 });
  expect(before).toBe(1);
  expect(told()).toEqual([
    ["command.start", undefined, "kim", { id: "c1", line: "false" }],
    ["command.end", "failure", "kim", { id: "c1", line: "false", exit_code: 3, bytes: 2, output: "hi" }],
  ]);
});

test("a connection that fails is a failed command; an analyst ends one that runs, and there are only so many at once", async () => {
  const failing = desk(() => Promise.reject(new Error("the connection is gone")));
  expect(await failing.commands.run("id", "jm")).toMatchObject({ error: "the connection is gone" });
  const { commands } = desk(
    (_, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve({ ended: "analyst", bytes: 0, output: text("") }));
      }),
  );
  const running = [1, 2, 3, 4].map(() => commands.run("sleep 9", "jm"));
  expect(await commands.run("id", "jm")).toMatch(/4 commands run already/);
  for (const id of ["c1", "c2", "c3", "c4"]) expect(commands.stop(id)).toBeUndefined();
  expect(await running[0]).toMatchObject({ ended: "analyst" });
  expect(commands.stop("c1")).toBe("it runs no more");
});

test("what cannot be run is refused, and nothing is recorded", async () => {
  const never: RunCommand = () => Promise.reject(new Error("it was run"));
  for (const [line, blocked, why] of [
    ["  ", undefined, /nothing is written/],
    ["a\0b", undefined, /NUL/],
    ["x".repeat(5000), undefined, /at most 4000/],
    ["id", "the disk is full", /the disk is full/],
  ] as const) {
    const { commands, events } = desk(never, blocked);
    expect(await commands.run(line, "jm")).toMatch(why);
    expect(events).toEqual([]);
  }
});
