import { expect, test } from "vitest";
import type { Suggestion } from "#model/profile";
import type { State } from "#state/state";
import { FixtureStore } from "#testing/fixture-store";
import { nightState } from "#testing/night-state";
import { Screen } from "../screen.ts";
import { makeTheme } from "../theme.ts";

const INTRUDER = "boot-1:4711:4711";

class TagStore extends FixtureStore {
  suggestions: Suggestion[] = [];
}
const setUp = (size: [number, number] = [120, 40], state: State = nightState()) => {
  const store = new TagStore(state);
  const screen = new Screen(store, makeTheme("none"), ...size);
  const text = () =>
    screen
      .frame()
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what starts a colour
      .blocks.flatMap(({ id, rows }) => (id === "dialog" ? rows.map((row) => row.replace(/\x1b\[[0-9;]*m/g, "")) : []))
      .join("\n");
  const press = (...names: string[]) => {
    for (const name of names) {
      screen.keys([[...name].length === 1 ? { name, text: name } : { name }]);
      text();
      screen.painted();
    }
  };
  return { store, screen, press, text, state };
};

test("the dialog says beforehand what the tag would hide, and of that what is flagged; it stays in sight unless Ctrl-F", () => {
  const { press, text, store } = setUp();
  press("t");
  expect(text()).toContain("Tag the login L1 root@185.220.101.47");
  expect(text()).toMatch(/hides +30 processes, 14 connections, 3 binaries, of which \d+ were flagged/);
  expect(text()).toContain("what is flagged stays in sight; Ctrl-F hides it, too");
  press("ctrl-f", "enter");
  expect(store.proposed).toMatchObject([{ kind: "tag", selector: { login: INTRUDER }, verdict: "responder", hides_flagged: true }]);
  press("t", "right", "right");
  expect(text()).toMatch(/marks +30 processes/);
  expect(text()).not.toContain("Ctrl-F");
});

test("up and down choose what it is on: the login, its address, its network, its account; a value can be typed", () => {
  const { press, text, store } = setUp();
  press("t");
  for (const name of ["logins from 185.220.101.47", "user root, logins from 185.220.101.47", "logins from 185.220.101.0/24", "user root"]) {
    press("down");
    expect(text()).toContain(`on        ${name} `);
  }
  press("up", "ctrl-e", "backspace", "backspace", "2", "3", "enter", "enter");
  expect(store.proposed).toMatchObject([{ kind: "tag", selector: { source: "185.220.101.0/23" } }]);
});

test("a bad network is refused where it is typed, and a good one is tagged", () => {
  const { press, text, store, screen } = setUp();
  press(":", ..."tag by rule", "enter");
  expect(text()).toContain("source");
  press(..."203.0.113.0/33", "enter");
  expect(screen.message?.text).toBe('"/33" is no length of a network: it is a number from 0 to 32');
  expect(store.proposed).toEqual([]);
  press("backspace", "backspace", "2", "4", "enter", "tab", "enter");
  expect(store.proposed).toMatchObject([{ kind: "tag", selector: { source: "203.0.113.0/24" }, scope: "host" }]);
});

test("a tag that would leave nothing in sight asks once more", () => {
  const { press, text, store, screen, state } = setUp();
  const [root] = state.processes.values();
  press("t");
  const { dialog } = screen.state;
  if (dialog?.kind !== "tag" || !root) throw new Error("no dialog");
  screen.state = { ...screen.state, dialog: { ...dialog, choices: [{ process: root.id }] } };
  expect(text()).toContain("nothing would stay in sight");
  press("enter");
  expect(store.proposed).toEqual([]);
  expect(text()).toContain("NOTHING stays in sight: Enter does it");
  press("right", "enter");
  expect(store.proposed).toEqual([]); // another verdict is another decision
  press("enter");
  expect(store.proposed).toMatchObject([{ kind: "tag", verdict: "known-good" }]);
});

test("one login or process is of this session alone", () => {
  const { press, screen } = setUp();
  press("t", "tab");
  expect(screen.message?.text).toMatch(/is of this session alone/);
});

test("the list shows what is suggested, what stands and what was taken back; keys make, change and take back", () => {
  const { press, text, store, state } = setUp([80, 24]);
  store.suggestions = [
    { key: "s1", selector: { login: INTRUDER }, verdict: "responder", reason: "jm", why: "team.yml: an address of jm's" },
    { key: "s2", selector: { user: "ops" }, verdict: "responder", reason: "ops", why: "team.yml: a tag of the team's" },
  ];
  const [first] = state.tags.values();
  state.tags.set("t9", {
    id: "t9",
    verdict: "suspect",
    selector: { source: "192.0.2.0/24" },
    reason: "odd",
    analyst: "kim",
    applied: 0,
    sequence: 9,
    removed: 5,
  });
  press("v");
  expect(text()).toMatch(/Suggested, decided by nobody[\s\S]*root@185\.220\.101\.47[\s\S]*team\.yml/);
  press("enter");
  press("a");
  press("v", "down", "down", "x", "end", "enter");
  expect(store.proposed).toEqual([
    { kind: "accept", suggestions: ["s1"] },
    { kind: "accept", suggestions: ["s1", "s2"] },
    { kind: "untag", tag: expect.any(String) },
    { kind: "restore-tag", tag: "t9" },
  ]);
  expect(text()).toMatch(/Taken back[\s\S]*logins from 192\.0\.2\.0\/24/);
  press("home", "down", "down", "enter");
  expect(text()).toContain("Change the tag on");
  press(..." again", "enter");
  expect(store.proposed.at(-1)).toMatchObject({ kind: "tag", replaces: expect.any(String) });
  expect(first).toBeDefined();
});

test("what a command wrote is shown without what could steer a terminal, scrolls, and belongs to whoever ran it", () => {
  const { press, text, store, state } = setUp([100, 24]);
  press("!");
  expect(text()).toContain("Run on the host, recorded");
  press(..."id -u", "enter");
  expect(store.proposed).toEqual([{ kind: "run", line: "id -u" }]);
  const lines = Array.from({ length: 60 }, (_, i) => `line ${i}`).join("\n");
  const output = `\x1b]0;evil\x07\x1b[31mred\u202e\n${lines}\n` as never;
  state.commands.set("c1", {
    id: "c1",
    line: "id -u",
    analyst: "kim",
    start: 0,
    end: 1500,
    exit_code: 3,
    output,
    bytes: 900,
    file: "commands/c1.txt",
  });
  expect(text()).toContain("kim at 00:00:00: exit 3, after 2 s, 900 B");
  expect(text()).toContain("·]0;evil··[31mred·");
  expect(text()).not.toContain("line 59");
  press("end");
  expect(text()).toContain("line 59");
  press("x");
  expect(store.proposed).toHaveLength(1);
  state.commands.set("c2", { id: "c2", line: "sleep 9", analyst: "jm", start: 0 });
  press("home");
  expect(text()).toContain("# sleep 9");
  press("x", "left");
  expect(store.proposed.at(-1)).toEqual({ kind: "stop-command", command: "c2" });
  expect(text()).toContain("# id -u");
});

test("our footprint lists our logins, what they run and what was run by us", () => {
  const { press, text, state } = setUp();
  const own = [...state.logins.values()].find(({ standing }) => standing === "responder");
  if (own) own.ours = true;
  state.commands.set("c1", { id: "c1", line: "ss -tnp", analyst: "jm", start: 0, end: 1, exit_code: 0 });
  press(":", ..."our footprint", "enter");
  expect(text()).toMatch(/1 login\b/);
  expect(text()).toMatch(/[1-9]\d* processes/);
  press("end");
  expect(text()).toMatch(/jm +ss -tnp +exit 0/);
});
