import type { Standing } from "#state/state";

import { type Ground, type GroundInk, type Ink, PALETTES, type PaletteName, repainted, type Style } from "./palettes.ts";

export type { Ground, Style } from "./palettes.ts";

export type ColourLevel = "truecolor" | "256" | "16" | "none";

export interface Glyphs {
  standing: Record<Standing, string>;
  established: string;
  attempt: string;
  closed: string;
  refused: string;
  listening: string;
  binary: string;
  yes: string;
  no: string;
  open: string;
  folded: string;
  egress: string;
  ingress: string;
  times: string;
  /** What has just come. */
  fresh: string;
  dot: string;
  cursor: string;
  line: string;
  heavy: string;
  vertical: string;
  branch: string;
  last: string;
  /** The analyst's own mark on a row. */
  mark: string;
  corner: readonly [string, string, string, string];
  /** Where a text was cut. */
  cut: string;
  /** The keys to the left and to the right. */
  sideways: string;
}

const UNICODE: Glyphs = {
  standing: { intruder: "▲", suspect: "△", unknown: "?", responder: "○", "known-good": "✓" },
  established: "●",
  attempt: "◐",
  closed: "○",
  refused: "✗",
  listening: "◇",
  binary: "◆",
  yes: "✓",
  no: "✗",
  open: "▾",
  folded: "▸",
  egress: "→",
  ingress: "←",
  times: "×",
  fresh: "▪",
  dot: "·",
  cursor: "▌",
  line: "─",
  heavy: "━",
  vertical: "│",
  branch: "├─",
  last: "└─",
  mark: "◈",
  corner: ["╭", "╮", "╰", "╯"],
  cut: "…",
  sideways: "← →",
};
/** For `TERM=linux` and locales that are not UTF-8. */
const PLAIN: Glyphs = {
  standing: { intruder: "!", suspect: "~", unknown: "?", responder: "o", "known-good": "+" },
  established: "*",
  attempt: ">",
  closed: "o",
  refused: "x",
  listening: "L",
  binary: "#",
  yes: "+",
  no: "x",
  open: "-",
  folded: "+",
  egress: ">",
  ingress: "<",
  times: "x",
  fresh: "*",
  dot: "-",
  cursor: ">",
  line: "-",
  heavy: "=",
  vertical: "|",
  branch: "|-",
  last: "`-",
  mark: "@",
  corner: ["+", "+", "+", "+"],
  cut: "~",
  sideways: "left, right",
};

export interface Theme {
  level: ColourLevel;
  glyphs: Glyphs;
  /** Wraps printable text in a style's codes; every code is closed again. */
  paint(text: string, style: Style): string;
  ground(text: string, ground: Ground): string;
  /** Whether a style fills its ground, so that a frame of it needs no lines. */
  solid(style: Style): boolean;
  /** Whether styles inside a row of that ground must be left out to stay readable. */
  plainOn(ground: Ground): boolean;
  /** The same theme with everything faint: what lies behind a dialog. */
  muted: Theme;
}

/** How an analyst wants it to look. */
export interface Look {
  palette?: PaletteName;
  /** Own colours by meaning, 0xrrggbb. */
  colours?: Partial<Record<Style, number>>;
}

export function makeTheme(level: ColourLevel, unicode = true, look: Look = {}): Theme {
  const { inks, grounds: filled } = repainted(PALETTES[look.palette ?? "dark"], look.colours ?? {});
  const codes = Object.fromEntries(Object.entries(inks).map(([name, ink]) => [name, sgr(ink, level)])) as Record<
    Style,
    readonly [string, string]
  >;
  const wrap = (text: string, [open, close]: readonly [string, string]) => (text === "" ? "" : open + text + close);
  const grounds = Object.fromEntries(Object.entries(filled).map(([name, g]) => [name, groundCodes(g, level)])) as Record<
    Ground,
    readonly [string, string]
  >;
  const plainOn = (ground: Ground) =>
    ground === "isolated" || ground === "alarm" || (ground === "selected" && (level === "16" || level === "none"));
  const base = { level, glyphs: unicode ? UNICODE : PLAIN, plainOn, solid: (style: Style) => inks[style].ground !== undefined };
  const muted: Theme = {
    ...base,
    paint: (text) => wrap(text, codes.faint),
    ground: (text) => text,
    get muted() {
      return muted;
    },
  };
  return { ...base, paint: (text, style) => wrap(text, codes[style]), ground: (text, ground) => wrap(text, grounds[ground]), muted };
}

