import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ScreenIntent } from "#commands/intent";
import { emptyState } from "#state/create";
import type { Key } from "./keys.ts";
import {
  type FoldableRow,
  firstScreenState,
  locate,
  type OuterIntent,
  type Panes,
  reduceScreen,
  type ScreenState,
  scrollTop,
} from "./screen-state.ts";
import type { TagDialog } from "./tags/dialog.ts";
import { tagKey } from "./tags/tag-keys.ts";

const row = (key: string, more: Partial<FoldableRow> = {}): FoldableRow => ({
  key,
  at: 0,
  selection: { kind: "process", id: key },
  ...more,
});
const panes = (tree: FoldableRow[]): Panes => ({
  lists: { tree, connections: [], binaries: [row("b")], logins: [], map: [], activity: [], past: [], baseline: [] },
  page: { tree: 5, connections: 5, binaries: 5, logins: 5, map: 5, activity: 5, past: 5, baseline: 5 },
});
const rows = Array.from({ length: 20 }, (_, i) => row(`r${i}`));
const play = (intents: Exclude<ScreenIntent, OuterIntent>[], p: Panes, from: ScreenState = firstScreenState()) =>
  intents.reduce((state, intent) => reduceScreen(state, intent, p), from);
const at = (state: ScreenState, p: Panes) => locate(p.lists[state.pane], state.cursors[state.pane]);

describe("what is mine on the screen", () => {
  test("the cursor moves by rows, pages and to the ends, and stays inside", () => {
    const p = panes(rows);
    expect(
      at(
        play(
          [
            { kind: "move", by: "row", direction: 1 },
            { kind: "move", by: "page", direction: 1 },
          ],
          p,
        ),
        p,
      ),
    ).toBe(5);
    expect(at(play([{ kind: "move", by: "end", direction: 1 }], p), p)).toBe(19);
    expect(at(play([{ kind: "move", by: "row", direction: -1 }], p), p)).toBe(0);
  });

  test("it keeps its row when rows come above, and its place when the row goes", () => {
    const p = panes(rows);
    const state = play(
      [
        { kind: "move", by: "row", direction: 1 },
        { kind: "move", by: "row", direction: 1 },
      ],
      p,
    );
    expect(at(state, panes([row("new"), ...rows]))).toBe(3);
    expect(at(state, panes(rows.filter((r) => r.key !== "r2")))).toBe(2);
    expect(at(state, panes([]))).toBe(-1);
  });

  test("until a key moved it, it stays on top whatever comes", () => {
    expect(at(firstScreenState(), panes([row("newest"), ...rows]))).toBe(0);
  });

  test("left folds, then goes up to the parent; right opens, then goes in", () => {
    const open = panes([row("a", { expandable: true, expanded: true }), row("b", { parent: "a" })]);
    const inside = play([{ kind: "expand" }], open);
    expect(at(inside, open)).toBe(1);
    const up = play([{ kind: "fold" }], open, inside);
    expect(at(up, open)).toBe(0);
    expect([...play([{ kind: "fold" }], open, up).toggled]).toEqual(["a"]);
    const folded = panes([row("a", { expandable: true, expanded: false })]);
    expect([...play([{ kind: "expand" }], folded, { ...up, toggled: new Set(["a"]) }).toggled]).toEqual([]);
  });

  test("panes go round, both ways", () => {
    const p = panes(rows);
    expect(play([{ kind: "pane", step: -1 }], p).pane).toBe("baseline");
    const visited = [1, 2, 3, 4, 5, 6, 7, 8].map(
      (times) => play(Array<ScreenIntent & { kind: "pane" }>(times).fill({ kind: "pane", step: 1 }), p).pane,
    );
    expect(visited).toEqual(["connections", "binaries", "logins", "map", "activity", "past", "baseline", "tree"]);
  });

  test("a view is one pane alone or all of them, and zoom goes there and back", () => {
    const p = panes(rows);
    const logins = play([{ kind: "view", pane: "logins" }], p);
    expect(logins).toMatchObject({ pane: "logins", zoomed: true });
    expect(play([{ kind: "view", pane: "all" }], p, logins)).toMatchObject({ pane: "logins", zoomed: false });
    expect(play([{ kind: "zoom" }, { kind: "zoom" }], p)).toEqual(firstScreenState());
  });

  test("each pane has its own order; going through all of them comes back to the first, on the same row", () => {
    const p = panes(rows);
    const there = play([{ kind: "move", by: "row", direction: 1 }, { kind: "sort" }], p);
    expect(there.sorts).toMatchObject({ tree: "newest", connections: "story" });
    expect(at(there, p)).toBe(1);
    const seen = new Set<string>();
    let state = firstScreenState();
    for (let i = 0; i < 4; i++) {
      state = play([{ kind: "sort" }], p, state);
      seen.add(state.sorts.tree);
    }
    expect([seen.size, state.sorts.tree]).toEqual([4, "story"]);
  });

  test("following the newest ends with any move", () => {
    const p = panes(rows);
    const following = play([{ kind: "follow" }], p);
    expect(following.following).toBe(true);
    expect(play([{ kind: "follow" }], p, following).following).toBe(false);
    for (const by of ["row", "page", "end"] as const)
      expect(play([{ kind: "move", by, direction: 1 }], p, following).following).toBe(false);
    expect(play([{ kind: "pane", step: 1 }], p, following).following).toBe(true);
  });

  test("the scroll always shows the cursor, and never more blank than there must be", () => {
    fc.assert(
      fc.property(
        fc.nat(500),
        fc.nat(500),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 500 }),
        (top, cursor, height, total) => {
          const index = cursor % total;
          const next = scrollTop(top, index, height, total);
          expect(next).toBeGreaterThanOrEqual(0);
          expect(index).toBeGreaterThanOrEqual(next);
          expect(index).toBeLessThan(next + height);
          expect(next).toBeLessThanOrEqual(Math.max(0, total - height));
        },
      ),
    );
  });
});

describe("the tag dialog", () => {
  const open = reduceScreen(firstScreenState(), { kind: "compose-tag", choices: [{ login: "l" }], since: 0 }, panes([]));
  const press = (state: ScreenState, key: Key, armed: boolean) => tagKey(state, state.dialog as TagDialog, key, armed, emptyState());
  const type = (state: ScreenState, ...keys: string[]) =>
    keys.reduce((s, name) => press(s, [...name].length === 1 ? { name, text: name } : { name }, true).state, state);

  test("takes a verdict and a reason; letters that are commands elsewhere are text here", () => {
    const typed = type(open, "right", "q", "I", "x", "backspace", "t");
    expect(press(typed, { name: "enter" }, true).intent).toEqual({
      kind: "tag",
      selector: { login: "l" },
      verdict: "known-good",
      reason: "qIt",
      since: 0,
    });
  });

  test("has a reason even if none is typed, cancels by Escape, and ignores an Enter from before it was seen", () => {
    expect(press(open, { name: "enter" }, true).intent).toMatchObject({ verdict: "responder", reason: "our own triage" });
    expect(press(open, { name: "escape" }, true)).toEqual({ state: firstScreenState() });
    expect(press(open, { name: "enter" }, false)).toMatchObject({
      state: open,
      notice: expect.stringContaining("press it again"),
    });
  });

  test("keeps a pasted megabyte to one short printable line", () => {
    const pasted = press(open, { name: "paste", text: `a\x1b[2J\n${"b".repeat(1e6)}` }, true).state.dialog;
    expect(pasted?.kind === "tag" && pasted.reason.length).toBe(160);
    expect(pasted?.kind === "tag" && pasted.reason).toMatch(/^a·\[2J b/);
  });
});
