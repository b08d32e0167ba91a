import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import { cells, columns } from "./HostText.ts";

const nasty = fc.constantFrom(
  "\u001b[2J",
  "\u001b]0;x\u0007",
  "\u009b1m",
  "\u202e",
  "\u2066",
  "\u200b",
  "\u200d",
  "\ufe0f",
  "\u0301",
  "\u0301\u0301\u0301",
  "\ufeff",
  "\u2028",
  "\udc80",
  "👩‍👩‍👧‍👦",
  "🇨🇳",
  "🇨",
  "👍🏽",
  "🚀",
  "日本語",
  "ｶﾞ",
  "한국",
  "नमस्ते",
  "\u0600",
  "\u1160",
  "\u{1d173}",
  "\u{e0041}",
  "\t",
  "\n",
  "é",
  "a",
  " ",
  "▾",
  "…",
);
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.array(nasty, { maxLength: 24 }).map((parts) => parts.join("")),
);
const UNSAFE = /\p{Cc}|\p{Cf}|\p{Cs}|\p{Zl}|\p{Zp}|\p{Default_Ignorable_Code_Point}/u;

describe("cells", () => {
  test("are exactly as wide as asked and hold nothing that steers, hides or reorders, for any text", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 90 }), fc.constantFrom("end" as const, "middle" as const), (text, width, cut) => {
        const fitted = cells(text, width, cut);
        expect(stringWidth(fitted)).toBe(width);
        expect(fitted).not.toMatch(UNSAFE);
      }),
      { numRuns: 1500 },
    );
  });

  test("say the same as columns() about what fits", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const width = columns(text);
        expect(stringWidth(cells(text, width + 3))).toBe(width + 3);
        if (width > 0) expect(cells(text, width)).toBe(cells(text, width + 3).slice(0, -3));
      }),
      { numRuns: 1000, examples: [["\u{11a84}"]] },
    );
  });

  test("a letter that would join the blank after it is marked: the row keeps its width and the rest of its text", () => {
    expect(cells("né\u{11a84}", 6)).toBe("né·   ");
    const letters = Array.from({ length: 0x1_ffff - 0x300 }, (_, i) => String.fromCodePoint(i + 0x300));
    const asked = letters.filter((letter) => /^(?![\p{Script=Han}\p{Script=Hangul}])\p{Lo}$/u.test(letter));
    expect(asked.length).toBeGreaterThan(10_000);
    expect(asked.filter((letter) => cells(letter, 4) === "?   ")).toEqual([]);
  });

  test("cut at the end, or in the middle so that both ends can be read", () => {
    expect(cells("/usr/bin/python3", 9)).toBe("/usr/bin…");
    expect(cells("/usr/bin/python3", 9, "middle")).toBe("/usr…hon3");
    expect(cells("日本語のファイル", 7)).toBe("日本語…");
    expect(cells("日本語のファイル", 8)).toBe("日本語… ");
    expect(cells("ls", 5)).toBe("ls   ");
    expect(cells("anything", 0)).toBe("");
  });

  test("of a megabyte of arguments only what is seen counts: its two ends", () => {
    const [head, tail] = ["日x".repeat(500), "y本".repeat(500)];
    const huge = head + "日x".repeat(500_000) + tail;
    for (const cut of ["end", "middle"] as const) {
      expect(stringWidth(cells(huge, 40, cut))).toBe(40);
      expect(cells(huge, 40, cut)).toBe(cells(head + tail, 40, cut));
    }
  });
});
