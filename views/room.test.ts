import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import type { HostString } from "#model/host-string";
import { emptyState } from "#state/create";
import type { State } from "#state/state";
import { FixtureStore, isolateDone, isolatePlan } from "#testing/fixture-store";
import { nightState } from "#testing/night-state";
import { columns } from "./HostText.ts";
import { paintDetail } from "./panes/detail.ts";
import { emptyRows } from "./panes/title.ts";
import { paintRow, span } from "./row.ts";
import { Screen } from "./screen.ts";
import { makeTheme } from "./theme.ts";

/** Where there is little room: what is shown can be understood, and what is cut says so. */

const theme = makeTheme("none");
const plain = stripVTControlCharacters;

function at80(state: State) {
  const store = new FixtureStore(state);
  const screen = new Screen(store, theme, 80, 24);
  const dialog = () => plain((screen.frame().blocks.find(({ id }) => id === "dialog")?.rows ?? []).join("\n"));
  const press = (...names: string[]) => screen.keys(names.map((name) => (name.length === 1 ? { name, text: name } : { name })));
  return { store, screen, dialog, press };
}

test("blanks that find no room are no loss; a word that finds none is marked as cut", () => {
  expect(paintRow(theme, 10, [span(" ? "), span("Help     ")])).toBe(" ? Help   ");
  expect(paintRow(theme, 8, [span(" ? "), span("Help     ")])).toBe(" ? Help ");
  expect(paintRow(theme, 6, [span(" ? "), span("Help     ")])).toBe(" ? He…");
});

test("a fact that would be a few letters is left out of the strip; those after it that fit are there", () => {
  const state = nightState();
  const id = "boot-1:4711:4711";
  for (let width = 60; width <= 140; width++)
    for (const row of paintDetail(theme, state, { kind: "login", id }, state.now, { width, height: 2, as: "strip" })) {
      expect(columns(plain(row))).toBe(width);
      for (const fact of plain(row).trim().split(/ {3,}/)) if (fact.includes("…")) expect(fact.length).toBeGreaterThanOrEqual(24);
    }
});

test("what an empty pane teaches ends with a mark where its lines do not fit, and is whole where they do", () => {
  const text = ["Nothing yet.", "What would stand here is told in a sentence that needs two lines of forty columns."];
  expect(
    emptyRows(theme, 44, 4, text)
      .map((row) => plain(row).trim())
      .join(" "),
  ).not.toContain("…");
  const short = emptyRows(theme, 44, 2, text).map(plain);
  expect(short[0]?.trim()).toBe("Nothing yet.");
  expect(short[1]).toMatch(/What would stand here.*…\s*$/);
});

describe("at 80x24", () => {
  test.each([
    ["tags", "v", /profile suggests/],
    ["commands", "O", /What you run on the host with !/],
    ["findings", "X", /a login without a tag that enters or abuses/],
    ["rotation", "K", /No secret of this host is known/],
  ])("the empty dialog of %s teaches, and none of its words is cut", (_, key, teaches) => {
    const { press, dialog } = at80(emptyState());
    press(key);
    expect(dialog().replaceAll(/[\s│]+/g, " ")).toMatch(teaches);
    expect(dialog()).not.toContain("…");
  });

  test("a title of a finding, what is our footprint, and what a key does are told whole", () => {
    const { press, dialog } = at80(nightState());
    press("X");
    expect(dialog()).not.toContain("…");
    press("escape", ":", ..."footprint", "enter");
    expect(dialog().replaceAll(/[\s│]+/g, " ")).toContain("by nothing that a thing is called.");
    press("escape", "?");
    expect(dialog()).toMatch(/:Tag by rule/);
    press("escape", ":", ..."tags");
    expect(dialog().replaceAll(/[\s│]+/g, " ")).toContain("accept, change, take back, make again.");
  });

  test("clocks that differ by milliseconds differ by a number without a sign, in one direction", () => {
    const state = nightState();
    for (const sensor of state.sensors.values()) sensor.report = { ...sensor.report, clock_offset: -5 };
    const { press, dialog } = at80(state);
    press("B");
    expect(dialog()).toContain("the host's is 5 ms behind ours");
  });

  test("what the steps of an isolation found is told whole, in words for a reader", () => {
    const { store, dialog } = at80(nightState());
    const said =
      "to the analysts 124, to neighbours on the wire 0, to others 0; dropped: out 53, in 2; the interfaces sent 124, we let through 124" as HostString;
    const step = (name: string, more = {}) => ({ name, status: "ok" as const, milliseconds: 5.8, ...more });
    const steps = [step("armed", { said: "356 355 294776" as HostString }), step("cut"), step("rules in the kernel", { said })];
    store.show(isolateDone({ steps, leaks: [] }));
    const text = dialog().replaceAll(/[\s│]+/g, " ");
    expect(text).toContain("dead man armed 5.8 ms");
    expect(text).toContain("the rules are in force 5.8 ms");
    expect(text.replace(" 5.8 ms", "").replaceAll(" 5.8 ms", "")).toContain(`rules in the kernel: ${said}`);
    expect(dialog()).not.toContain("…");
  });

  test("a plan to isolate counts in words that agree; one to release does not warn of a cut that it does not make", () => {
    const { store, dialog } = at80(nightState());
    store.show(isolatePlan({ dies: ["one"], survives: ["one"] }));
    expect(dialog().replaceAll(/[\s│]+/g, " ")).toMatch(/1 dies, 1 survives/);
    const { keepsAccess: _, ...release } = isolatePlan({ kind: "release" });
    store.show(release);
    expect(dialog()).not.toContain("not known whether");
    store.show({ ...release, kind: "isolate" });
    expect(dialog()).toContain("not known whether this console's connection survives");
  });
});
