import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Range } from "#range/range";
import { inPty } from "#testing/pty";
import { startBeacon } from "../response/testing/beacon.ts";
import { clear } from "../response/testing/clear.ts";
import { type Figure, figure } from "./figure.ts";

/** The program as it is built: this file is bundled beside it. */
const MAIN = join(import.meta.dirname, "main.js");
const TRIES = 3;
const PATIENCE_MS = 60_000;

/**
 * From the beacon's row on the screen to the cut that is proven and watched, by keys alone and through the program itself: I, the plan as
 * soon as it takes an Enter, Enter, the header. Nobody reads in between: that is the analysts' time.
 */
export async function console_(range: Range, report: (figure: Figure) => void): Promise<void> {
  const taken: number[] = [];
  const entered: number[] = [];
  for (let i = 0; i < TRIES; i++) {
    const sessions = mkdtempSync(join(tmpdir(), "stakeout-bench-"));
    const options = ["--config", range.sshConfig, "--analyst", "jm", "--no-card", "--sessions", sessions];
    const beacon = await startBeacon(range);
    const screen = inPty(range.inNetns(range.netns.analyst, [process.execPath, MAIN, "devbox", ...options]), 160, 50);
    try {
      await screen.screen.until(range.c2.address, PATIENCE_MS);
      const seen = performance.now();
      screen.press("I");
      await screen.screen.until(/Enter +isolates the host/, PATIENCE_MS);
      const enter = performance.now();
      screen.press("enter");
      await screen.screen.until(/verified ✓/, PATIENCE_MS);
      taken.push((performance.now() - seen) / 1000);
      entered.push(performance.now() - enter);
    } finally {
      screen.kill("SIGKILL");
      await screen.exited;
      beacon.stop();
      await clear(range);
      rmSync(sessions, { recursive: true, force: true });
    }
  }
  report(figure({ name: "beacon-seen-to-verified-cut", value: Math.max(...taken), unit: "s", bar: 30, n: taken.length, p: "max" }));
  report(figure({ name: "enter-to-verified-on-screen", value: Math.max(...entered), unit: "ms", bar: 3000, n: entered.length, p: "max" }));
}
