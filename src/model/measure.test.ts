import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAllowed } from "./measure.ts";

test("an address to let through may log in, or with a port be reached", () => {
  expect(parseAllowed("192.0.2.9")).toEqual({ ip: "192.0.2.9" });
  expect(parseAllowed(" 192.0.2.9:443 ")).toEqual({ ip: "192.0.2.9", port: 443 });
  expect(parseAllowed("2001:db8::9")).toEqual({ ip: "2001:db8::9" });
  expect(parseAllowed("[2001:db8::9]")).toEqual({ ip: "2001:db8::9" });
  expect(parseAllowed("[2001:db8::9]:8443")).toEqual({ ip: "2001:db8::9", port: 8443 });
  for (const text of ["", "edr.example", "192.0.2.9:0", "192.0.2.9:70000", "192.0.2.9:", "443", "[]:443", "192.0.2.9; rm"])
    expect(parseAllowed(text), text).toBeUndefined();
});

test("whatever is typed gives digits, colons and dots, or nothing", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[0-9a-f:.[\] ]{0,30}$/)), (text) => {
      const found = parseAllowed(text);
      if (found) expect(found.ip).toMatch(/^[0-9a-fA-F:.]+$/);
      if (found?.port !== undefined) expect(found.port >= 1 && found.port <= 65_535).toBe(true);
    }),
  );
});
