import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { emptyState } from "#state/create";
import type { FindingState } from "#state/decided-state";
import { nightState } from "#testing/night-state";
import type { ViewMeta } from "../store.ts";
import { makeTheme } from "../theme.ts";
import { foundSpans } from "../trust/found.ts";
import { header } from "./header.ts";

const theme = makeTheme("none");
const meta: ViewMeta = { mode: "live", hostLabel: "devbox", sessionPath: "sessions/20261124-devbox", analyst: "jm" };
const second = (state: ReturnType<typeof nightState>, width: number, findingsKey = "X") =>
  stripVTControlCharacters(header(theme, width, state, meta, state.now, { findingsKey })[1] ?? "");
const card = { analyst: "jm", ticket: "INC-2041", scope: ["observe", "contain", "collect"] as const };

/** The night with so many findings, on as many processes of no login. */
function found(n: number) {
  const state = nightState();
  const [known] = [...state.findings.values()];
  if (!known) throw new Error("the night has no finding");
  state.findings.clear();
  for (let i = 0; i < n; i++) state.findings.set(`f${i}`, { ...known, id: `f${i}`, entities: [`none:${i}`] } satisfies FindingState);
  return state;
}

test("findings that are all low are told without a warning's colour, as their list tells them", () => {
  const state = found(1);
  const [one] = [...state.findings.values()];
  if (!one) throw new Error("no finding");
  const style = (level: FindingState["level"]) => {
    state.findings.set(one.id, { ...one, level });
    state.structure += 1;
    return foundSpans(state, "X", false)[0]?.style;
  };
  expect([style("low"), style("medium"), style("high")]).toEqual(["text", "warn", "bad"]);
});

test("what was found is counted at every width, with the key that shows it; nothing is said of none, and of what was dismissed", () => {
  expect(second(found(3), 160)).toContain("3 findings X");
  expect(second(found(1), 160)).toContain("1 finding X");
  expect(second(found(3), 80, "F7")).toMatch(/3 found(ings)? F7|3 findings F7/);
  expect(second(found(0), 160)).not.toMatch(/found|finding/);
  const state = found(1);
  for (const finding of state.findings.values()) finding.dismissed = { at: state.now, analyst: "jm", reason: "ours" };
  expect(second(state, 160)).not.toMatch(/found|finding/);
});

test("on the smallest screen it still says which host is isolated, and since when", () => {
  for (const mode of ["live", "replay"] as const)
    for (let width = 60; width <= 100; width++) {
      const state = found(2);
      state.responses.set("r1", { id: "r1", kind: "isolate", analyst: "jm", phase: "succeeded", at: state.now });
      state.isolated = { response: "r1", since: state.now, verified: { access: true, cut: true } };
      const [first = ""] = header(theme, width, state, { ...meta, mode }, state.now).map(stripVTControlCharacters);
      expect(first.length).toBe(width);
      expect(first).toMatch(/devbox.*ISOLATED (by jm )?(since )?21:06:42/);
      expect(first).not.toContain("…");
    }
});

test("before the first event the host is called as it was typed, not 'unknown'", () => {
  const state = { ...emptyState() };
  const [first = ""] = header(theme, 80, state, meta, 0).map(stripVTControlCharacters);
  expect(first).toContain("devbox");
  expect(first).not.toContain("unknown");
});

test("a ticket and a scope are there whole or not at all, and nothing hangs behind them where the path has no room", () => {
  const state = found(2);
  state.card = { ...card, scope: [...card.scope], at: state.now };
  for (let width = 80; width <= 200; width++) {
    const line = second(state, width);
    expect(line.length).toBe(width);
    expect(line).not.toMatch(/·\s*$/);
    expect(line).not.toContain("…");
    if (/INC/.test(line)) expect(line).toContain("INC-2041");
    if (/contain/.test(line)) expect(line).toContain("contain+collect");
  }
  expect(second(state, 200)).toMatch(/INC-2041 · contain\+collect {2}· {2}jm · sessions/);
});
