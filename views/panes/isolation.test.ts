import { expect, test } from "vitest";
import { DEFAULT_KEYMAP } from "#commands/keymap";
import type { IsolatedState, State } from "#state/state";
import { nightState } from "#testing/fixture-state";
import type { ViewMeta } from "../store.ts";
import { makeTheme } from "../theme.ts";
import { blindLine } from "./footer.ts";
import { header } from "./header.ts";

const meta: ViewMeta = { mode: "live", hostLabel: "devbox", sessionPath: "sessions/x", analyst: "jm" };
const theme = makeTheme("none");

function isolated(watch: Partial<NonNullable<IsolatedState["watch"]>> | undefined, report = {}): State {
  const state = nightState();
  const since = state.now - 151_000;
  state.responses.set("r1", { id: "r1", kind: "isolate", analyst: "jm", phase: "succeeded", at: since, keeps: "stays" });
  state.isolated = { response: "r1", since, verified: { access: true, cut: true } };
  const base = { holds: true, out: 0, dropped: 1312, guard: "up" as const, put_back: 0 };
  if (watch)
    state.isolated.watch = { report: { ...base, ...report }, at: state.now, verified: state.now - 400, status: "running", ...watch };
  return state;
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what starts a style
const bare = (line: string) => line.replace(/\x1b\[[0-9;]*m/g, "");
const plain = (line: string) => bare(line).replace(/ +/g, " ");
const lines = (state: State, width: number) => header(theme, width, state, meta, state.now).map(plain);

test("what is true is said whole where there is room, and on two lines where there is not", () => {
  const state = isolated({});
  const whole = "ISOLATED by jm since 21:04:11 · verified ✓ 0.4 s ago · 0 packets out · 1,312 dropped · stays";
  expect(lines(state, 160)[0]).toContain(whole);
  const [first, second] = lines(state, 80);
  expect(first).toMatch(/devbox ISOLATED.* 21:04:11 · (verified )?✓ 0\.4 s ago .*21:06:42 UTC/);
  expect(second).toContain("0 packets out · 1,312 dropped · stays");
  for (const line of header(theme, 80, state, meta, state.now)) expect(bare(line).length).toBe(80);
});

test("what is not known any more is never called verified", () => {
  for (const [state, words] of [
    [isolated({ verified: isolated({}).now - 12_000 }), /NOT WATCHED, last verified 12 s ago/],
    [isolated({ status: "lost" }), /NOT WATCHED, last verified 0\.4 s ago/],
    [isolated({}, { holds: false, wrong: ["our inet table is not in the kernel"] }), /RULES CHANGED: our inet table is not in the kernel/],
    [isolated(undefined), /ISOLATED by jm since 21:04:11 · verified ✓ · stays/],
  ] as const)
    expect(lines(state, 160)[0]).toMatch(words);
  expect(lines(isolated({}, { out: 3, guard: "down", put_back: 2 }), 200)[0]).toContain(
    "3 packets out · 1,312 dropped · stays · guard ended · put back 2×",
  );
});

test("a finding of the watch stands on the screen for a minute", () => {
  const state = isolated({});
  state.findings.set("isolation-1", {
    id: "isolation-1",
    rule: "isolation-removed",
    title: "Somebody removed the isolation: process 812 (nft)",
    level: "critical",
    technique: ["T1562.004"],
    entities: [],
    at: state.now - 1000,
    sequence: 1,
  });
  const line = (now: number) => blindLine(theme, 120, state, now, undefined, DEFAULT_KEYMAP);
  expect(plain(line(state.now))).toContain("finding 21:06:41 Somebody removed the isolation: process 812 (nft)");
  expect(line(state.now + 60_000)).toContain("blind");
});
