import { PassThrough } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { FixtureState, judge } from "#testing/fixture-state";
import { busyState, nightState } from "#testing/night-state";
import { HeadlessScreen, toPng } from "#testing/screen";
import { eventually, shownScreen } from "#testing/shown-screen";
import { mountScreen } from "./mount.tsx";

const INTRUDER = "boot-1:4711:4711";

describe("the screen on a terminal", () => {
  test("tells at once which host, how well it is seen, who is there and where it talks to", async () => {
    for (const size of [
      { columns: 80, rows: 24 },
      { columns: 120, rows: 40 },
      { columns: 160, rows: 50 },
      { columns: 200, rows: 60 },
    ]) {
      const { screen } = shownScreen(nightState(), size);
      const text = await screen.until("STAKEOUT");
      await screen.settled();
      for (const part of [
        "devbox  10.0.4.17",
        "not isolated",
        "21:06:42 UTC",
        "tracefs+proc",
        "18,377 events",
        "lost 0",
        "raced 3",
        "root@185.220.101.47",
        "RU Saint Pet",
        "203.0.113.66:443",
        "CN Guangzhou",
        "×31",
        "blind",
        "I Isolate",
      ])
        expect(screen.text(), `${part} at ${size.columns}x${size.rows} in\n${text}`).toContain(part);
      expect(screen.text()).toContain("hidden: 100 processes, 2 connections, 1 file (T shows)");
      expect(screen.lines()).toHaveLength(size.rows);
    }
  });

  test("a message stays until a key is pressed", async () => {
    const { screen, store, press } = shownScreen();
    store.message = { text: "tagged as responder: 30 processes", level: "info" };
    store.publish();
    await screen.until("tagged as responder: 30 processes");
    press("j");
    await screen.until("I Isolate");
    expect(screen.text()).not.toContain("tagged as responder");
  });

  test("an empty session teaches instead of showing nothing", async () => {
    const { screen } = shownScreen(new FixtureState().state);
    const text = await screen.until("No process has been seen yet.");
    expect(text).toContain("No connection has been seen yet.");
    expect(text).toContain("No new binary has been seen yet.");
    expect(text).toContain("nothing is watched yet");
  });

  test("without colours and without Unicode everything is still told apart", async () => {
    const state = nightState();
    judge(state, INTRUDER, "intruder", "t3");
    const { screen } = shownScreen(state, { columns: 100, rows: 30 }, { NO_COLOR: "1", TERM: "linux" });
    expect(await screen.until("intruder")).toMatch(/! - L1 root@185\.220\.101\.47/);
    const sent = screen.written.join("").split("\x1b[");
    const styles = new Set(sent.flatMap((part) => /^[\d;]*m/.exec(part)?.[0] ?? []));
    expect([...styles].filter((style) => !["0m", "1m", "2m", "7m", "22m", "27m"].includes(style))).toEqual([]);
    expect(screen.text()).not.toMatch(/[─-▿]/);
  });

  test("too small a terminal says the size it needs, and the screen comes back", async () => {
    const { screen, resize, store } = shownScreen();
    await screen.until("STAKEOUT");
    await resize(50, 10);
    await screen.until(/^Stakeout needs 60x16/);
    // what may never be missed is said on any terminal
    store.state.isolated = { response: "r1", since: store.state.now };
    await resize(30, 10);
    await screen.until(/^ISOLATED\. Stakeout/);
    await resize(3, 43);
    await eventually(() => screen.lines().filter((text) => text !== "").length).toBe(1); // nothing wider wrapped onto it
    await resize(1, 1);
    await resize(120, 40);
    await screen.until("STAKEOUT");
  });

  test("from 1x1 to 10,000 columns nothing breaks, and after a storm of sizes the screen equals a fresh paint", async () => {
    const { screen, resize, press, store, mounted } = shownScreen(busyState(800));
    for (const [columns, rows] of [
      [1, 1],
      [10_000, 5],
      [10_000, 60],
      [60, 16],
      [300, 2],
      [80, 24],
      [2, 500],
      [149, 33],
      [160, 50],
    ] as const) {
      await resize(columns, rows);
      press("j\t");
    }
    press("\x1b[H\t\x1b[H\t\x1b[H"); // where a pane is scrolled to is kept, and not part of the picture
    await screen.until("STAKEOUT");
    await screen.settled();
    const fresh = new HeadlessScreen(160, 50);
    const again = mountScreen(store, {
      stdin: Object.assign(new PassThrough(), { isTTY: true }),
      stdout: Object.assign(fresh.stdout, { columns: 160, rows: 50 }),
      env: { COLORTERM: "truecolor" },
    });
    onTestFinished(() => again.unmount());
    again.screen.state = mounted.screen.state;
    store.publish();
    await fresh.until("STAKEOUT");
    await fresh.settled();
    const strip = (lines: string[]) => lines.map((text) => text.trimEnd());
    expect(strip(screen.lines())).toEqual(strip(fresh.lines()));
  });

  test("what a host names its files never reaches the terminal as an escape", async () => {
    const { screen, press } = shownScreen(nightState(), { columns: 160, rows: 50 });
    await screen.until("owned");
    press("jjjjjj\t\t");
    await screen.settled();
    const sent = screen.written.join("");
    expect(sent).not.toContain("\x1b]");
    expect(sent).not.toContain("\x1b[2J\x1b]0");
    expect(sent).not.toContain("\u202e");
  });

  test("can be drawn as a picture", async () => {
    const { screen } = shownScreen(nightState(), { columns: 80, rows: 24 });
    await screen.until("STAKEOUT");
    expect(Buffer.from(toPng(screen.terminal)).subarray(1, 4).toString()).toBe("PNG");
  });
});
