import { expect, test } from "vitest";
import { emptyState } from "#state/create";
import { judge } from "#testing/fixture-state";
import { FixtureStore } from "#testing/fixture-store";
import { nightState } from "#testing/night-state";
import { id, watchedHost } from "#testing/watched-host";
import { factsOf } from "../facts/facts.ts";
import { Screen } from "../screen.ts";
import { makeTheme } from "../theme.ts";

const setUp = (state = nightState(), width = 120, height = 40) => {
  const screen = new Screen(new FixtureStore(state), makeTheme("none"), width, height);
  const rows = () => screen.frame().blocks.find(({ id }) => id === "dialog")?.rows ?? [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what starts a colour
  const dialog = () => rows().map((row) => row.replace(/\x1b\[[0-9;]*m/g, ""));
  const press = (...names: string[]) => screen.keys(names.map((name) => (name.length === 1 ? { name, text: name } : { name })));
  return { screen, press, text: () => dialog().join("\n") };
};

test("what to rotate: read before could be read, with fingerprints, and the machines that it leads to", () => {
  const { press, text } = setUp();
  press("K");
  expect(text()).toMatch(/read +\/etc\/shadow/);
  expect(text()).toMatch(/could +\/home\/dev\/\.ssh\/id_ed25519/);
  expect(text()).toContain("SHA256:3p1gVw0nQkq1yY7p2m0kXw9d8s4cB6tZ5rE1aF2hJ3L");
  expect(text()).toContain("no passphrase");
  expect(text()).toMatch(/called +203\.0\.113\.66:443/);
  expect(text()).toMatch(/named +db01\.corp\.example/);
  press("escape");
  expect(text()).toBe("");
});

test("findings: level, technique and evidence; nothing found is said, and so is that nobody looked", () => {
  const night = setUp();
  night.press("X");
  expect(night.text()).toMatch(/high +a tagged process was traced \(ptrace\)/);
  expect(night.text()).toContain("T1055.008");
  night.press("X");
  const empty = setUp(emptyState());
  empty.press("X");
  expect(empty.text()).toContain("Nothing was found yet.");
  empty.press("escape", "K");
  expect(empty.text()).toContain("No secret of this host is known");
});

/** The night with three findings more on one pair, the newest, and one on another. */
const repeated = () => {
  const state = nightState();
  const [first] = [...state.findings.values()];
  if (!first) throw new Error("the night has no finding");
  for (let i = 0; i < 3; i++) state.findings.set(`again${i}`, { ...first, id: `again${i}`, rule: "again", title: "the same again" });
  return state;
};

test("repeats of one finding on the same people are one row with a count", () => {
  const { press, text } = setUp(repeated());
  press("X");
  expect(text().match(/the same again/g)).toHaveLength(1);
  expect(text()).toMatch(/the same again +×3/);
});

test("x asks for a reason and dismisses all that the row stands for; nothing without a reason, and Escape lets it stand", () => {
  const store = new FixtureStore(repeated());
  const screen = new Screen(store, makeTheme("none"), 120, 40);
  const press = (...names: string[]) => screen.keys(names.map((name) => (name.length === 1 ? { name, text: name } : { name })));
  press("X");
  press("x");
  expect(store.proposed).toEqual([]); // it was not on the screen yet
  screen.frame();
  screen.painted();
  press("x", "enter");
  expect(store.proposed).toEqual([]);
  press("escape", "x", ..."our backup", "enter");
  expect(store.proposed).toEqual([{ kind: "dismiss-findings", findings: ["again2", "again1", "again0"], reason: "our backup" }]);
});

test("a newer finding does not slip under the cursor; what was dismissed stands last, says by whom and why, and x brings it back", () => {
  const state = repeated();
  const store = new FixtureStore(state);
  const screen = new Screen(store, makeTheme("none"), 120, 40);
  const press = (...names: string[]) => screen.keys(names.map((name) => (name.length === 1 ? { name, text: name } : { name })));
  const rows = () =>
    screen
      .frame()
      .blocks.find(({ id }) => id === "dialog")
      ?.rows.join("\n") ?? "";
  press("X", "down");
  rows();
  screen.painted();
  const [first] = [...state.findings.values()];
  if (!first) throw new Error("the night has no finding");
  state.findings.set("newer", { ...first, id: "newer", rule: "newer", title: "a newer one" });
  store.publish();
  press("x", "n", "o", "enter");
  expect(store.proposed).toEqual([{ kind: "dismiss-findings", findings: [first.id], reason: "no" }]);
  first.dismissed = { at: first.at, analyst: "kim", reason: "our own debugger" };
  store.publish();
  press("end");
  expect(rows()).toMatch(/Dismissed[\s\S]*dismissed by kim at [\d:]+: our own debugger/);
  press("x");
  expect(store.proposed.at(-1)).toEqual({ kind: "restore-findings", findings: [first.id] });
  press("Z");
  expect(store.proposed.at(-1)).toEqual({ kind: "undo-findings" });
});

test("Enter goes from a finding to who did it, wherever he is folded, and says how he is judged by now", () => {
  const state = nightState();
  const [finding] = [...state.findings.values()];
  const [doer] = finding?.entities ?? [];
  const { press, screen, text } = setUp(state);
  judge(state, state.processes.get(doer ?? "")?.login ?? "", "intruder");
  press("X");
  expect(text()).toMatch(/ of L1 root@185\.220\.101\.47 \(intruder\)/);
  press("enter");
  expect(text()).toBe("");
  const { pane, cursors } = screen.state;
  expect([pane, cursors.tree.key]).toEqual(["tree", `p:${doer}`]);
  press("backspace"); // and back
  expect(screen.state.cursors.tree.key).not.toBe(`p:${doer}`);
});

test("what a finding brought back says so in its details", () => {
  const state = nightState();
  const login = state.logins.get("boot-1:3100:3100");
  if (!login) throw new Error("the responder is not there");
  login.standing = "suspect";
  login.finding = "f1";
  const { press, screen, text } = setUp(state, 160, 50);
  press("5");
  const row = screen.lists().logins.findIndex(({ selection }) => selection.id === login.id);
  expect(row).toBeGreaterThanOrEqual(0);
  for (let i = 0; i < row; i++) press("down");
  press("d");
  expect(text()).toContain("although it was tagged: a tagged process was traced (ptrace)");
});

test("a host with more secrets than rows scrolls, on the smallest screen too", () => {
  const state = nightState();
  for (let i = 0; i < 300; i++) {
    const path = `/home/u${i}/.ssh/id_\u202e\u001b[31m` as never;
    state.touched.secrets.set(path, { path, kind: "key", uid: 0, mode: "0600", by: new Map() });
  }
  const { press, text } = setUp(state, 80, 24);
  press("K");
  text(); // the keys of a dialog know its length once it was drawn
  press("end");
  expect(text()).toContain("groups are not counted");
  expect(text()).not.toContain("\u202e");
  expect(text()).not.toContain("\u001b");
});

test("a finding is worded by the tags that hold when it is read, in the list and in the details", () => {
  const h = watchedHost();
  h.start(22, 21, "/usr/bin/w");
  const { press, text } = setUp(h.state);
  press("X");
  expect(text()).toContain("a login without a tag asked who is logged in");
  press("escape");
  h.tag(20, "intruder");
  press("X");
  expect(text()).toContain("a login since tagged intruder asked who is logged in");
  const facts = factsOf(makeTheme("none"), h.state, { kind: "login", id: id(20) }, h.state.now);
  expect(facts.find(({ label }) => label === "finding")?.text).toContain("a login since tagged intruder asked");
});
