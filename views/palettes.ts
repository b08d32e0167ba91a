/** How one meaning looks. */
export interface Ink {
  /** 24-bit colour of the text; left out for the terminal's own. */
  rgb?: number;
  /** SGR foreground code on terminals with 16 colours. */
  ansi?: number;
  bold?: true;
  /** Without colours: faint, or black on white. */
  dim?: true;
  inverse?: true;
  /** Solid ground behind the text (24-bit, and the SGR code for 16 colours). */
  ground?: number;
  ansiGround?: number;
}

// Colour says what a thing means, never how it is made. Each standing also has a glyph and a word, so nothing is told by colour alone.
const DARK = {
  /** The terminal's own colour. */
  text: {},
  strong: { rgb: 0xffffff, ansi: 97, bold: true },
  soft: { rgb: 0x9aa4b0 },
  faint: { rgb: 0x6a7480, ansi: 90, dim: true },
  rule: { rgb: 0x3b444f, ansi: 90, dim: true },
  focus: { rgb: 0x58b6ff, ansi: 94, bold: true },
  key: { rgb: 0x7cc7ff, ansi: 96, bold: true },
  place: { rgb: 0x8fd0ff, ansi: 36 },
  /** The analyst's own mark on a row. */
  mark: { rgb: 0xe58cff, ansi: 95, bold: true },
  /** The analysts on a session, each with a letter as well. */
  analyst1: { rgb: 0x4fd6d6, ansi: 96, bold: true },
  analyst2: { rgb: 0xff8fd0, ansi: 95, bold: true },
  analyst3: { rgb: 0xb7e36a, ansi: 92, bold: true },
  analyst4: { rgb: 0xb9a2ff, ansi: 94, bold: true },
  intruder: { rgb: 0xff6b64, ansi: 91, bold: true },
  /** An intruder's process that has ended: still his, no longer a danger. */
  intruderPast: { rgb: 0xb06560, ansi: 31, dim: true },
  suspect: { rgb: 0xff9f43, ansi: 33, bold: true },
  unknown: { rgb: 0xf2d06b, ansi: 93 },
  responder: { rgb: 0x6f9fd8, ansi: 34, dim: true },
  good: { rgb: 0x5fc27e, ansi: 32 },
  bad: { rgb: 0xff6b64, ansi: 91, bold: true },
  warn: { rgb: 0xffb454, ansi: 33 },
  brand: { rgb: 0x0d1117, ansi: 97, bold: true, inverse: true, ground: 0x58b6ff, ansiGround: 44 },
  isolated: { rgb: 0xffffff, ansi: 97, bold: true, inverse: true, ground: 0x8a2be2, ansiGround: 45 },
  alarm: { rgb: 0xffffff, ansi: 97, bold: true, inverse: true, ground: 0xc9252d, ansiGround: 41 },
  replay: { rgb: 0x0d1117, ansi: 30, bold: true, inverse: true, ground: 0xf2d06b, ansiGround: 43 },
  button: { rgb: 0xffffff, ansi: 97, bold: true, inverse: true, ground: 0x2f6fb3, ansiGround: 44 },
} as const satisfies Record<string, Ink>;

export type Style = keyof typeof DARK;
export type Inks = Record<Style, Ink>;
export const STYLES = Object.keys(DARK) as readonly Style[];

