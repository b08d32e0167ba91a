import fc from "fast-check";
import stringWidth from "string-width";
import { describe, expect, test } from "vitest";
import { hardWrap, paintRow, wrapText } from "./row.ts";
import { makeTheme } from "./theme.ts";
import { address, age, bytes, clock, place, terminalName } from "./words.ts";

describe("words", () => {
  test("an age never takes more than four columns", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e14, noNaN: true }), (ms) => {
        expect(age(0, ms).length).toBeLessThanOrEqual(4);
      }),
    );
    expect([age(0, 7000), age(0, 130_000), age(0, 7_200_000), age(0, 9 * 86_400_000)]).toEqual(["7s", "2m", "2h", "9d"]);
  });

  test("sizes are read as sizes", () => {
    expect([bytes(undefined), bytes(0), bytes(999), bytes(9120), bytes(999_600), bytes(1.2e6), bytes(3e15)]).toEqual([
      "?",
      "0 B",
      "999 B",
      "9.1 KB",
      "1.0 MB",
      "1.2 MB",
      "3.0 PB",
    ]);
  });

  test("a place is what the data says, and never a guess", () => {
    expect(place({ ip: "203.0.113.9", geo: { country_iso_code: "CN", city_name: "Guangzhou" } })).toBe("CN Guangzhou");
    expect(place({ ip: "203.0.113.9", geo: { country_iso_code: "CN", country_name: "China" } })).toBe("CN China");
    expect([
      place({ ip: "10.1.2.3" }),
      place({ ip: "127.0.0.1" }),
      place({ ip: "::1" }),
      place({ ip: "fe80::1" }),
      place({ ip: "198.51.100.4" }),
      ...["100.64.0.1", "100.128.0.1", "224.0.0.251", "ff02::fb", "::ffff:192.168.1.2", "::ffff:127.0.0.1", "255.255.255.255", "::"].map(
        (ip) => place({ ip }),
      ),
      ...["fd00::1", "169.254.169.254", "172.32.0.1", "0.0.0.0"].map((ip) => place({ ip })),
    ]).toEqual([
      ...["private", "this host", "this host", "link-local", "place unknown"],
      ...["CGNAT", "place unknown", "multicast", "multicast", "private", "this host", "broadcast", "any address"],
      ...["private", "link-local", "place unknown", "any address"],
    ]);
  });

  test("times, terminals and addresses are written as the host would", () => {
    expect(clock(Date.UTC(2026, 10, 24, 21, 4, 11))).toBe("21:04:11");
    expect(clock(Number.NaN)).toBe("--:--:--");
    expect([terminalName("136:1"), terminalName("137:0"), terminalName("4:1"), terminalName("4:64"), terminalName("5:0")]).toEqual([
      "pts/1",
      "pts/256",
      "tty1",
      "ttyS0",
      "5:0",
    ]);
    expect([address({ ip: "::1", port: 22 }), address({ ip: "1.2.3.4", port: 22 }), address({ ip: "::1" })]).toEqual([
      "[::1]:22",
      "1.2.3.4:22",
      "::1",
    ]);
  });
});

describe("rows", () => {
  const theme = makeTheme("truecolor");
  test("are exactly as wide as asked, whatever is put in", () => {
    const part = fc.record(
      {
        text: fc.string({ unit: "binary", maxLength: 30 }),
        width: fc.nat(30),
        align: fc.constantFrom("left" as const, "right" as const),
        flex: fc.constant(true as const),
        style: fc.constant("intruder" as const),
      },
      { requiredKeys: ["text"] },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 120 }),
        fc.array(part, { maxLength: 8 }),
        fc.option(fc.constantFrom("selected" as const, "isolated" as const), { nil: undefined }),
        (width, parts, ground) => {
          expect(stringWidth(paintRow(theme, width, parts, ground))).toBe(width);
        },
      ),
    );
  });

  test("wrapped text loses nothing; what must be exact keeps its blanks", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.integer({ min: 2, max: 40 }), (text, width) => {
        expect(hardWrap(text, width).join("")).toBe(text);
        expect(wrapText(text, width).join("").replaceAll(" ", "")).toBe(text.replaceAll(" ", ""));
        for (const line of [...hardWrap(text, width), ...wrapText(text, width)]) expect(stringWidth(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});
