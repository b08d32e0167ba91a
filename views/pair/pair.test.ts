import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import type { Presence } from "#model/presence";
import { FIXTURE_NOW } from "#testing/fixture-state";
import { FixtureStore, isolatePlan } from "#testing/fixture-store";
import { nightState } from "#testing/night-state";
import { HeadlessScreen } from "#testing/screen";
import { mountScreen } from "#views/mount";
import { Screen } from "../screen.ts";
import type { ViewStore } from "../store.ts";
import { makeTheme } from "../theme.ts";

const person = { mayDrive: true, console: false, since: 0 };
const presence = (more: Partial<Presence> = {}): Presence => ({
  people: [
    { ...person, seat: "console", name: "jm", person: "jm", console: true, colour: 0 },
    { ...person, seat: "s1", name: "kim", person: "kim", colour: 1 },
  ],
  driver: "jm",
  chat: [],
  ...more,
});

class PairStore extends FixtureStore {
  company: NonNullable<ViewStore["company"]> = { presence: presence(), seat: "console" };
}

const setUp = (level: "none" | "truecolor" = "none", seat = "console") => {
  const store = new PairStore(nightState());
  store.company = { ...store.company, seat };
  const screen = new Screen(store, makeTheme(level), 120, 40);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what starts a colour
  const rows = () => screen.frame().blocks.flatMap(({ rows }) => rows.map((row) => row.replace(/\x1b\[[0-9;]*m/g, "")));
  const press = (...names: string[]) => screen.keys(names.map((name) => (name.length === 1 ? { name, text: name } : { name })));
  return { store, screen, rows, press, text: () => rows().join("\n") };
};

test("the other's cursor is a letter on his row, without colours too, and in one's own row at its end", () => {
  const { store, screen, rows } = setUp();
  const [first, second] = screen.lists().tree;
  const on = (row: typeof first) => ({ kind: row?.selection.kind as "login", id: row?.selection.id ?? "" });
  const [jm, kim] = presence().people as [Presence["people"][0], Presence["people"][0]];
  store.company = { ...store.company, presence: presence({ people: [jm, { ...kim, on: on(second) }] }) };
  expect(rows().filter((row) => row.startsWith("K"))).toHaveLength(1);
  store.company = { ...store.company, presence: presence({ people: [jm, { ...kim, on: on(first) }] }) };
  expect(rows().find((row) => row.startsWith("▌"))).toMatch(/K$/);
  expect(rows()[0]).toContain("J jm drives   K kim");
});

test("an act that is too long for its lines says that there is more of it", () => {
  const { store, text, press } = setUp();
  const long = `noted: ${Array.from({ length: 300 }, (_, i) => `word${i}`).join(" ")}`;
  const jm = { name: "jm", first: 0, last: 0, seats: [], more: 0 };
  store.state.analysts.set("jm", { ...jm, acts: [{ at: FIXTURE_NOW, sequence: 1, action: "note.add", what: long }] });
  press("W");
  const lines = text()
    .split("\n")
    .filter((line) => /word\d/.test(line));
  expect(lines).toHaveLength(6);
  expect(lines.at(-1)).toMatch(/ … *│$/);
});

test("a pointer is shown the other way round for a moment, and then no more", () => {
  const { store, screen } = setUp("truecolor");
  const row = screen.lists().tree[0];
  const on = { kind: row?.selection.kind as "login", id: row?.selection.id ?? "" };
  const inverse = () => screen.frame().blocks.some(({ rows }) => rows.some((one) => one.startsWith("\x1b[1m\x1b[7m")));
  expect(inverse()).toBe(false);
  store.company = { ...store.company, presence: presence({ pointer: { name: "kim", colour: 1, on, at: FIXTURE_NOW } }) };
  expect(inverse()).toBe(true);
  store.clock = FIXTURE_NOW + 10_000;
  expect(inverse()).toBe(false);
});

test("who follows sees the leader's row under his cursor, until he moves", () => {
  const { store, screen, press, rows } = setUp();
  const target = screen.lists().tree.findLast(({ selection }) => selection.kind === "process");
  const on = { kind: "process" as const, id: target?.selection.id ?? "" };
  const [jm, kim] = presence().people as [Presence["people"][0], Presence["people"][0]];
  store.company = {
    ...store.company,
    presence: presence({
      people: [
        { ...jm, following: "s1" },
        { ...kim, pane: "tree", on },
      ],
    }),
  };
  rows();
  expect(screen.context().selection?.id).toBe(on.id);
  press("home");
  expect(store.proposed.at(-1)?.kind).toBe("look");
  expect(screen.context().selection?.id).not.toBe(on.id);
});

test("a plan that came up by itself is not dropped by a key that was meant for something else", () => {
  const { store, screen, press } = setUp("none", "s1");
  store.show(isolatePlan({ by: "jm", two: {} }));
  press("escape");
  expect(store.proposed).toEqual([]);
  screen.frame();
  expect(screen.message?.text).toContain("jm has made a plan");
});

test("a spectator's footer shows what changes the host as disabled, and by whom it could be done", () => {
  const { press, screen, text } = setUp("none", "s1");
  expect(text()).toContain("I Isolate (jm drives)");
  press("I");
  expect(screen.message?.text).toBe("I Isolate: jm drives, and only the driver may change the host: ask for the drive");
});

test("a dialog with two says who has confirmed and how long the other has; a watcher has no Enter", () => {
  const { store, text } = setUp();
  store.show(isolatePlan({ by: "kim", two: { confirmed: { by: "kim", until: FIXTURE_NOW + 12_000 } } }));
  expect(text()).toContain("kim has confirmed this plan; yours is the second Enter: 12 s");
  store.company = { ...store.company, seat: "s1" };
  expect(text()).toContain("you have confirmed; Enter of jm is awaited: 12 s");
  const [jm, kim] = presence().people as [Presence["people"][0], Presence["people"][0]];
  store.company = { seat: "s1", presence: presence({ people: [jm, { ...kim, mayDrive: false }] }) };
  expect(text()).not.toMatch(/ Enter {2}/);
});

test("the line to join is sent to the clipboard; of a terminal that has none that is a warning, and nothing is said to be sent", () => {
  const open = { line: "ssh -p 2222 192.0.2.5", fingerprint: "SHA256:x", address: "192.0.2.5", analysts: [] };
  for (const sent of [[] as string[], undefined]) {
    const store = new PairStore(nightState());
    store.company = { ...store.company, door: { open, configured: true, notes: [] } };
    const screen = new Screen(store, makeTheme("none"), 120, 40, undefined, sent && ((sequence) => void sent.push(sequence)));
    for (const name of ["P", "y"]) screen.keys([{ name, text: name }]);
    if (sent) {
      expect(screen.message).toEqual({ text: `sent to your terminal's clipboard: ${open.line}`, level: "info" });
      expect(Buffer.from(sent.join("").slice("\x1b]52;c;".length, -1), "base64").toString()).toBe(open.line);
    } else expect(screen.message).toEqual({ text: "this terminal has no clipboard that could be reached", level: "warn" });
  }
});

test("a screen of another analyst's that breaks ends alone: the program goes on, and his terminal is as it was", async () => {
  const { store } = setUp("none", "s1");
  const head = new HeadlessScreen(80, 24);
  const stdin = new PassThrough();
  const mounted = mountScreen(store, { stdin, stdout: head.stdout, env: { TERM: "xterm", LANG: "C.UTF-8" } });
  await head.until("devbox", 10_000);
  store.propose = () => {
    throw new Error("a view that breaks");
  };
  const ended = mounted.waitUntilExit();
  stdin.write("j");
  await expect(ended).rejects.toThrow("a view that breaks");
  await head.settled();
  expect(head.terminal.buffer.active.type).toBe("normal");
});
