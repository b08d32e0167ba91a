import { expect, test } from "vitest";
import { emptyState } from "#state/create";
import { nightState } from "#testing/fixture-state";
import { FixtureStore } from "#testing/fixture-store";
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
