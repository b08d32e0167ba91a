import fc from "fast-check";
import { expect, test } from "vitest";
import { matchesPattern, matchesPatternList } from "./host-pattern.ts";

/** The same by a regular expression: slow on hostile patterns, but an independent oracle. */
function byRegExp(pattern: string, text: string): boolean {
  const source = [...pattern].map((c) => (c === "*" ? "[^]*" : c === "?" ? "[^]" : c.replace(/[\\^$.|+()[\]{}/]/g, "\\$&"))).join("");
  return new RegExp(`^${source}$`).test(text);
}

const letters = (alphabet: string) => fc.string({ unit: fc.constantFrom(...alphabet), maxLength: 8 });

test("a pattern matches what the same regular expression matches", () => {
  fc.assert(
    fc.property(letters("ab.*?"), letters("ab."), (pattern, text) => {
      expect(matchesPattern(pattern, text)).toBe(byRegExp(pattern, text));
    }),
    { numRuns: 2000 },
  );
});

test("a pattern of many stars does not hang", () => {
  expect(matchesPattern(`${"*a".repeat(200)}b`, "a".repeat(5000))).toBe(false);
});

test("a negated pattern wins, whatever the order, and never matches by itself", () => {
  expect(matchesPatternList(["*.example.com", "!bad.example.com"], "bad.example.com")).toBe(false);
  expect(matchesPatternList(["!bad.example.com", "*.example.com"], "bad.example.com")).toBe(false);
  expect(matchesPatternList(["*.example.com", "!bad.example.com"], "Good.Example.COM")).toBe(true);
  expect(matchesPatternList(["!bad.example.com"], "good.example.com")).toBe(false);
});
