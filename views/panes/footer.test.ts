import { expect, test } from "vitest";
import type { LinkView } from "#model/link";
import { FIXTURE_NOW } from "#testing/fixture-state";
import { nightState } from "#testing/night-state";
import { sightDialog } from "../dialogs/sight.ts";
import { columns } from "../HostText.ts";
import { defaultSettings } from "../settings.ts";
import { makeTheme } from "../theme.ts";
import { blindLine } from "./footer.ts";

const theme = makeTheme("none");
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what starts a colour
const plain = (text: string) => text.replace(/\x1b\[[0-9;]*m/g, "");
const { keymap } = defaultSettings();
const away: LinkView = { phase: "away", attempt: 3, trying: false, nextInMs: 4000, seenAgoMs: 12_000, why: "devbox refused us\x1b[2J" };
const seeing = () => {
  const state = nightState();
  const sensor = [...state.sensors.values()][0];
  if (!sensor) throw new Error("the fixture has no sensor");
  sensor.seen = FIXTURE_NOW - 3000;
  sensor.report = { ...sensor.report, queue: 2048, clock_offset: -1500, canaries: { sent: 9, returned: 9 }, undecodable: 2 };
  sensor.report.proven = { program: "2026-11-27T21:03:01.000000Z", connection: {} as never };
  return state;
};

test("while the host is lost the line says what is done about it, since when, and which keys help", () => {
  const line = (link: LinkView) => plain(blindLine(theme, 120, nightState(), FIXTURE_NOW, link, keymap));
  expect(line(away)).toMatch(/LOST +reconnecting, attempt 3, next in 4 s, last seen 12 s ago +r tries now +S stops +devbox refused us/);
  expect(line({ ...away, trying: true })).toMatch(/attempt 3, last seen/);
  expect(line({ ...away, phase: "stopped" })).toMatch(/LOST +not tried any more, last seen 12 s ago +r tries again/);
  expect(line(away)).not.toContain("\x1b");
});

test("the line tells how fresh and true our sight is, the more the wider it is", () => {
  const line = (width: number) => plain(blindLine(theme, width, seeing(), FIXTURE_NOW, undefined, keymap));
  expect(line(160)).toMatch(/blind .*UDP.* unreadable 2 . tests 9\/9 . queue 2\.0 KB . clock -1\.5 s . seen 3s ago/);
  expect(line(80)).toMatch(/seen 3s ago/);
  for (const width of [60, 80, 120, 200]) expect(columns(line(width))).toBe(width);
});

test("the view of blind spots tells every number, what is not told as not told, and each thing that cannot be seen", () => {
  const dialog = (link?: LinkView) =>
    sightDialog(theme, { width: 120, height: 60 }, { state: seeing(), now: FIXTURE_NOW, link, scroll: 0 }).rows.map(plain).join("\n");
  const text = dialog();
  for (const said of [
    /received +18,377 events/,
    /lost +0 events/,
    /raced +3 programs/,
    /queue +2\.0 KB/,
    /clock +the host's is 2 s behind ours/,
    /9 of 9 things of our own/,
    /proven +programs 21:03:01, connections not proven, new files not proven, who opens what not proven/,
    /cannot see +UDP/,
    /files outside/,
  ])
    expect(text).toMatch(said);
  expect(dialog(away)).toMatch(/the host +is lost; reconnecting, attempt 3/);
  expect(dialog(away)).not.toContain("\x1b");
});