/** For a white or cream background: the same meanings, dark enough to be read on it. */
const LIGHT: Inks = {
  text: {},
  strong: { rgb: 0x000000, bold: true },
  soft: { rgb: 0x4d5661 },
  faint: { rgb: 0x6b7580, ansi: 90, dim: true },
  rule: { rgb: 0xa4adb7, ansi: 37 },
  focus: { rgb: 0x0550ae, ansi: 34, bold: true },
  key: { rgb: 0x0660c0, ansi: 34, bold: true },
  place: { rgb: 0x0a5e8a, ansi: 36 },
  mark: { rgb: 0x8a1fb8, ansi: 35, bold: true },
  analyst1: { rgb: 0x00666b, ansi: 36, bold: true },
  analyst2: { rgb: 0x9c1f6e, ansi: 35, bold: true },
  analyst3: { rgb: 0x4a6b00, ansi: 32, bold: true },
  analyst4: { rgb: 0x5a37c0, ansi: 34, bold: true },
  intruder: { rgb: 0xb3121d, ansi: 31, bold: true },
  intruderPast: { rgb: 0x8c4a4f, ansi: 31, dim: true },
  suspect: { rgb: 0x9a4000, ansi: 31 },
  unknown: { rgb: 0x6b5900, ansi: 33 },
  responder: { rgb: 0x3b5f9e, ansi: 34, dim: true },
  good: { rgb: 0x116329, ansi: 32 },
  bad: { rgb: 0xb3121d, ansi: 31, bold: true },
  warn: { rgb: 0x8a4600, ansi: 33 },
  brand: { rgb: 0xffffff, ansi: 97, bold: true, inverse: true, ground: 0x0969da, ansiGround: 44 },
  isolated: { rgb: 0xffffff, ansi: 97, bold: true, inverse: true, ground: 0x6f1fb8, ansiGround: 45 },
  alarm: { rgb: 0xffffff, ansi: 97, bold: true, inverse: true, ground: 0xb3121d, ansiGround: 41 },
  replay: { rgb: 0xffffff, ansi: 30, bold: true, inverse: true, ground: 0x7a5c00, ansiGround: 43 },
  button: { rgb: 0xffffff, ansi: 97, bold: true, inverse: true, ground: 0x0550ae, ansiGround: 44 },
};

/** For tired eyes and bad projectors: nothing is faint. */
const HIGH_CONTRAST: Inks = {
  ...DARK,
  text: { rgb: 0xffffff, ansi: 97 },
  soft: { rgb: 0xf0f0f0, ansi: 97 },
  faint: { rgb: 0xc8c8c8, ansi: 37 },
  rule: { rgb: 0xa0a0a0, ansi: 37 },
  focus: { rgb: 0x5fd7ff, ansi: 96, bold: true },
  key: { rgb: 0x5fffff, ansi: 96, bold: true },
  place: { rgb: 0xafe8ff, ansi: 96 },
  mark: { rgb: 0xffafff, ansi: 95, bold: true },
  analyst1: { rgb: 0x7ff0f0, ansi: 96, bold: true },
  analyst2: { rgb: 0xffb0e0, ansi: 95, bold: true },
  analyst3: { rgb: 0xd0f58a, ansi: 92, bold: true },
  analyst4: { rgb: 0xd5c8ff, ansi: 94, bold: true },
  intruder: { rgb: 0xff9a94, ansi: 91, bold: true },
  intruderPast: { rgb: 0xe0a8a4, ansi: 91 },
  suspect: { rgb: 0xffb870, ansi: 93, bold: true },
  unknown: { rgb: 0xffe97a, ansi: 93 },
  responder: { rgb: 0xa9ccff, ansi: 94 },
  good: { rgb: 0x8cf0a8, ansi: 92 },
  bad: { rgb: 0xff9a94, ansi: 91, bold: true },
  warn: { rgb: 0xffd08a, ansi: 93 },
  isolated: { ...DARK.isolated, ground: 0x6a12c0 },
  alarm: { ...DARK.alarm, ground: 0xa80f18 },
  button: { ...DARK.button, ground: 0x124f94 },
};

/** After Okabe and Ito (2008): hues that stay apart for those who see no red or no green. */
const COLOUR_BLIND: Inks = {
  ...DARK,
  mark: { rgb: 0xe59ac8, ansi: 95, bold: true },
  intruder: { rgb: 0xf0600a, ansi: 91, bold: true },
  intruderPast: { rgb: 0xb0703f, ansi: 31, dim: true },
  suspect: { rgb: 0xf0c000, ansi: 33, bold: true },
  unknown: { rgb: 0xfff6a0, ansi: 93 },
  responder: { rgb: 0x4a90e2, ansi: 94, dim: true },
  good: { rgb: 0x7fd0e8, ansi: 96 },
  bad: { rgb: 0xf0600a, ansi: 91, bold: true },
  warn: { rgb: 0xf0c000, ansi: 33 },
  alarm: { rgb: 0x000000, ansi: 97, bold: true, inverse: true, ground: 0xff7a1a, ansiGround: 41 },
  isolated: { rgb: 0xffffff, ansi: 97, bold: true, inverse: true, ground: 0x0060a8, ansiGround: 44 },
  replay: { rgb: 0x0d1117, ansi: 30, bold: true, inverse: true, ground: 0xf0e442, ansiGround: 43 },
};

