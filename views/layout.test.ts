import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PANES, type PaneName } from "#commands/pane";
import { LARGEST, type Layout, layout, SMALLEST } from "./layout.ts";

const names = PANES.map(({ name }) => name);
const needs = (n: number) => Object.fromEntries(names.map((name) => [name, n])) as Record<PaneName, number>;

/** Every cell of the screen belongs to exactly one thing. */
function tiled(place: Layout): boolean {
  const rects = [place.header, place.tabs, ...Object.values(place.panes), place.detail, ...place.dividers, place.blind, place.footer];
  if (place.scrubber) rects.push(place.scrubber);
  const cells = new Uint8Array(place.width * place.height);
  for (const rect of rects)
    for (let y = rect.y; y < rect.y + rect.height; y++)
      for (let x = rect.x; x < rect.x + rect.width; x++) cells[y * place.width + x] = (cells[y * place.width + x] ?? 0) + 1;
  return cells.every((times) => times === 1);
}

describe("the layout", () => {
  test("covers every cell of any screen exactly once, whatever the lists need and wherever the focus is; the focus is on the screen", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: SMALLEST.columns, max: 420 }),
        fc.integer({ min: SMALLEST.rows, max: 170 }),
        fc.constantFrom(...names),
        fc.array(fc.nat(300), { minLength: names.length, maxLength: names.length }),
        fc.boolean(),
        fc.boolean(),
        (columns, rows, focus, some, replay, zoomed) => {
          const need = Object.fromEntries(names.map((name, i) => [name, some[i]])) as Record<PaneName, number>;
          const place = layout(columns, rows, { focus, zoomed, need, replay });
          if (!place) throw new Error("no layout");
          expect(tiled(place)).toBe(true);
          expect(place.scrubber !== undefined).toBe(replay);
          expect(place.panes[focus]).toBeDefined();
          expect(place.detail.height).toBeGreaterThanOrEqual(1);
          for (const pane of Object.values(place.panes)) expect(pane.height).toBeGreaterThanOrEqual(3);
          if (zoomed) expect(Object.keys(place.panes)).toEqual([focus]);
          expect([place.width, place.height]).toEqual([Math.min(columns, LARGEST.columns), Math.min(rows, LARGEST.rows)]);
        },
      ),
    );
  });

  test("a pane with the focus never gets less than without it, and alone it gets more", () => {
    const need = { ...needs(20), tree: 40 };
    const height = (columns: number, rows: number, focus: PaneName, zoomed = false) =>
      layout(columns, rows, { focus, zoomed, need })?.panes.connections?.height ?? 0;
    for (const [columns, rows] of [
      [60, 16],
      [80, 24],
      [120, 40],
      [200, 60],
    ] as const) {
      expect(height(columns, rows, "connections")).toBeGreaterThanOrEqual(height(columns, rows, "tree"));
      expect(height(columns, rows, "connections", true)).toBeGreaterThan(height(columns, rows, "connections"));
    }
    expect(height(80, 24, "connections")).toBeGreaterThan(height(80, 24, "tree"));
  });

  test("shows more at once the larger the screen is: the panes that matter at 80x24, all that tell of now at 200x60", () => {
    const shown = (columns: number, rows: number) =>
      Object.keys(layout(columns, rows, { focus: "tree", zoomed: false, need: needs(12) })?.panes ?? {}).sort();
    expect(shown(80, 24)).toEqual(["binaries", "connections", "tree"]);
    expect(shown(120, 40)).toEqual(["binaries", "connections", "logins", "tree"]);
    const all = names.filter((name) => name !== "past" && name !== "baseline").sort();
    expect(shown(160, 50)).toEqual(all);
    expect(shown(200, 60)).toEqual(all);
  });

  test("says nothing can be laid out where it is too small", () => {
    const wanted = { focus: "tree" as const, zoomed: false, need: needs(0) };
    expect(layout(SMALLEST.columns - 1, 40, wanted)).toBeUndefined();
    expect(layout(80, SMALLEST.rows - 1, wanted)).toBeUndefined();
  });
});
