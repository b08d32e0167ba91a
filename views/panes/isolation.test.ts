import { expect, test } from "vitest";
import { DEFAULT_KEYMAP } from "#commands/keymap";
import type { ResponseProgress } from "#model/response-progress";
import type { IsolatedState } from "#state/decided-state";
import { reduce } from "#state/reduce";
import type { State } from "#state/state";
import { event } from "#testing/events";
import { nightState } from "#testing/night-state";
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
const running = (names: readonly string[]): ResponseProgress => ({
  id: "r2",
  kind: "isolate",
  by: "jm",
  phase: "running",
  dies: [],
  survives: [],
  allowed: [],
  leaks: [],
  steps: names.map((name) => ({ name, status: "ok" })),
});
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

test("of an isolation that was found it is said when it was found and planned, never since when", () => {
  const state = nightState();
  const found = (planned?: string, at = new Date(state.now).toISOString()) =>
    reduce(
      state,
      event(state.sequence + 1, {
        "@timestamp": at,
        event: { action: "baseline.isolation" },
        stakeout: {
          sensor: "console",
          tier: "analyst",
          analyst: "kim",
          response: { id: "found", kind: "isolate" },
          isolated_by: { analyst: "kim", ...(planned === undefined ? {} : { since: planned }) },
        },
      }),
    );
  const day = new Date(state.now).toISOString().slice(0, 10);
  found(`${day}T20:58:03Z`);
  expect(lines(state, 160)[0]).toContain("ISOLATED by kim found 21:06:42 · NOT VERIFIED · planned 20:58:03, by its own word");
  expect(lines(state, 80).join("\n")).toMatch(/found 21:06.*\n.*planned 20:58:03/);
  found("2026-11-20T08:00:00Z");
  expect(lines(state, 160)[0]).toContain("found 21:06:42 · NOT VERIFIED · planned 11-20 08:00, by its own word");
  found("2026-11-20T08:00:00Z", "2026-11-20T08:00:00Z"); // as older sessions have it
  expect(lines(state, 160)[0]).toContain("found 21:06:42 · NOT VERIFIED · planned 11-20 08:00, by its own word");
  found();
  expect(lines(state, 160)[0]).toContain("found 21:06:42 · NOT VERIFIED · since when is not known");
  for (const width of [60, 80, 120, 160]) expect(lines(state, width)[0]).not.toContain("since 2");
});

test("that it would not stand through a reboot is read whole in a narrow terminal, too", () => {
  const state = isolated({}, { boot: "lost" });
  expect(lines(state, 80)[1]).toMatch(/(?:NOT THROUGH|WOULD NOT SURVIVE) A REBOOT/);
  expect(lines(state, 160)[0]).toContain("verified ✓ 0.4 s ago · WOULD NOT SURVIVE A REBOOT · 0 packets out");
});

test.each([
  ["boot", /stays through reboots|boot-proof/],
  ["reverts", /reverts( if we vanish)?/],
] as const)("what becomes of it (%s) is read whole in a narrow terminal, however much else there is to say", (keeps, words) => {
  const state = isolated({}, { boot: "kept", dropped: 131_200 });
  const response = state.responses.get("r1");
  if (response) response.keeps = keeps;
  const sensor = [...state.sensors.values()][0];
  if (sensor) sensor.report = { ...sensor.report, raced: 571, lost: 12 };
  const line = lines(state, 80)[1] ?? "";
  expect(line).toMatch(words);
  expect(line).toContain("131,200 dropped");
  expect(lines(state, 200)[0]).toMatch(keeps === "boot" ? /stays through reboots/ : /reverts if we vanish/);
});

/** From its confirmation on the rules can be on the host; what the steps say more is known to this console alone. */
function underway(kind: "isolate" | "release", failed = false): State {
  const state = kind === "release" ? isolated({}) : nightState();
  state.responses.set("r2", { id: "r2", kind, analyst: "jm", phase: failed ? "failed" : "confirmed", at: state.now - 700 });
  state.underway = { response: "r2", kind, since: state.now - 700, ...(failed ? { failed: true as const } : {}) };
  return state;
}

test("from the Enter on, a host that may be cut off is not called 'not isolated'", () => {
  const said = (state: State, width: number, ...names: string[]) =>
    plain(header(theme, width, state, meta, state.now, { running: running(names) })[0] ?? "");
  for (const width of [60, 80, 120, 160]) {
    for (const state of [underway("isolate"), underway("isolate", true)]) {
      const line = said(state, width);
      expect(line).toMatch(/ISOLATI(NG|ON)/);
      expect(line).not.toContain("not isolated");
    }
    expect(said(underway("release"), width)).toContain("BEING RELEASED");
  }
  expect(said(underway("isolate"), 120)).toContain("ISOLATING by jm since 21:06:41 · wait: it may be cut already");
  expect(said(underway("isolate"), 120, "armed", "cut")).toContain("cut, not proven yet");
  expect(said(underway("isolate"), 120, "armed", "cut", "dead man stood down")).toContain("proven, being made to last");
  expect(said(underway("isolate", true), 160)).toContain("ISOLATION by jm since 21:06:41 · NOT PROVEN: the host may be cut off");
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
