import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeHostBytes, encodeHostString, printable, visiblePath } from "./host-string.ts";

test("any bytes survive the way into the log and back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const throughTheLog = JSON.parse(JSON.stringify(decodeHostBytes(bytes))) as string;
      expect(encodeHostString(throughTheLog)).toEqual(bytes);
    }),
    { numRuns: 2000 },
  );
});

test("valid text is decoded as UTF-8, a byte order mark included", () => {
  expect(decodeHostBytes(new TextEncoder().encode("naïve 日本語 🚀"))).toBe("naïve 日本語 🚀");
  expect(decodeHostBytes(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
  expect(decodeHostBytes(Uint8Array.of(0x61, 0xff, 0xc0, 0x80))).toBe("a\udcff\udcc0\udc80");
});

test("nothing printable can steer, hide or reorder", () => {
  for (const evil of [
    "a\x1b[2Jb",
    "a\x9b2Jb",
    "a\nb",
    "a\u202eb",
    "a\u200bb",
    "a\u2028b",
    "a\u0000b",
    "a\u2066b",
    "a\u{e0041}b",
    "a\udc80b",
    "a\u00adb",
  ])
    expect(printable(evil)).toBe(printable(evil).replace(/[^ -~·]/gu, "?"));
  expect(printable("x\x1b]52;c;ZXZpbA==\x07y")).toBe("x·]52;c;ZXZpbA==·y");
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}]/u);
      expect(printable(printable(text))).toBe(printable(text));
    }),
  );
});

test("ordinary text stays as it is", () => {
  expect(printable("/usr/bin/env naïve 日本語 é")).toBe("/usr/bin/env naïve 日本語 é");
});

test("a name whose blanks nobody sees does not look like another", () => {
  expect(visiblePath("/tmp/ ")).toBe("/tmp/·");
  expect(visiblePath("/tmp/. /x")).toBe("/tmp/.·/x");
  expect(visiblePath("/tmp/ x")).toBe("/tmp/·x");
  expect(visiblePath("bill.pdf          .exe")).toBe("bill.pdf ·········.exe");
  expect(visiblePath("a\u00a0b\u3000c\u2003d")).toBe("a·b·c·d");
  expect(visiblePath(" ")).toBe("·");
  expect(visiblePath("")).toBe("");
  for (const plain of ["/usr/bin/Xorg", "/home/dev/My Documents/a b c.txt", "日本語 の/ファイル"]) expect(visiblePath(plain)).toBe(plain);
});
