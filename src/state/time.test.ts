import fc from "fast-check";
import { expect, test } from "vitest";
import { parseTime } from "./time.ts";

test("a time of the log is what Date.parse makes of it, whatever came before it", () => {
  const moment = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(Date.UTC(9999, 0)) });
  const micros = fc.integer({ min: 0, max: 999 }).map((n) => String(n).padStart(3, "0"));
  const written = fc.tuple(moment, micros).map(([date, rest]) => date.toISOString().replace("Z", `${rest}Z`));
  const near = fc.integer({ min: 0, max: 119_999 }).map((ms) => new Date(1_700_000_000_000 + ms).toISOString().replace("Z", "250Z"));
  const broken = fc
    .tuple(written, fc.nat(26), fc.constantFrom("x", " ", "9", "-", "é", ""))
    .map(([text, at, by]) => text.slice(0, at) + by + text.slice(at + 1));
  fc.assert(
    fc.property(fc.array(fc.oneof(written, near, broken, fc.string()), { minLength: 1, maxLength: 20 }), (texts) => {
      expect(texts.map(parseTime)).toEqual(texts.map((text) => Date.parse(text)));
    }),
    { numRuns: 3000 },
  );
});
