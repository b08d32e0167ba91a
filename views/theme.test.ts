import { describe, expect, test } from "vitest";
import { contrast, type Ink, PALETTES, type PaletteName, STYLES } from "./palettes.ts";
import { colourLevel, lightBackground, makeTheme, unicodeTerminal } from "./theme.ts";

describe("the theme", () => {
  test("takes the colours that the terminal has, and none if asked", () => {
    expect(colourLevel({ COLORTERM: "truecolor" })).toBe("truecolor");
    expect(colourLevel({ TERM: "xterm-256color" })).toBe("256");
    expect(colourLevel({ TERM: "xterm" })).toBe("16");
    expect(colourLevel({ TERM: "dumb", COLORTERM: "truecolor" })).toBe("none");
    expect(colourLevel({ NO_COLOR: "1", COLORTERM: "truecolor" })).toBe("none");
    expect(colourLevel({ NO_COLOR: "", FORCE_COLOR: "2" })).toBe("256");
  });

  test("knows where shapes cannot be shown", () => {
    expect(unicodeTerminal({ LANG: "en_US.UTF-8" })).toBe(true);
    expect(unicodeTerminal({ LANG: "en_US.UTF-8", LC_ALL: "C" })).toBe(false);
    expect(unicodeTerminal({ TERM: "linux", LANG: "C.UTF-8" })).toBe(false);
    for (const glyph of Object.values(makeTheme("none", false).glyphs.standing)) expect(glyph).toMatch(/^[\x21-\x7e]$/);
  });

  test("every standing has a glyph of its own, so that it survives without colours", () => {
    for (const unicode of [true, false]) expect(new Set(Object.values(makeTheme("none", unicode).glyphs.standing)).size).toBe(5);
  });

  test("what is painted is closed again, at every level", () => {
    const palettes = Object.keys(PALETTES) as PaletteName[];
    for (const [level, palette] of (["truecolor", "256", "16", "none"] as const).flatMap((one) => palettes.map((p) => [one, p] as const))) {
      const theme = makeTheme(level, true, { palette });
      for (const text of [
        theme.paint("x", "isolated"),
        theme.paint("x", "faint"),
        theme.ground("x", "selected"),
        theme.ground("x", "alarm"),
        theme.muted.paint("x", "intruder"),
      ]) {
        const opened = text.slice(0, text.indexOf("x")).split("\x1b").length;
        const closed = text.slice(text.indexOf("x")).split("\x1b").length;
        expect(closed, `${level} ${JSON.stringify(text)}`).toBe(opened);
      }
    }
  });

  test("knows a light background where the terminal says so", () => {
    expect(lightBackground({ COLORFGBG: "0;15" })).toBe(true);
    expect(lightBackground({ COLORFGBG: "0;default;7" })).toBe(true);
    expect(lightBackground({ COLORFGBG: "15;0" })).toBe(false);
    for (const said of ["", "15;default", "white", "0;8"]) expect(lightBackground({ COLORFGBG: said }), said).toBe(false);
  });

  test("an own colour takes the place of one meaning; on a ground of one's own the text stays readable", () => {
    const theme = makeTheme("truecolor", true, { colours: { intruder: 0x123456, alarm: 0xffffff } });
    expect(theme.paint("x", "intruder")).toContain("38;2;18;52;86");
    expect(theme.paint("x", "unknown")).toBe(makeTheme("truecolor").paint("x", "unknown"));
    expect(theme.ground("x", "alarm")).toContain("38;2;0;0;0m\x1b[48;2;255;255;255");
    expect(makeTheme("16", true, { colours: { good: 0xfe0101 } }).paint("x", "good")).toContain("\x1b[91m");
  });
});

describe.each(Object.keys(PALETTES) as PaletteName[])("the %s palette", (name) => {
  const { inks, background, grounds } = PALETTES[name];
  const least = (style: string) => (style === "rule" ? 1.5 : style === "faint" || style === "intruderPast" ? 3 : 4.5);

  test("can be read: every meaning stands out from what is behind it", () => {
    for (const style of STYLES) {
      const ink: Ink = inks[style];
      if (ink.rgb === undefined) continue;
      expect(contrast(ink.rgb, ink.ground ?? background), style).toBeGreaterThan(least(style));
      if (ink.ground === undefined && style !== "rule" && style !== "faint" && style !== "intruderPast")
        expect(contrast(ink.rgb, grounds.selected.rgb), `${style} on the selected row`).toBeGreaterThan(style === "responder" ? 3 : 3.5);
    }
  });

  test("uses no bright white or yellow text on white, and no black on black, where there are 16 colours", () => {
    const unreadable = name === "light" ? [97, 93, 37 + 60] : [30];
    for (const style of STYLES) {
      const ink: Ink = inks[style];
      if (ink.ansi !== undefined && ink.ground === undefined) expect(unreadable, style).not.toContain(ink.ansi);
    }
  });
});

describe("the colour-blind palette", () => {
  // Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB
  const KINDS = {
    "no red": [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
    "no green": [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  };
  const seen = (rgb: number, m: readonly number[]) => {
    const linear = [16, 8, 0].map((bits) => (((rgb >> bits) & 255) / 255) ** 2.2);
    return [0, 1, 2].map((row) => {
      const v = linear.reduce((sum, part, i) => sum + part * (m[row * 3 + i] as number), 0);
      return 255 * Math.min(1, Math.max(0, v)) ** (1 / 2.2);
    });
  };
  const apart = (name: PaletteName, kind: readonly number[]) => {
    const judged = (["intruder", "suspect", "unknown", "responder", "good"] as const).map((style) =>
      seen(PALETTES[name].inks[style].rgb ?? 0, kind),
    );
    return Math.min(...judged.flatMap((a, i) => judged.slice(i + 1).map((b) => Math.hypot(...a.map((v, k) => v - (b[k] as number))))));
  };

  test.each(Object.entries(KINDS))("keeps the five standings apart for eyes with %s, better than the dark one", (_what, kind) => {
    expect(apart("colour-blind", kind)).toBeGreaterThan(75);
    expect(apart("colour-blind", kind)).toBeGreaterThan(apart("dark", kind));
  });
});
