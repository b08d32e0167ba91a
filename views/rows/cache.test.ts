import { expect, test } from "vitest";
import { PANES, type PaneName } from "#commands/pane";
import { nightState } from "#testing/fixture-state";
import { type Look, RowCache } from "./cache.ts";
import type { Sort } from "./list.ts";

const sorts = Object.fromEntries(PANES.map(({ name }) => [name, "story"])) as Record<PaneName, Sort>;
const look = { toggled: new Set<string>(), showHidden: false, filter: "", sorts } satisfies Look;

test("a key means the rows that were shown: what the host did since is in the next picture, what an analyst judged at once", () => {
  const state = nightState();
  const still = () => true; // nothing is put off
  const cache = new RowCache(() => {}, still);
  const shown = cache.lists(state, look);
  const [id] = state.processes.keys();
  state.structure++;
  state.sequence++;
  expect(cache.lists(state, look, true)).toBe(shown);
  const next = cache.lists(state, look);
  expect(next).not.toBe(shown);
  expect(next.tree.map(({ key }) => key)).toContain(`p:${id}`);
  state.judged++;
  expect(cache.lists(state, look, true)).not.toBe(next);
  cache.close();
});
