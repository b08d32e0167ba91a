import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { PANES } from "#commands/pane";
import { composed } from "#draw/compose";
import { FrameWriter } from "#draw/frame-writer";
import { KeyParser } from "#draw/keys";
import { Pace } from "#draw/pace";
import { RowCache } from "#draw/rows/cache";
import { Screen } from "#draw/screen";
import { makeTheme } from "#draw/theme";
import { Replay } from "#investigation/replay";
import type { SessionFolder } from "#session/session-store";
import { recordBusySession } from "#testing/busy-session";
import { HeadlessScreen } from "#testing/screen";
import { replayStore } from "./replay-store.ts";

const folder = mkdtempSync(join(tmpdir(), "stakeout-paint-"));
let session: SessionFolder;
beforeAll(async () => {
  session = await recordBusySession(folder, 1500, { processes: 120, perSecond: 200 });
  // rows seem to cost a second: what may be put off is
  const run = Pace.prototype.run;
  vi.spyOn(Pace.prototype, "run").mockImplementation(function <T>(this: Pace, work: () => T): T {
    const done = run.call(this, work) as T;
    this.took(performance.now(), 1000);
    return done;
  });
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const KEYS = [..."jkhlgGTtcbuf/.,[]<>0$ ?mnsvxw'1234567za日", "\r", "\t", "\x7f"];
const SEQUENCES = ["A", "B", "C", "D", "H", "F", "Z", "5~", "6~"].map((end) => `\x1b[${end}`);

/** The screen of the replay on a terminal, without a program around it. */
async function open() {
  const replay = await Replay.load(session.events, () => {});
  const { store } = replayStore(replay, "busy", "sessions/busy", { quit: () => {}, report: () => {} });
  const screen = new Screen(store, makeTheme("truecolor"), 160, 50);
  const terminal = new HeadlessScreen(160, 50);
  const writer = new FrameWriter(terminal.stdout, 160, 50);
  writer.enter();
  const parser = new KeyParser();
  const paint = () => {
    const frame = composed(screen.frame());
    writer.write(frame);
    return frame;
  };
  return {
    screen,
    terminal,
    paint,
    press: (keys: string) => {
      screen.keys(keys === "\x1b" ? [{ name: "escape" }] : parser.feed(keys));
      paint();
    },
    resize: (columns: number, rows: number) => {
      terminal.resize(columns, rows);
      writer.resize(columns, rows);
      screen.resize(columns, rows);
      paint();
    },
    pause: () => replay.pause(),
    close: () => {
      screen.close();
      replay.close();
    },
  };
}

/** Characters and colours of every cell, a string a line. */
async function cells(screen: HeadlessScreen): Promise<string[]> {
  await screen.settled();
  const { active } = screen.terminal.buffer;
  return Array.from({ length: screen.terminal.rows }, (_, y) => {
    const line = active.getLine(active.baseY + y);
    return Array.from({ length: screen.terminal.cols }, (_, x) => {
      const cell = line?.getCell(x);
      return `${cell?.getChars() || " "}${cell?.getFgColor()}/${cell?.getBgColor()}`;
    }).join(" ");
  });
}

const step = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...KEYS).map((key) => ({ key })) },
  { weight: 4, arbitrary: fc.constantFrom(...SEQUENCES).map((key) => ({ key })) },
  { weight: 1, arbitrary: fc.record({ columns: fc.integer({ min: 1, max: 300 }), rows: fc.integer({ min: 1, max: 100 }) }) },
);
/** Where the last step goes: to another moment, most of all. */
const last = fc.constantFrom(".", ",", "]", "[", "0", "$", "", "f", "T");

test("whatever was pressed, a replay that stands still shows at once what a fresh paint shows, and a resize moves nothing", async () => {
  const { screen, terminal, paint, press, resize, pause, close } = await open();
  // a map is drawn once its land is loaded
  await expect.poll(() => typeof screen.world, { timeout: 15_000 }).toBe("object");
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), last, async (steps, to) => {
      terminal.written.length = 0;
      for (const one of steps) "key" in one ? press(one.key) : resize(one.columns, one.rows);
      resize(160, 50);
      pause();
      for (let i = 0; i < 3; i++) press("\x1b");
      if (to !== "") press(to);
      const frame = paint();
      const shown = await cells(terminal);
      const other = new HeadlessScreen(160, 50);
      const fresh = new FrameWriter(other.stdout, 160, 50);
      fresh.enter();
      fresh.write(frame);
      expect(await cells(other), "a fresh terminal").toEqual(shown);
      const { toggled, showHidden, filter, sorts } = screen.state;
      const rows = new RowCache(() => {}).lists(structuredClone(screen.seen), { toggled, showHidden, filter: filter.text, sorts });
      for (const { name } of PANES) expect({ name, rows: keysOf(screen.lists()[name]) }).toEqual({ name, rows: keysOf(rows[name]) });
      resize(161, 50); // no other height: what is scrolled to would be another place
      resize(160, 50);
      expect(await cells(terminal), "after a resize").toEqual(shown);
    }),
    { numRuns: 40 },
  );
  close();
});

const keysOf = (rows: readonly { key: string }[]) => rows.map(({ key }) => key);
