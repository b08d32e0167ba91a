import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { COMMANDS } from "#commands/registry";
import { until } from "#range/machine";
import { PATIENCE } from "#testing/patience";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { momentsOfTheNight, NIGHT, told } from "#testing/recorded-night";
import { PROGRAM } from "#testing/story";

const { length, beforeCut } = momentsOfTheNight();
const OPENED = `event ${told(beforeCut)} of ${told(length)}`;

/** What one key does, read from the screen. */
interface Story {
  /** Keys that lead to where the effect can be seen. */
  before?: string[];
  /** What the screen shows after the key, and does not before it. */
  shows: RegExp | ((lines: readonly string[]) => boolean);
  /** Keys that lead back. */
  after?: string[];
}

/** Line of the row with the cursor, in the tree. The first row is on line 4, under the header, the views and the title. */
const cursor = (lines: readonly string[]) => lines.findIndex((line) => line.startsWith("▌"));
const isOn = (pane: string) => new RegExp(`━━ \\d ${pane}`);
/** The connections are on the screen, without the keys. */
const beside = /── 3 Connections/;
const alone = (lines: readonly string[]) => !beside.test(lines.join("\n"));

/** A story a command; a command without a key is called from the palette. Told on the recorded night, an event before its isolation. */
const STORIES: Record<string, Story> = {
  down: { before: ["home"], shows: (lines) => cursor(lines) === 5 },
  up: { before: ["home", "down"], shows: (lines) => cursor(lines) === 4 },
  "page-down": { before: ["home"], shows: (lines) => cursor(lines) > 30 },
  "page-up": { before: ["end"], shows: (lines) => cursor(lines) < 10 },
  last: { before: ["home"], shows: (lines) => cursor(lines) > 35 },
  first: { before: ["end"], shows: (lines) => cursor(lines) === 4 },
  "next-pane": { shows: isOn("Connections"), after: ["shift-tab"] },
  "previous-pane": { shows: isOn("Baseline"), after: ["tab"] },
  fold: { before: ["home"], shows: /▸ L\d+ root@185/, after: ["right"] },
  expand: { before: ["home", "left"], shows: /▾ L\d+ root@185/ },
  "toggle-fold": { before: ["home"], shows: /▸ L\d+ root@185/, after: ["enter"] },
  tag: { shows: /t Untag: a replay shows what was recorded/ },
  tags: { shows: /In force/, after: ["escape"] },
  "tag-rule": { shows: /Tag by rule: a replay shows what was recorded/, after: ["escape"] },
  "undo-tag": { shows: /Z Undo tag: a replay shows what was recorded/ },
  "redo-tag": { shows: /Ctrl-R Redo tag: a replay shows what was recorded/ },
  footprint: { shows: /Known by the connections that this console made/, after: ["escape"] },
  run: { shows: /! Run: this is a replay/ },
  "off-disk": { shows: /Take off the disk: this is a replay/, after: ["escape"] },
  commands: { shows: /No command was run yet/, after: ["escape"] },
  suggested: { shows: /U This is us: a replay shows what was recorded/ },
  "show-hidden": { shows: /\(T hides\)/, after: ["T"] },
  isolate: { shows: /I Isolate: this is a replay: the host cannot be changed/ },
  measures: { shows: /x Block or stop: this is a replay: the host cannot be changed/ },
  "check-cut": { shows: /i Is it cut\?: this is a replay/ },
  "to-connection": { before: ["home"], shows: isOn("Connections"), after: ["shift-tab"] },
  "to-binary": { before: ["home"], shows: isOn("New binaries"), after: ["tab"] },
  "to-process": { before: ["home", "c"], shows: isOn("Processes") },
  "to-login": { before: ["home", "down"], shows: (lines) => cursor(lines) === 4 },
  "jump-back": { before: ["home", "c"], shows: isOn("Processes") },
  "jump-forward": { before: ["home", "c", "("], shows: isOn("Connections"), after: ["("] },
  "view-all": { before: ["2"], shows: beside },
  "view-tree": { shows: alone, after: ["1"] },
  "view-connections": { shows: isOn("Connections"), after: ["2", "1"] },
  "view-binaries": { shows: isOn("New binaries"), after: ["2", "1"] },
  "view-logins": { shows: isOn("Logins"), after: ["2", "1"] },
  "view-map": { shows: isOn("Where connections go"), after: ["2", "1"] },
  "view-activity": { shows: isOn("Activity"), after: ["2", "1"] },
  "view-past": { shows: isOn("Look back"), after: ["2", "1"] },
  "view-baseline": { shows: isOn("Baseline"), after: ["2", "1"] },
  zoom: { shows: alone, after: ["z"] },
  details: { before: ["home"], shows: /╭─ Login/, after: ["escape"] },
  findings: { shows: /╭─ Findings/, after: ["escape"] },
  rotate: { shows: /╭─ What to rotate/, after: ["escape"] },
  names: { shows: /Name of the address: this is a replay: it asks nobody/, after: ["escape"] },
  sockets: { shows: /╭─ Unix sockets[\s\S]*Nobody had asked for them yet/, after: ["escape"] },
  sort: { shows: /newest first/, after: ["s", "s", "s"] },
  follow: { shows: /following the newest/, after: ["F"] },
  filter: { shows: /words {2}user: ip:/, after: ["escape"] },
  "clear-filter": { before: ["/zfneolx", "enter"], shows: (lines) => !lines.join().includes("found by /zfneolx") },
  freeze: { shows: /f Freeze: a replay stands still with Space/ },
  people: { shows: /P People: this is a replay: nobody else is on it/ },
  point: { shows: /\* Look here: this is a replay/ },
  "follow-partner": { shows: /@ Follow them: this is a replay/ },
  lead: { shows: /L Follow me: this is a replay/ },
  chat: { shows: /C Chat: this is a replay/ },
  note: { shows: /n Note: a replay shows what was recorded/ },
  "claim-mine": { shows: /M Mine: this is a replay/ },
  "claim-done": { shows: /D Done: this is a replay/ },
  "hand-over": { shows: /H \S+ \S+: this is a replay/ },
  "who-did-what": { shows: /jm +opened the session/, before: [], after: ["escape"] },
  "two-people": { shows: /Two must confirm: this is a replay/, after: ["escape"] },
  palette: { shows: /what do you want to do\?/, after: ["escape"] },
  mark: { before: ["home"], shows: /marked for you alone, not in the log: login L\d+ root@185/, after: ["m"] },
  "next-own-mark": { before: ["home", "m", "end"], shows: /your mark 1 of 1: login L\d+ root@185/, after: ["m"] },
  copy: { before: ["home"], shows: /login sent to your terminal's clipboard: root@185/ },
  "copy-details": { before: ["home"], shows: /all about login L\d+ root@185\S+ sent to your terminal's clipboard, as Markdown/ },
  sight: { shows: /What we see, and what not[\s\S]*cannot see/, after: ["escape"] },
  reconnect: { shows: /r Reconnect: this is a replay: there is no host/ },
  "stop-reconnecting": { shows: /S Stop watching: this is a replay: there is no host/ },
  tour: { shows: /1 of 5: Who is there/, after: ["escape"] },
  "replay-end": { before: ["0"], shows: new RegExp(`event ${told(length)} of ${told(length)} +at the end`) },
  "replay-start": { before: ["$"], shows: new RegExp(`event 0 of ${told(length)}`) },
  "next-mark": { before: ["0"], shows: /mark 1 of \d+: / },
  "previous-mark": { before: ["$"], shows: /mark (\d+) of \d+: / },
  step: { before: ["0"], shows: new RegExp(`event 1 of ${told(length)}`) },
  "step-back": { before: ["$"], shows: new RegExp(`event ${told(length - 1)} of ${told(length)}`) },
  slower: { shows: /speed ×0\.5/, after: [">"] },
  faster: { shows: /speed ×2/, after: ["<"] },
  search: { shows: /Search the whole session/, after: ["escape"] },
  play: { before: ["0"], shows: /playing ×1/, after: [" "] },
  report: { shows: /The report of what is recorded is in .*report\.md/ },
  help: { shows: /type to narrow/, after: ["escape"] },
  quit: { shows: () => true },
};

let folder: string;
let console_: ConsoleInPty;
const open = (env: Record<string, string> = {}) =>
  inPty([...PROGRAM, "replay", join(folder, "night"), "--at", `#${beforeCut}`], 160, 50, env);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "stakeout-keys-"));
  cpSync(NIGHT, join(folder, "night"), { recursive: true });
  console_ = open();
  await console_.screen.until(OPENED);
});
afterAll(() => {
  console_?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

describe("every key, pressed in the program on the recorded night", () => {
  test("every command of the registry has its story", () => {
    expect(Object.keys(STORIES).sort()).toEqual(COMMANDS.map(({ id }) => id).sort());
  });

  const told = Object.entries(STORIES).flatMap(([id, story]) => {
    const command = COMMANDS.find((one) => one.id === id);
    const ways = command?.keys.length === 0 ? [[`:${command.title}`, "enter"]] : (command?.keys ?? []).map((key) => [key]);
    return id === "quit" ? [] : ways.map((keys) => ({ id, keys, story }));
  });
  test.each(told)("$id by $keys", async ({ keys, story: { before = [], shows, after = [] } }) => {
    const { screen } = console_;
    const seen = () => (typeof shows === "function" ? shows(screen.lines()) : shows.test(screen.text()));
    const wait = (what: string, condition: () => boolean) =>
      until(what, condition, { everyMs: 10 }).catch((error: Error) => {
        throw new Error(`${error.message}; the screen shows\n${screen.text()}`);
      });
    await press(before);
    await wait("the screen before the key", () => !seen());
    await press(keys);
    await wait("what the key does", seen);
    if (after.length === 0) return;
    await press(after);
    await wait("the way back", () => !seen());
  });

  test.each(COMMANDS.find(({ id }) => id === "quit")?.keys ?? [])(
    "quit by %s: the terminal is as it was, the mouse with it",
    async (key) => {
      const leaving = open();
      await leaving.screen.until(OPENED);
      expect(leaving.screen.terminal.modes.mouseTrackingMode).toBe("vt200");
      leaving.press(key === "ctrl-c" ? "\x03" : key);
      expect(await leaving.exited).toBe(0);
      await leaving.screen.settled();
      expect(leaving.screen.terminal.buffer.active.type).toBe("normal");
      expect(leaving.screen.terminal.modes).toMatchObject({ mouseTrackingMode: "none", bracketedPasteMode: false });
    },
  );
});

test("a search goes through the whole session, forth and back, whatever is hidden, and says where it is", {
  timeout: 2 * PATIENCE,
}, async () => {
  const lines = readFileSync(join(NIGHT, "events.jsonl"), "utf8").split("\n");
  const at = `event ${told(1 + lines.findIndex((line) => line.includes('"args":["cat","/etc/shadow"]')))} of ${told(length)}`;
  await press(["0", "w", ..."cat /etc/shadow", "enter"]);
  await console_.screen.until(/found at \d\d:\d\d:\d\d: process\.start cat \/etc\/shadow/);
  await console_.screen.until(at);
  await press(["w"]);
  await console_.screen.until(/Search the whole session[\s\S]*words +cat \/etc\/shadow/);
  await press(["up"]);
  await console_.screen.until(/nothing before this moment tells of cat \/etc\/shadow/);
  expect(console_.screen.text()).toContain(at);
  await press(["w", "\x15", ..."no such thing anywhere", "enter"]);
  await console_.screen.until(/nothing after this moment tells of no such thing anywhere/);
});

describe("the config file, in the program", () => {
  const withConfig = (text: string) => {
    mkdirSync(join(folder, "stakeout"), { recursive: true });
    writeFileSync(join(folder, "stakeout", "config.yaml"), text);
    return { XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder };
  };

  test("other keys, no mouse, a filter by name; the tour is shown once, and what was saved is there the next time", async () => {
    const env = withConfig('keys: {show-hidden: f5, palette: "="}\nmouse: false\nfilters: {theirs: "standing:intruder"}\n');
    const first = open(env);
    await first.screen.until(/1 of 5: Who is there/);
    await first.screen.until("(F5 shows)"); // the tour is there before the session was read up to its moment
    expect(first.screen.terminal.modes.mouseTrackingMode).toBe("none");
    first.press("\x1b[15~");
    await first.screen.until(/\(F5 hides\)/);
    await until("the tour to have made way", () => !first.screen.text().includes("1 of 5"), { everyMs: 10 });
    first.press("/\t");
    await first.screen.until("found by /standing:intruder");
    first.press("\x15pid:143", "\x13");
    await first.screen.until("Save this filter");
    first.press("ビーコン", "enter");
    await first.screen.until("saved as ビーコン");
    first.press("enter", "q");
    expect(await first.exited).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, "stakeout", "console.json"), "utf8"))).toEqual({
      filters: [{ name: "ビーコン", text: "pid:143" }],
      tour: true,
    });

    const second = open(env);
    expect(await second.screen.until(OPENED)).not.toContain("1 of 5");
    second.press("=ビーコン");
    await second.screen.until("Filter ビーコン");
    second.press("enter");
    await second.screen.until("found by /pid:143");
    second.press("q");
    expect(await second.exited).toBe(0);
  });

  test("a mistake in it is told with its place, nothing is begun, and the exit code is that of wrong usage", async () => {
    const refused = open(withConfig("keys:\n  report: t\n"));
    expect(await refused.exited).toBe(2);
    await refused.screen.settled();
    expect(refused.screen.text().replaceAll("\n", "")).toContain(
      'config.yaml:2:11: "report" (Report) and "tag" (Tag) would both have the key "t": give one of them another',
    );
  });
});

/** One by one; an Escape is known only once nothing follows it, so what it closes must be gone first. */
async function press(keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    const before = console_.screen.text();
    console_.press(key);
    if (key === "escape") await until("Escape to be taken", () => console_.screen.text() !== before, { everyMs: 10 });
  }
}