export type Ground = "selected" | "login" | "isolated" | "alarm";
export interface GroundInk {
  rgb: number;
  /** Of 256 colours, where the nearest one reads badly. */
  x256?: number;
  ansi?: number;
  /** The text on it: 24-bit, and the SGR code for 16 colours. */
  text?: number;
  ansiText?: number;
  inverse?: true;
  bold?: true;
}
type Grounds = Record<Ground, GroundInk>;

const solid = (ink: Ink): GroundInk => ({
  rgb: ink.ground ?? 0,
  ...(ink.ansiGround === undefined ? {} : { ansi: ink.ansiGround }),
  ...(ink.rgb === undefined ? {} : { text: ink.rgb }),
  ...(ink.ansi === undefined ? {} : { ansiText: ink.ansi }),
  inverse: true,
  bold: true,
});
const grounds = (inks: Inks, selected: GroundInk, login: number): Grounds => ({
  selected: { ...selected, inverse: true },
  login: { rgb: login },
  isolated: solid(inks.isolated),
  alarm: solid(inks.alarm),
});

export interface Palette {
  inks: Inks;
  grounds: Grounds;
  /** What it was made to be read on. */
  background: number;
}

export const PALETTES = {
  // the nearest of 256 colours to the selection would be a green: navy reads better under red
  dark: { inks: DARK, grounds: grounds(DARK, { rgb: 0x1f3d5c, x256: 17 }, 0x1b222b), background: 0x0d1117 },
  light: { inks: LIGHT, grounds: grounds(LIGHT, { rgb: 0xd3e5ff, x256: 153 }, 0xeef1f5), background: 0xffffff },
  "high-contrast": { inks: HIGH_CONTRAST, grounds: grounds(HIGH_CONTRAST, { rgb: 0x003a75, x256: 18 }, 0x262626), background: 0x000000 },
  "colour-blind": { inks: COLOUR_BLIND, grounds: grounds(COLOUR_BLIND, { rgb: 0x18304a, x256: 17 }, 0x1b222b), background: 0x0d1117 },
} as const satisfies Record<string, Palette>;

export type PaletteName = keyof typeof PALETTES;

/** SGR codes of the 16 colours with xterm's values, for colours that somebody chose by themselves. */
const ANSI: readonly (readonly [code: number, rgb: number])[] = [
  ...([0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5] as const).map((rgb, i) => [30 + i, rgb] as const),
  ...([0x7f7f7f, 0xff0000, 0x00ff00, 0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff] as const).map((rgb, i) => [90 + i, rgb] as const),
];

/** A palette with some colours of one's own: of what is filled, the ground, with the text on it black or white, whichever reads better. */
export function repainted(palette: Palette, colours: Partial<Record<Style, number>>): Palette {
  const inks: Inks = { ...palette.inks };
  for (const [style, rgb] of Object.entries(colours) as [Style, number][]) {
    const ink = palette.inks[style];
    const ansi = nearest(rgb);
    if (ink.ground === undefined) inks[style] = { ...ink, rgb, ansi };
    else {
      const dark = contrast(rgb, 0x000000) > contrast(rgb, 0xffffff);
      inks[style] = { ...ink, rgb: dark ? 0x000000 : 0xffffff, ansi: dark ? 30 : 97, ground: rgb, ansiGround: ansi + 10 };
    }
  }
  return { ...palette, inks, grounds: { ...palette.grounds, isolated: solid(inks.isolated), alarm: solid(inks.alarm) } };
}

function nearest(rgb: number): number {
  const distance = (other: number) => [16, 8, 0].reduce((sum, bits) => sum + (((rgb >> bits) & 255) - ((other >> bits) & 255)) ** 2, 0);
  return ANSI.reduce((best, one) => (distance(one[1]) < distance(best[1]) ? one : best))[0];
}

/** How well one colour can be read on another, 1 to 21 (WCAG 2.2, relative luminance). */
export function contrast(a: number, b: number): number {
  const [dark, light] = [luminance(a), luminance(b)].toSorted((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

function luminance(rgb: number): number {
  const part = (bits: number) => {
    const v = ((rgb >> bits) & 255) / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(16) + 0.7152 * part(8) + 0.0722 * part(0);
}
