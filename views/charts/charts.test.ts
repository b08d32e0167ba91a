import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { Standing } from "#state/state";
import { columns as widthOf } from "../HostText.ts";
import { makeTheme } from "../theme.ts";
import { type Activity, activityRows, sparkText, spread, spreadBuckets } from "./activity.ts";
import { loadWorldMap, type MapMarker, type WorldMap } from "./world-map.ts";

const bare = makeTheme("none");
const ascii = makeTheme("none", false);
// biome-ignore lint/suspicious/noControlCharactersInRegex: colour codes are what is taken away here
const plain = (row: string) => row.replace(/\x1b\[[\d;]*m/g, "");
const standings: Standing[] = ["intruder", "suspect", "unknown", "responder", "known-good"];

describe("the world map", () => {
  let map: WorldMap;
  beforeAll(async () => {
    map = await loadWorldMap();
  });
  const cellOf = (rows: string[], glyph: string) => {
    const y = rows.findIndex((row) => plain(row).includes(glyph));
    return { y, x: plain(rows[y] ?? "").indexOf(glyph) };
  };

  test("has exactly the size that was asked for, whatever it is", () => {
    const marker = fc.record({ lat: fc.double(), lon: fc.double(), standing: fc.constantFrom(...standings) });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 130 }),
        fc.integer({ min: 0, max: 40 }),
        fc.array(marker, { maxLength: 8 }),
        (columns, rows, markers) => {
          const drawn = map.draw(makeTheme("truecolor"), columns, rows, markers);
          expect(drawn.length).toBe(rows);
          for (const row of drawn) expect(widthOf(plain(row))).toBe(columns);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("shows land where land is, and markers where their places are", () => {
    const places: Record<string, [number, number]> = {
      Nanjing: [32.06, 118.76],
      Berlin: [52.52, 13.4],
      Sydney: [-33.87, 151.2],
      Chicago: [41.9, -87.6],
    };
    const land = map.draw(bare, 120, 24, []).map(plain);
    expect(land.join("").replace(/[ \u2800-\u28ff]/g, "")).toBe("");
    expect(land.join("").replaceAll(" ", "").length).toBeGreaterThan(300);
    const at = Object.fromEntries(
      Object.entries(places).map(([name, [lat, lon]]) => [
        name,
        cellOf(map.draw(bare, 120, 24, [{ lat, lon, standing: "intruder" }]), "▲"),
      ]),
    ) as Record<string, { x: number; y: number }>;
    expect(at["Chicago"]?.x).toBeLessThan(at["Berlin"]?.x ?? 0);
    expect(at["Berlin"]?.x).toBeLessThan(at["Nanjing"]?.x ?? 0);
    expect(at["Nanjing"]?.x).toBeLessThan(at["Sydney"]?.x ?? 0);
    expect(at["Berlin"]?.y).toBeLessThan(at["Nanjing"]?.y ?? 0);
    expect(at["Nanjing"]?.y).toBeLessThan(at["Sydney"]?.y ?? 0);
    // Within a cell of the coast of the outline: the Cape of Good Hope is the lowest land at its longitude.
    const cape = cellOf(map.draw(bare, 120, 24, [{ lat: -34.4, lon: 18.5, standing: "intruder" }]), "▲");
    const lowest = land.findLastIndex((row) => row.slice(cape.x - 1, cape.x + 2).trim() !== "");
    expect(Math.abs(cape.y - lowest)).toBeLessThanOrEqual(1);
  });

  test("where markers meet, the worst is shown; one at the pole stands at the edge", () => {
    const here = { lat: 50, lon: 10 };
    const three: MapMarker[] = (["responder", "intruder", "unknown"] as const).map((standing) => ({ ...here, standing }));
    const text = map.draw(bare, 80, 16, three).map(plain).join("\n");
    expect(text).toContain("▲");
    expect(text).not.toMatch(/[○?]/);
    expect(cellOf(map.draw(bare, 80, 16, [{ lat: -90, lon: 0, standing: "suspect" }]), "△").y).toBe(15);
  });

  test("does without braille and colours", () => {
    const text = map
      .draw(ascii, 80, 16, [{ lat: 50, lon: 10, standing: "intruder" }])
      .map(plain)
      .join("\n");
    expect(text).toMatch(/^[ .!\n]*$/);
    expect(text).toContain("!");
  });

  test("the land stays as it is from one drawing to the next", () => {
    const first = map.draw(bare, 90, 18, []);
    map.draw(bare, 90, 18, [{ lat: 0, lon: 0, standing: "intruder" }]);
    expect(map.draw(bare, 90, 18, [])).toEqual(first);
  });
});

describe("activity over time", () => {
  const chart = (buckets: Activity[]) => ({ buckets, from: "5m ago", to: "now", each: "2 s" });

  test("has exactly the size that was asked for, whatever is in it", () => {
    const bucket = fc.dictionary(fc.constantFrom(...standings), fc.oneof(fc.nat(), fc.double()));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 90 }),
        fc.integer({ min: 0, max: 12 }),
        fc.array(bucket, { maxLength: 100 }),
        (width, height, buckets) => {
          for (const theme of [makeTheme("truecolor"), ascii]) {
            const rows = activityRows(theme, width, height, chart(buckets));
            expect(rows.length).toBe(height);
            for (const row of rows) expect(widthOf(plain(row))).toBe(width);
          }
        },
      ),
    );
  });

  test("a single event of an intruder is seen beside any noise", () => {
    const noise = Array.from({ length: 20 }, () => ({ responder: 5000 }));
    const [, last] = activityRows(bare, 20, 2, chart([...noise.slice(1), { responder: 5000, intruder: 1 }])).map(plain);
    expect(last).toBe(`${"░".repeat(19)}█`);
    const alone = activityRows(bare, 20, 2, chart([...noise.slice(1), { intruder: 1 }])).map(plain);
    expect(alone[1]?.at(-1)).toBe("█");
    expect(alone[0]?.at(-1)).toBe(" ");
  });

  test("the tallest bar fills the height and half of it half; the newest stand at the right", () => {
    const rows = activityRows(makeTheme("16"), 4, 2, chart([{ unknown: 8 }, { unknown: 4 }])).map(plain);
    expect(rows).toEqual(["  █ ", "  ██"]);
  });

  test("the axis says from when, until when, how much of whom, and the peak", () => {
    const axis = plain(activityRows(bare, 70, 4, chart([{ intruder: 3, unknown: 2 }, { responder: 1 }])).at(-1) ?? "");
    expect(axis).toMatch(/^5m ago {2}▲ intruder 3 {2}\? unknown 2 {2}○ responder 1 {2}peak 5 in 2 s +now$/);
    expect(plain(activityRows(bare, 70, 4, chart([])).at(-1) ?? "")).toContain("nothing seen");
  });

  test("what is hidden is counted and not drawn: it is not to flatten what is not", () => {
    const buckets = [{ intruder: 4, responder: 400 }, { responder: 900 }];
    const drawn = activityRows(makeTheme("16"), 72, 5, { ...chart(buckets), hidden: ["responder"] }).map(plain);
    expect(drawn.slice(0, 4).map((row) => row.slice(-2))).toEqual(["█ ", "█ ", "█ ", "█ "]);
    expect(drawn.at(-1)).toContain("▲ intruder 4  ○ responder 1,300 hidden");
    expect(drawn.at(-1)).toContain("peak 4 in 2 s");
    const only = activityRows(bare, 60, 5, { ...chart([{ responder: 9 }]), hidden: ["responder"] }).map(plain);
    expect(only.at(-1)).toMatch(/responder 9 hidden +now/); // something was seen, all of it hidden
  });

  test("a sparkline is as wide as asked and shows the least as something", () => {
    expect(sparkText(bare, 6, [0, 1, 1000])).toBe("    ▁█");
    expect(sparkText(bare, 3, [1, 2, 4], 8)).toBe("▁▂▄");
    expect(sparkText(ascii, 3, [1, 2, 3, 4])).toMatch(/^[ -~]{3}$/);
  });

  test("spread over fewer columns, nothing is lost; over more, each is as wide as fits", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 300 }), fc.integer({ min: 1, max: 200 }), (counts, width) => {
        const columns = spread(counts, width);
        expect(columns.length).toBe(counts.length === 0 ? 0 : width);
        const each = Math.max(1, Math.ceil(counts.length / width));
        const sums = Array.from({ length: Math.ceil(counts.length / each) }, (_, i) =>
          counts.slice(i * each, (i + 1) * each).reduce((sum, n) => sum + n, 0),
        );
        const place = (column: number) => Math.floor((column * sums.length) / width);
        expect(columns.filter((_, column) => column === 0 || place(column) !== place(column - 1))).toEqual(sums);
        const buckets = counts.map((n) => ({ intruder: n }));
        expect(spreadBuckets(buckets, width).buckets.map(({ intruder }) => intruder ?? 0)).toEqual(columns);
      }),
    );
    expect(spread([1, 2], 4)).toEqual([1, 1, 2, 2]);
    // the legend counts what happened, not the columns that show it
    const shown = { ...spreadBuckets([{ intruder: 1 }, { unknown: 2 }], 70), from: "a", to: "b" };
    expect(plain(activityRows(bare, 70, 4, { ...shown, each: "1 s" }).at(-1) ?? "")).toContain("▲ intruder 1  ? unknown 2");
  });
});
