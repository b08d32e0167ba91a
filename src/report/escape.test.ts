import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { printable } from "#model/host-string";
import { code, prose, table } from "./escape.ts";

/** Markdown that `code` made, read as CommonMark reads it: what stands in code spans, and what stands outside of them. */
function read(markdown: string): { text: string; outside: string } {
  let text = "";
  let outside = "";
  const parts = markdown.split("`");
  expect(parts.length % 2, "every code span is closed").toBe(1);
  for (const [i, part] of parts.entries()) {
    if (i % 2 === 1) {
      expect(part, "a code span is never empty").not.toBe("");
      text += /^ .*[^ ].* $/.test(part) ? part.slice(1, -1) : part;
    } else {
      outside += part;
      text += part.replace(/&#(\d+);/g, (_, digits: string) => String.fromCharCode(Number(digits)));
    }
  }
  return { text, outside };
}

const nasty = fc.string({
  unit: fc.oneof(
    fc.constantFrom(..."`|<>&[]()!*_~#\\\"'/:.@-+ \n\r\t\x1b\u202e\u2028".split(""), "http://evil.example", "](", "<b>", "--", "``"),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
  maxLength: 60,
});

describe("host text in a report", () => {
  test("is code alone, whatever it holds, and reads as what it was", () => {
    fc.assert(
      fc.property(nasty, (raw) => {
        const markdown = code(raw);
        if (raw === "") {
          expect(markdown).toBe("(empty)");
          return;
        }
        const { text, outside } = read(markdown);
        expect(text).toBe(printable(raw));
        expect(outside).toMatch(/^(?:&#(?:96|124|60|62);)*$/);
        expect(markdown).not.toMatch(/[|<>\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
      { numRuns: 3000 },
    );
  });

  test.each([
    ["a`b``c", "`a`&#96;`b`&#96;&#96;`c`"],
    ["a|b", "`a`&#124;`b`"],
    ["<script>", "&#60;`script`&#62;"],
    ["[x](http://evil.example)", "`[x](http://evil.example)`"],
    ["x\n# y", "`x·# y`"],
    [" x ", "`  x  `"],
    ["a\\", "`a\\`"],
  ])("%j becomes %s", (raw, markdown) => expect(code(raw)).toBe(markdown));

  test("that is too long is cut in the middle, never within a character", () => {
    const cut = code("🚀".repeat(1000), 11);
    expect(cut).toBe(`\`${"🚀".repeat(6)}…${"🚀".repeat(4)}\``);
  });

  test("keeps a table's columns", () => {
    fc.assert(
      fc.property(nasty, nasty, (a, b) => {
        const [, , row] = table(["A", "B"], [[code(a), prose(b)]]);
        expect(row?.split("|").length).toBe(4);
      }),
    );
  });
});

describe("an analyst's words", () => {
  test("stay prose where they are plain", () => {
    for (const plain of ["runs new binaries that call abroad", "10.77.1.21 is one of us", "it's ours: the backup (nightly)", "日本語"])
      expect(prose(plain)).toBe(plain);
  });
  test("become code where a renderer could make more of them", () => {
    for (const odd of ["see evil.example", "http://x", "**bold**", "<b>", "a|b", "- item", ":skull:", "mail a@b.c", "# title", "1--2"])
      expect(read(prose(odd)).text).toBe(odd);
  });
  test("are never structure", () => {
    fc.assert(
      fc.property(nasty, (raw) => {
        const { outside } = read(prose(raw));
        expect(outside.replace(/&#\d+;/g, "")).not.toMatch(/[|<>[\]*_~`#&@\\{}$^="\n]|\/\/|\.\p{L}/u);
      }),
      { numRuns: 2000 },
    );
  });
});
