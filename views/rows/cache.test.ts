import { expect, test } from "vitest";
import { PANES, type PaneName } from "#commands/pane";
import type { ProcessState } from "#state/state";
import { nightState } from "#testing/night-state";
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

test("a filter for far ends finds who calls there by now, though no process came or went", () => {
  const state = nightState();
  const cache = new RowCache(
    () => {},
    () => true,
  );
  const pids = () =>
    cache.lists(state, { ...look, filter: "ip:192.0.2.77" }).tree.flatMap((row) => (row.kind === "process" ? [row.process.pid] : []));
  expect(pids()).toEqual([]);
  const [connection] = [...state.connections.values()].filter(({ process }) => process === "boot-1:4802:4802");
  if (!connection) throw new Error("the beacon has no connection");
  state.connections.set("late", { ...connection, id: "late", destination: { ip: "192.0.2.77", port: 443 } });
  state.sequence++;
  expect(pids()).toContain(4802);
  cache.close();
});

test("of many rows those that a tag hides are gone at once, the others are arranged in the picture after it", async () => {
  const state = nightState();
  const [some] = [...state.processes.values()].filter(({ login }) => login !== undefined);
  const template = some as ProcessState;
  for (let i = 0; i < 2000; i++) {
    const id = `boot-1:${50_000 + i}:1`;
    state.processes.set(id, {
      ...template,
      id,
      pid: 50_000 + i,
      parent: undefined,
      children: new Set(),
      standing: i % 2 ? "unknown" : "suspect",
    });
  }
  const due = Promise.withResolvers<void>();
  const cache = new RowCache(due.resolve);
  const standing = () =>
    cache.lists(state, look).tree.map((row) => (row.kind === "process" && row.process.pid >= 50_000 ? row.process.standing : ""));
  const hidden = () => standing().filter((one) => one === "responder").length;
  expect(standing().filter((one) => one === "suspect")).toHaveLength(1000);
  for (const process of state.processes.values()) if (process.standing === "suspect") process.standing = "responder";
  for (const process of state.processes.values())
    if (process.pid >= 51_900 && process.standing === "unknown") process.standing = "intruder";
  state.judged++;
  state.structure++;
  expect([standing().length < 1500, hidden(), cache.hidden.processes >= 1000]).toEqual([true, 0, true]);
  expect(standing().indexOf("intruder")).toBeGreaterThan(standing().indexOf("unknown"));
  await due.promise;
  expect(standing().indexOf("intruder")).toBeLessThan(standing().indexOf("unknown"));
  expect(hidden()).toBe(0);
  cache.close();
});

test("what one analyst folds stays open on the other's screen, though both had the same rows", () => {
  const state = nightState();
  const still = () => true;
  const [mine, yours] = [new RowCache(() => {}, still), new RowCache(() => {}, still)];
  const shared = mine.lists(state, look).tree;
  expect(yours.lists(state, look).tree).toBe(shared);
  const open = shared.find((row) => row.kind === "process" && row.expanded);
  if (!open) throw new Error("nothing is open");
  const folded = mine.lists(state, { ...look, toggled: new Set([open.key]) }).tree;
  expect(folded.length).toBeLessThan(shared.length);
  expect(folded.find(({ key }) => key === open.key)?.expanded).toBe(false);
  expect(yours.lists(state, look).tree).toBe(shared);
  expect(open.expanded).toBe(true);
  for (const cache of [mine, yours]) cache.close();
});
