import { printable } from "#model/host-string";
import type { Standing } from "#state/state";
import { paintRow, type Span, span } from "../row.ts";
import { RANK } from "../rows/standing.ts";
import type { Theme } from "../theme.ts";

/** A place on the map: degrees, north and east positive. */
export interface MapMarker {
  lat: number;
  lon: number;
  standing: Standing;
  /** Written beside it, where there is room: a country's code can be read aloud. */
  label?: string;
}

/** Nobody lives further north or south: these rows are cropped. */
const NORTH = 84;
const SOUTH = -57;
/** Columns for each row at which the land has its true shape at the equator: cells are twice as high as wide. */
const TRUE_SHAPE = (360 / (NORTH - SOUTH)) * 2;
/** How far the land may be stretched to fill a pane; beyond that it stays centred. */
const STRETCH = 1.5;
/** Sizes that are remembered: a pane has one, a resize goes through many. */
const REMEMBERED = 4;
const LARGEST = { columns: 1000, rows: 400 };

/** The land at one size: a byte of braille dots a cell, rows from the top. */
interface Land {
  columns: number;
  rows: number;
  dots: Uint8Array;
}

/** Draws the world; the land is drawn once a size, markers at each call. */
export interface WorldMap {
  /** Exactly `rows` rows, each exactly `columns` wide. Where markers meet, the worst standing is shown. */
  draw(theme: Theme, columns: number, rows: number, markers: Iterable<MapMarker>): string[];
}

/** Loads the outlines (0.1 s): to be called when a map is first wanted. */
export async function loadWorldMap(): Promise<WorldMap> {
  const [{ default: WorldOutlines }, { default: canvases }] = await Promise.all([
    import("map-canvas"),
    import("drawille-canvas-blessed-contrib"),
  ]);
  const known = new Map<string, Land>();
  const landAt = (columns: number, rows: number): Land => {
    const key = `${columns} ${rows}`;
    const found = known.get(key);
    if (found) return found;
    // Pole to pole, then cropped by whole rows.
    const whole = Math.ceil((rows * 180) / (NORTH - SOUTH));
    const canvas = new canvases.Canvas(columns * 2, whole * 4);
    const size = { width: columns * 2, height: whole * 4, labelSpace: 0 };
    const bare = { excludeAntartica: true, disableBackground: true, disableMapBackground: true, disableGraticule: true, disableFill: true };
    new WorldOutlines({ ...size, ...bare }, canvas).draw();
    const top = topOf(whole);
    const dots = Uint8Array.from(canvas.getContext()._canvas.content.subarray(top * columns, (top + rows) * columns));
    const land = { columns, rows, dots };
    if (known.size >= REMEMBERED) known.delete(known.keys().next().value as string);
    known.set(key, land);
    return land;
  };
  return {
    draw(theme, columns, rows, markers) {
      if (columns <= 0 || rows <= 0) return Array.from({ length: Math.max(0, rows) }, () => "");
      const size = sizeIn(columns, rows);
      const left = Math.floor((columns - size.columns) / 2);
      const top = Math.floor((rows - size.rows) / 2);
      const land = landAt(size.columns, size.rows);
      const placed = place(land, markers);
      return Array.from({ length: rows }, (_, y) => {
        const row = y - top;
        if (row < 0 || row >= land.rows) return " ".repeat(columns);
        return paintRow(theme, columns, [span(" ".repeat(left)), ...spansOf(theme, land, row, placed)]);
      });
    },
  };
}

const topOf = (whole: number) => Math.floor(((90 - NORTH) / 180) * whole);

/** The largest size within the pane at which the land still looks like land. */
function sizeIn(columns: number, rows: number): { columns: number; rows: number } {
  const width = Math.min(columns, LARGEST.columns, Math.ceil(rows * TRUE_SHAPE * STRETCH));
  const height = Math.min(rows, LARGEST.rows, Math.ceil((columns / TRUE_SHAPE) * STRETCH));
  return { columns: Math.max(1, width), rows: Math.max(1, height) };
}

interface Placed {
  standing: Standing;
  /** Of a label; a marker has its standing's glyph. */
  letter?: string;
}

/** The cell of each marker that is on the map, the worst of each cell. */
function place(land: Land, markers: Iterable<MapMarker>): Map<number, Placed> {
  const whole = Math.ceil((land.rows * 180) / (NORTH - SOUTH));
  const placed = new Map<number, Placed>();
  const labels: [at: number, text: string, standing: Standing][] = [];
  for (const { lat, lon, standing, label } of markers) {
    if (!(Math.abs(lat) <= 90 && Math.abs(lon) <= 180)) continue;
    const x = Math.min(land.columns - 1, Math.floor(((lon + 180) / 360) * land.columns));
    // What lies beyond the crop stands at its edge: a marker is never left out.
    const y = Math.min(land.rows - 1, Math.max(0, Math.floor(((90 - lat) / 180) * whole) - topOf(whole)));
    const at = y * land.columns + x;
    const known = placed.get(at);
    if (known === undefined || RANK[standing] < RANK[known.standing]) placed.set(at, { standing });
    if (label !== undefined && x + label.length < land.columns) labels.push([at, label, standing]);
  }
  for (const [at, text, standing] of labels) {
    const cells = [...printable(text)].map((letter, i) => [at + 1 + i, letter] as const);
    if (cells.every(([cell]) => !placed.has(cell))) for (const [cell, letter] of cells) placed.set(cell, { standing, letter });
  }
  return placed;
}

function spansOf(theme: Theme, land: Land, row: number, placed: ReadonlyMap<number, Placed>): Span[] {
  const spans: Span[] = [];
  const braille = theme.glyphs.branch === "├─";
  let run = "";
  for (let x = 0; x < land.columns; x++) {
    const at = row * land.columns + x;
    const found = placed.get(at);
    if (found === undefined) {
      run += dot(land.dots[at] ?? 0, braille);
      continue;
    }
    if (run) spans.push(span(run, "faint"));
    run = "";
    const { standing, letter } = found;
    spans.push(span(letter ?? theme.glyphs.standing[standing], standing === "known-good" ? "good" : standing));
  }
  if (run) spans.push(span(run, "faint"));
  return spans;
}

const dot = (dots: number, braille: boolean): string => (dots === 0 ? " " : braille ? String.fromCharCode(0x2800 + dots) : ".");
