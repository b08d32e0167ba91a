import fc from "fast-check";
import stringWidth from "string-width";
import { expect, test, vi } from "vitest";
import { graphemes } from "./graphemes.ts";
import { cells, columns } from "./HostText.ts";

test("a text is taken apart into what it is made of, whether it is remembered or not", () => {
  const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });
  const drawn = /[^\p{Default_Ignorable_Code_Point}\p{Control}\p{Format}\p{Mark}\p{Surrogate}]/u;
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 30 }), (text) => {
      const want = [...segmenter.segment(text)].map(({ segment }) => ({
        text: segment,
        width: drawn.test(segment) ? stringWidth(segment) : 0,
      }));
      for (let again = 0; again < 2; again++) expect(graphemes(text)).toEqual(want);
    }),
    { examples: [["\ufff9"], ["\u0600"], ["a\ufffb"]] },
  );
});

test("a name of format characters alone is drawn and measured like any other", () => {
  // Every character that is a format character by Unicode, alone: a hostile host may call a program so.
  for (let point = 0; point <= 0x10ffff; point++) {
    const text = String.fromCodePoint(point);
    if (!/^\p{Format}$/u.test(text)) continue;
    expect(stringWidth(cells(text, 8))).toBe(8);
    expect(columns(text)).toBeGreaterThan(0);
  }
});

test("a picture that is painted again and again takes no name apart twice: each time would hold memory outside of the heap", () => {
  const segment = vi.spyOn(Intl.Segmenter.prototype, "segment");
  const paint = () => {
    for (let i = 0; i < 40; i++) {
      columns(`日本語のファイル名 ${i}`);
      cells(`данные 日本 ${i}`, 12, "middle");
    }
  };
  paint();
  segment.mockClear();
  for (let frame = 0; frame < 20; frame++) paint();
  expect(segment.mock.calls.length).toBe(0);
  segment.mockRestore();
});