/** Colours that the terminal has, by the customs of NO_COLOR (no-color.org), FORCE_COLOR, COLORTERM and TERM. */
export function colourLevel(env: Record<string, string | undefined>): ColourLevel {
  if (env["NO_COLOR"] || env["TERM"] === "dumb" || env["FORCE_COLOR"] === "0") return "none";
  const forced = { "1": "16", "2": "256", "3": "truecolor" } as const;
  const wanted = env["FORCE_COLOR"];
  if (wanted === "1" || wanted === "2" || wanted === "3") return forced[wanted];
  if (/^(truecolor|24bit)$/i.test(env["COLORTERM"] ?? "")) return "truecolor";
  return /256|direct|kitty|alacritty|ghostty/.test(env["TERM"] ?? "") ? "256" : "16";
}

/**
 * Whether the terminal says that its background is light: COLORFGBG of rxvt, Konsole and others, "text;background" as numbers of the
 * 16 colours. Most terminals say nothing: then a dark one is meant.
 */
export function lightBackground(env: Record<string, string | undefined>): boolean {
  const background = /^\d+;(?:.*;)?(\d+)$/.exec(env["COLORFGBG"] ?? "")?.[1];
  return background !== undefined && (background === "7" || Number(background) >= 9);
}

/** Whether box and shape characters can be shown (POSIX locale precedence: LC_ALL, LC_CTYPE, LANG; a kernel console has too few glyphs). */
export function unicodeTerminal(env: Record<string, string | undefined>): boolean {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "UTF-8";
  return /utf-?8/i.test(locale) && env["TERM"] !== "linux" && env["TERM"] !== "dumb";
}

function sgr(ink: Ink, level: ColourLevel): readonly [string, string] {
  const open: string[] = [];
  const close: string[] = [];
  const add = (on: string, off: string) => {
    open.push(`\x1b[${on}m`);
    close.unshift(`\x1b[${off}m`);
  };
  if (ink.bold) add("1", "22");
  if (level === "none") {
    if (ink.dim) add("2", "22");
    if (ink.inverse) add("7", "27");
  } else if (level === "16") {
    if (ink.ansi !== undefined) add(`${ink.ansi}`, "39");
    if (ink.ansiGround !== undefined) add(`${ink.ansiGround}`, "49");
  } else {
    if (ink.rgb !== undefined) add(`38;${colour(ink.rgb, level)}`, "39");
    if (ink.ground !== undefined) add(`48;${colour(ink.ground, level)}`, "49");
  }
  return [open.join(""), close.join("")];
}

function groundCodes(ground: GroundInk, level: ColourLevel): readonly [string, string] {
  const [strong, weak] = ground.bold ? ["\x1b[1m", "\x1b[22m"] : ["", ""];
  if (level === "truecolor" || level === "256") {
    const text = ground.text === undefined ? "" : `\x1b[38;${colour(ground.text, level)}m`;
    const code = level === "256" && ground.x256 !== undefined ? `5;${ground.x256}` : colour(ground.rgb, level);
    return [`${strong}${text}\x1b[48;${code}m`, `\x1b[49m${text ? "\x1b[39m" : ""}${weak}`];
  }
  if (level === "16" && ground.ansi !== undefined)
    return [`${strong}\x1b[${ground.ansiText ?? 97}m\x1b[${ground.ansi}m`, `\x1b[49m\x1b[39m${weak}`];
  return ground.inverse ? [`${strong}\x1b[7m`, `\x1b[27m${weak}`] : ["\x1b[1m", "\x1b[22m"];
}

function colour(rgb: number, level: "truecolor" | "256"): string {
  const parts = [(rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255] as const;
  if (level === "truecolor") return `2;${parts.join(";")}`;
  // xterm's palette: a 6x6x6 cube from 16 (0, 95, 135, ... 255), 24 greys from 232 (8, 18, ... 238).
  const [r, g, b] = parts;
  if (Math.max(...parts) - Math.min(...parts) < 24) return `5;${232 + Math.min(23, Math.max(0, Math.round(((r + g + b) / 3 - 8) / 10)))}`;
  const step = (v: number) => (v < 48 ? 0 : v < 115 ? 1 : Math.min(5, Math.floor((v - 35) / 40)));
  return `5;${16 + 36 * step(r) + 6 * step(g) + step(b)}`;
}
