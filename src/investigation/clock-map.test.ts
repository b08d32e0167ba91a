import { expect, test } from "vitest";
import { ClockMap, isoOfMicros } from "./clock-map.ts";

test("any clock gives a date with microseconds", () => {
  expect(isoOfMicros(1_700_000_000_123_456.5)).toBe("2023-11-14T22:13:20.123456Z");
  expect(isoOfMicros(-1)).toBe("1969-12-31T23:59:59.999999Z");
  for (const us of [Number.NaN, -1e300, 1e300, Number.POSITIVE_INFINITY, 0])
    expect(isoOfMicros(us)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  const clock = new ClockMap();
  clock.set(9e15, 9_999_999_999_999_999_999n);
  for (const boot of [0, -9e15, 9e15]) expect(Number.isNaN(Date.parse(clock.iso(boot)))).toBe(false);
});
