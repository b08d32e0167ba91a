import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { edited, fieldSpans } from "./field.ts";
import { columns } from "./HostText.ts";
import { KeyParser } from "./keys.ts";
import { makeTheme } from "./theme.ts";

const theme = makeTheme("none");
const typed = (bytes: string | Uint8Array, longest = 200) => {
  const parser = new KeyParser();
  return [...parser.feed(bytes), ...parser.flush()].reduce((text, key) => edited(text, key, longest) ?? text, "");
};

describe("a text field", () => {
  test("takes what several bytes make: umlauts, Chinese, emoji, letters with marks", () => {
    expect(typed(Buffer.from("für 入侵者 🚨 e\u0301"))).toBe("für 入侵者 🚨 e\u0301");
  });

  test("backspace takes one character as people see it", () => {
    expect(typed("入侵\x7f")).toBe("入");
    expect(typed("ae\u0301\x7f")).toBe("a");
    expect(typed("ok 👍🏽\x7f")).toBe("ok ");
    expect(typed("\x7f\x7fx")).toBe("x");
    expect(typed("one two\x17")).toBe("one ");
    expect(typed("one two\x15")).toBe("");
  });

  test("never shows more columns than it has, however wide the characters, and keeps the end in sight", () => {
    const char = fc.constantFrom("a", "入", "🚨", "e\u0301", " ", "ﷺ");
    fc.assert(
      fc.property(fc.string({ unit: char, maxLength: 80 }), fc.integer({ min: 4, max: 60 }), (text, room) => {
        const spans = fieldSpans(theme, text, room, "what is typed here");
        expect(spans.reduce((sum, s) => sum + (s.width ?? columns(s.text)), 0)).toBeLessThanOrEqual(room);
        const last = [...new Intl.Segmenter("en").segment(text)].at(-1)?.segment ?? "";
        expect(spans[0]?.text.endsWith(last) || text === "" || columns(last) > room - 2).toBe(true);
      }),
    );
  });

  test("what is pasted becomes one printable line, and is bounded", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        const line = edited("", { name: "paste", text }, 50) ?? "";
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
        expect([...new Intl.Segmenter("en").segment(line)].length).toBeLessThanOrEqual(50);
      }),
    );
  });
});
