import { Writable } from "node:stream";
import { Resvg } from "@resvg/resvg-js";
import xterm from "@xterm/headless";
import { PATIENCE } from "./patience.ts";

type Terminal = InstanceType<typeof xterm.Terminal>;
type Cell = NonNullable<ReturnType<NonNullable<ReturnType<Terminal["buffer"]["active"]["getLine"]>>["getCell"]>>;

/** A terminal without a window: what is written to `stdout` can be read as text, and drawn as a picture. */
export class HeadlessScreen {
  readonly terminal: Terminal;
  /** Everything that was written, for tests of what reaches a terminal. */
  readonly written: string[] = [];
  readonly stdout: Writable;

  constructor(columns: number, rows: number) {
    this.terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 0 });
    this.stdout = new Writable({
      decodeStrings: false,
      highWaterMark: 1 << 20,
      write: (chunk: string | Buffer, _encoding, done) => {
        this.written.push(String(chunk));
        this.terminal.write(chunk, () => done());
      },
    });
  }

  resize(columns: number, rows: number): void {
    this.terminal.resize(columns, rows);
  }

  /** Waits until all that was written so far is on the screen. */
  async settled(): Promise<void> {
    while (this.stdout.writableLength > 0) await new Promise((done) => setImmediate(done));
    await new Promise<void>((done) => this.terminal.write("", done));
  }

  lines(): string[] {
    const { active } = this.terminal.buffer;
    return Array.from({ length: this.terminal.rows }, (_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? "");
  }

  text(): string {
    return this.lines().join("\n");
  }

  /** Waits for a text on the screen; fails with what was there instead. */
  async until(want: RegExp | string, timeoutMs = PATIENCE): Promise<string> {
    for (const end = Date.now() + timeoutMs; Date.now() < end; await new Promise((done) => setTimeout(done, 10))) {
      if (this.terminal.modes.synchronizedOutputMode) continue; // half of a picture: no terminal shows it
      const text = this.text();
      if (typeof want === "string" ? text.includes(want) : want.test(text)) return text;
    }
    throw new Error(`the screen never showed ${want}; it shows\n${this.text()}`);
  }
}

/** Colours of the picture's terminal, beside its 16 colours. */
interface Paper {
  background: string;
  foreground: string;
}
const DARK: Paper = { background: "#0d1117", foreground: "#c9d1d9" };
export const LIGHT: Paper = { background: "#ffffff", foreground: "#1f2328" };
const ANSI =
  "#484f58 #ff7b72 #3fb950 #d29922 #58a6ff #bc8cff #39c5cf #b1bac4 #6e7681 #ffa198 #56d364 #e3b341 #79c0ff #d2a8ff #56d4dd #ffffff".split(
    " ",
  );
const FONT_SIZE = 15;
/** DejaVu Sans Mono's advance is 0.602 of its size. */
const CELL_WIDTH = FONT_SIZE * 0.602;
const CELL_HEIGHT = Math.round(FONT_SIZE * 1.25);
const MARGIN = 12;

/** The screen as an SVG picture, cell by cell as the terminal holds it. */
function toSvg(terminal: Terminal, paper: Paper): string {
  const width = Math.ceil(terminal.cols * CELL_WIDTH) + 2 * MARGIN;
  const height = terminal.rows * CELL_HEIGHT + 2 * MARGIN;
  const { active } = terminal.buffer;
  const rows: string[] = [];
  for (let y = 0; y < terminal.rows; y++) {
    const line = active.getLine(active.baseY + y);
    if (!line) continue;
    for (let x = 0; x < terminal.cols; ) {
      const cell = line.getCell(x);
      if (!cell) break;
      const run = {
        x,
        cells: Math.max(1, cell.getWidth()),
        text: cell.getChars() || " ",
        look: look(cell, paper),
        odd: !/^[\x20-\x7e]*$/.test(cell.getChars()),
      };
      // ASCII of one look is drawn as one run; everything else cell by cell, so that it stands where the terminal has it
      for (x += run.cells; !run.odd && x < terminal.cols; x++) {
        const next = line.getCell(x);
        if (next?.getWidth() !== 1 || look(next, paper).key !== run.look.key || !/^[\x20-\x7e]*$/.test(next.getChars())) break;
        run.text += next.getChars() || " ";
        run.cells++;
      }
      rows.push(drawRun(run, y));
    }
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="DejaVu Sans Mono, Menlo, monospace" font-size="${FONT_SIZE}" xml:space="preserve">`,
    `<rect width="100%" height="100%" fill="${paper.background}"/>`,
    ...rows,
    "</svg>",
  ].join("\n");
}

/** The screen as a PNG. */
export function toPng(terminal: Terminal, paper: Paper = DARK): Uint8Array {
  return new Resvg(toSvg(terminal, paper), { font: { loadSystemFonts: true, defaultFontFamily: "DejaVu Sans Mono" } }).render().asPng();
}

interface Look {
  key: string;
  fill: string;
  ground: string | undefined;
  bold: boolean;
  dim: boolean;
}

function look(cell: Cell, paper: Paper): Look {
  let fill = cell.isFgDefault() ? paper.foreground : colour(cell.isFgRGB(), cell.getFgColor());
  let ground = cell.isBgDefault() ? undefined : colour(cell.isBgRGB(), cell.getBgColor());
  if (cell.isInverse()) [fill, ground] = [ground ?? paper.background, fill];
  const bold = cell.isBold() !== 0;
  const dim = cell.isDim() !== 0;
  return { key: `${fill}${ground}${bold}${dim}`, fill, ground, bold, dim };
}

function colour(rgb: boolean, value: number): string {
  if (rgb) return `#${value.toString(16).padStart(6, "0")}`;
  if (value < 16) return ANSI[value] as string;
  const hex = (v: number) => v.toString(16).padStart(2, "0");
  if (value >= 232) return `#${hex((value - 232) * 10 + 8).repeat(3)}`;
  const n = value - 16;
  return `#${[Math.floor(n / 36), Math.floor(n / 6) % 6, n % 6].map((v) => hex(v ? v * 40 + 55 : 0)).join("")}`;
}

function drawRun(run: { x: number; cells: number; text: string; look: Look }, y: number): string {
  const left = (MARGIN + run.x * CELL_WIDTH).toFixed(2);
  const width = (run.cells * CELL_WIDTH).toFixed(2);
  const top = MARGIN + y * CELL_HEIGHT;
  const ground = run.look.ground
    ? `<rect x="${left}" y="${top}" width="${(run.cells * CELL_WIDTH + 0.3).toFixed(2)}" height="${CELL_HEIGHT}" fill="${run.look.ground}"/>`
    : "";
  if (run.text.trim() === "") return ground;
  const boxes = /^[\u2500-\u259f]$/.test(run.text); // line drawing has to meet its neighbours: stretched to the cell's height
  const style = `fill="${run.look.fill}"${run.look.bold ? ' font-weight="bold"' : ""}${run.look.dim ? ' opacity="0.6"' : ""}`;
  const text = run.text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);
  const scale = boxes ? ` transform="translate(0 ${top}) scale(1 ${(CELL_HEIGHT / (FONT_SIZE * 1.164)).toFixed(4)})"` : "";
  const base = boxes ? FONT_SIZE * 0.928 : top + FONT_SIZE * 1.05;
  return `${ground}<text x="${left}" y="${base.toFixed(2)}"${scale} ${style} textLength="${width}" lengthAdjust="spacingAndGlyphs">${text}</text>`;
}
