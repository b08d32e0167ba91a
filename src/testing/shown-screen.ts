import { PassThrough } from "node:stream";
import { expect, onTestFinished } from "vitest";
import { mountScreen } from "#views/mount";
import { FixtureStore } from "./fixture-store.ts";
import { nightState } from "./night-state.ts";
import { PATIENCE } from "./patience.ts";
import { HeadlessScreen } from "./screen.ts";

/** Waits as long as a slow machine may need. */
export const eventually = <T>(what: () => T) => expect.poll(what, { timeout: PATIENCE });

/** The screen on a terminal that a test types on and reads; it is taken down with the test. */
export function shownScreen(
  state = nightState(),
  size = { columns: 120, rows: 40 },
  env: Record<string, string> = { COLORTERM: "truecolor" },
) {
  const screen = new HeadlessScreen(size.columns, size.rows);
  const stdout = Object.assign(screen.stdout, size);
  const raw: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: (on: boolean) => void raw.push(on) });
  const store = new FixtureStore(state);
  const mounted = mountScreen(store, { stdin, stdout, env });
  onTestFinished(() => mounted.unmount());
  const resize = async (columns: number, rows: number) => {
    await screen.settled();
    screen.resize(columns, rows);
    Object.assign(stdout, { columns, rows });
    stdout.emit("resize");
  };
  const press = (keys: string) => void stdin.write(keys);
  return { screen, store, mounted, press, resize, raw, stdin };
}
