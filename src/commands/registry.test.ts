import { describe, expect, test } from "vitest";
import { FIXTURE_NOW } from "#testing/fixture-state";
import { nightState } from "#testing/night-state";
import type { CommandContext } from "./command.ts";
import { isShared } from "./intent.ts";
import { DEFAULT_KEYMAP } from "./keymap.ts";
import { PANES } from "./pane.ts";
import { COMMANDS, footer, invoke, keyTable, resolve } from "./registry.ts";

const context = (more: Partial<CommandContext> = {}): CommandContext => ({
  state: nightState(),
  mode: "live",
  pane: "tree",
  selection: undefined,
  showHidden: false,
  keymap: DEFAULT_KEYMAP,
  ...more,
});
const login = { kind: "login" as const, id: "boot-1:4711:4711", selector: { login: "boot-1:4711:4711" }, standing: "unknown" as const };

/** A colleague has come in from the console's own address, and nobody has tagged him yet. */
function alike() {
  const state = nightState();
  const ours = [...state.logins.values()].find((one) => one.ours);
  if (ours) state.logins.set("colleague", { ...ours, id: "colleague", ours: false, standing: "unknown" });
  return state;
}

const person = { person: "jm", mayDrive: true, since: 0 };
const company = {
  seat: "console",
  presence: {
    people: [
      { ...person, seat: "console", name: "jm", console: true, colour: 0 },
      { ...person, seat: "s1", name: "kim", person: "kim", console: false, colour: 1 },
    ],
    driver: "jm",
    chat: [],
  },
};

describe("the command registry", () => {
  test("has one command a key and one key table for all of them", () => {
    const keys = COMMANDS.flatMap((command) => command.keys);
    expect(new Set(keys).size).toBe(keys.length);
    expect(new Set(COMMANDS.map((command) => command.id)).size).toBe(COMMANDS.length);
    const table = keyTable();
    for (const command of COMMANDS) expect(table).toContain(command.help);
    expect(table.trim().split("\n")).toHaveLength(COMMANDS.length + 2);
    expect(table).not.toContain("||");
  });

  test("every command makes an intent in some context, and every key resolves to its command", () => {
    for (const command of COMMANDS)
      for (const key of command.keys) {
        const contexts = (["live", "replay"] as const).flatMap((mode) => [
          { mode },
          { mode, filtered: true },
          { mode, marks: 1 },
          { mode, company },
          { mode, state: alike() },
          { mode, link: "away" as const },
        ]);
        const found = contexts.map((one) => resolve(key, context({ selection: login, ...one })));
        expect(
          found.some((one) => one && "intent" in one),
          key,
        ).toBe(true);
      }
    expect(resolve("F12", context())).toBeUndefined();
  });

  test("U opens the dialog on who looks like one of ours, with what speaks for it, and tags nothing by itself", () => {
    expect(resolve("U", context({ state: alike() }))).toMatchObject({
      intent: {
        kind: "compose-tag",
        choices: expect.arrayContaining([{ login: "colleague" }]),
        reason: expect.stringMatching(/^from .*, as another of ours/),
      },
    });
    expect(resolve("U", context())).toMatchObject({ disabled: expect.stringContaining("no login looks like one of ours") });
  });

  test("t tags what is not tagged and undoes the tag of what is", () => {
    expect(resolve("t", context({ selection: login }))).toMatchObject({
      intent: { kind: "compose-tag", choices: expect.arrayContaining([login.selector]) },
    });
    expect(resolve("t", context({ selection: { ...login, tag: "t1" } }))).toEqual({ intent: { kind: "untag", tag: "t1" } });
    expect(resolve("t", context())).toMatchObject({ disabled: expect.stringContaining("nothing is selected") });
    expect(resolve("t", context({ selection: { kind: "connection", id: "c1" } }))).toMatchObject({
      disabled: expect.stringContaining("which process this connection"),
    });
  });

  test("I isolates, and releases while the host is isolated", () => {
    expect(resolve("I", context())).toEqual({ intent: { kind: "plan", response: "isolate" } });
    const state = nightState();
    state.isolated = { response: "r1", since: FIXTURE_NOW };
    expect(resolve("I", context({ state }))).toEqual({ intent: { kind: "plan", response: "release" } });
    expect(footer(context({ state })).map((item) => item.title)).toContain("Release");
  });

  test("in a replay no command that changes the host, or the record, can be used, and it says why", () => {
    const replay = context({ mode: "replay", selection: login });
    for (const command of COMMANDS) {
      const found = invoke(command, replay);
      if (command.dangerous) expect(found).toMatchObject({ disabled: expect.stringContaining("replay") });
      else if (found && "intent" in found && isShared(found.intent))
        expect(["play", "seek", "speed", "report"], command.id).toContain(found.intent.kind);
    }
  });

  test("keys that move through time work in a replay alone, and the footer names them there in place of what changes things", () => {
    const replay = context({ mode: "replay", playing: true });
    expect(resolve(" ", replay)).toEqual({ intent: { kind: "play", on: false } });
    expect(resolve(" ", context({ mode: "replay" }))).toEqual({ intent: { kind: "play", on: true } });
    for (const [key, intent] of [
      ["[", { kind: "seek", to: "previous-mark" }],
      ["]", { kind: "seek", to: "next-mark" }],
      [",", { kind: "seek", to: "previous-event" }],
      [".", { kind: "seek", to: "next-event" }],
      ["0", { kind: "seek", to: "start" }],
      ["$", { kind: "seek", to: "end" }],
      ["<", { kind: "speed", step: -1 }],
      [">", { kind: "speed", step: 1 }],
    ] as const) {
      expect(resolve(key, replay)).toEqual({ intent });
      expect(resolve(key, context())).toMatchObject({ disabled: expect.stringContaining("only in a replay") });
    }
    const titles = (more: CommandContext) => footer(more).map(({ title }) => title);
    expect(titles(replay)).toContain("Pause");
    expect(titles(replay)).not.toContain("Isolate");
    expect(titles(context())).toContain("Isolate");
    expect(titles(context())).not.toContain("Play");
  });

  test("the footer offers what is the next sensible step, and no longer than it is", () => {
    const first = (more: Partial<CommandContext>) =>
      footer(context(more))
        .slice(0, 7)
        .map(({ title }) => title);
    const next = ["This is us", "What to rotate", "Is it cut?", "Report"];
    expect(first({}).filter((title) => next.includes(title))).toEqual([]);
    expect(first({ state: alike() })).toContain("This is us");
    const judged = nightState();
    const intruder = judged.logins.get(login.id);
    if (intruder) intruder.standing = "intruder";
    expect(first({ state: judged })).toContain("What to rotate");
    const cut = nightState();
    cut.isolated = { response: "r1", since: FIXTURE_NOW, verified: { access: true, cut: true } };
    expect(first({ state: cut })).toEqual(expect.arrayContaining(["Release", "Is it cut?", "Report"]));
    expect(footer(context({ state: cut, mode: "replay" })).map(({ title }) => title)).not.toContain("Is it cut?");
  });

  test("the footer names a thing once, by the key that comes first, wherever two keys do it", () => {
    for (const pane of PANES.map(({ name }) => name)) {
      const titles = footer(context({ pane, selection: login })).map(({ title }) => title);
      expect(titles, pane).toEqual([...new Set(titles)]);
      expect(titles, pane).toContain("Details");
    }
  });
});
