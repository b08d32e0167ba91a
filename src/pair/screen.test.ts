import { afterEach, expect, test } from "vitest";
import { until } from "#range/machine";
import { FixtureStore } from "#testing/fixture-store";
import { nightState } from "#testing/night-state";
import { inPty } from "#testing/pty";
import { mountScreen } from "#views/mount";
import { NO_SSH, openPair, type Pair } from "./testing/pair.ts";

let pair: Pair | undefined;
afterEach(async () => {
  await pair?.stop();
  pair = undefined;
});

const skipped = NO_SSH ? ` (skipped: ${NO_SSH})` : "";
test.skipIf(NO_SSH)(`the console's own screen comes up for two at once, each in a size and at a place of their own${skipped}`, async () => {
  const store = new FixtureStore(nightState());
  pair = await openPair({ mount: (terminal) => mountScreen(store, terminal) });
  const jm = inPty(pair.ssh("jm"), 80, 24);
  const kim = inPty(pair.ssh("kim"), 180, 50);
  const cursor = (screen: typeof jm.screen) => screen.lines().findIndex((line) => line.startsWith("▌"));
  await Promise.all([jm, kim].map(({ screen }) => screen.until(/devbox/)));
  await until("both cursors", () => cursor(jm.screen) > 0 && cursor(kim.screen) > 0);
  const before = cursor(kim.screen);
  jm.press("home", "down", "down");
  await until("jm's cursor to move", () => cursor(jm.screen) === before + 2);
  expect(cursor(kim.screen)).toBe(before);
  store.message = { text: "seen by both", level: "info" };
  store.publish();
  await Promise.all([jm, kim].map(({ screen }) => screen.until(/seen by both/)));
  kim.resize(100, 30);
  await until("kim's screen in its new size", () => kim.screen.lines()[29]?.includes("seen by both"));
  jm.press("q");
  expect(await jm.exited).toBe(0);
  await until("jm's terminal as it was before", () => !jm.screen.text().includes("devbox"));
  expect(pair.server.seats().map(({ analyst }) => analyst.name)).toEqual(["kim"]);
  kim.press("q");
  expect(await kim.exited).toBe(0);
});
