import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeHostString } from "#model/host-string";
import { plainAddress, readLastlog, readUtmp, UTMP, type UtmpSize } from "./utmp.ts";

/** A record as glibc lays it out. */
function record(
  given: { type: number; pid?: number; line?: string; user?: string; host?: string; at: number; ip?: number[] },
  size: UtmpSize,
): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.writeInt16LE(given.type, 0);
  bytes.writeInt32LE(given.pid ?? 0, 4);
  bytes.write(given.line ?? "", 8, 32);
  bytes.write(given.user ?? "", 44, 32);
  bytes.write(given.host ?? "", 76, 256);
  if (size === 400) bytes.writeBigInt64LE(BigInt(given.at), 344);
  else bytes.writeInt32LE(given.at, 340);
  Buffer.from(given.ip ?? []).copy(bytes, size === 400 ? 360 : 348);
  return bytes;
}

describe.each([384, 400] as const)("utmp with records of %i bytes", (size) => {
  const root = record(
    { type: UTMP.user, pid: 812, line: "pts/0", user: "root", host: "203.0.113.9", at: 1_700_000_000, ip: [203, 0, 113, 9] },
    size,
  );

  test("a login is read as it was written", () => {
    expect(readUtmp(root, 0, size)).toEqual([
      { type: 7, pid: 812, line: "pts/0", user: "root", host: "203.0.113.9", ip: "203.0.113.9", at: 1_700_000_000_000, wiped: false },
    ]);
  });

  test("a tail that begins inside of a record begins with the next one", () => {
    const file = Buffer.concat([root, root, record({ type: UTMP.boot, at: 1_700_000_100 }, size)]);
    expect(readUtmp(file.subarray(100), 100, size).map(({ type }) => type)).toEqual([7, 2]);
  });

  test("a wiped record is known, and a name without an end or of no UTF-8 is kept without loss", () => {
    const odd = record({ type: UTMP.user, at: 5 }, size);
    odd.fill(0xff, 44, 76);
    const [wiped, strange] = readUtmp(Buffer.concat([Buffer.alloc(size), odd]), 0, size);
    expect(wiped?.wiped).toBe(true);
    expect(Buffer.from(encodeHostString(strange?.user ?? ""))).toEqual(Buffer.alloc(32, 0xff));
  });

  test("any bytes give records or nothing, never an error, and no more than there is room for", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5 * size }), fc.nat(2000), (bytes, from) => {
        const records = readUtmp(Buffer.from(bytes), from, size);
        expect(records.length).toBeLessThanOrEqual(Math.floor(bytes.length / size));
        for (const { at, user } of records) {
          expect(Number.isFinite(new Date(at).getTime())).toBe(true);
          expect(user.length).toBeLessThanOrEqual(32);
        }
      }),
    );
  });
});

test("lastlog of both widths; one that never was is none", () => {
  const narrow = Buffer.alloc(292);
  expect(readLastlog(narrow)).toBeUndefined();
  narrow.writeInt32LE(1_700_000_000, 0);
  narrow.write("pts/3", 4);
  narrow.write("198.51.100.4", 36);
  expect(readLastlog(narrow)).toEqual({ at: 1_700_000_000_000, line: "pts/3", host: "198.51.100.4" });
  const wide = Buffer.alloc(296);
  wide.writeBigInt64LE(1_700_000_000n, 0);
  wide.write("tty1", 8);
  expect(readLastlog(wide)).toMatchObject({ at: 1_700_000_000_000, line: "tty1" });
  expect(readLastlog(Buffer.alloc(7))).toBeUndefined();
});

test("addresses are written one way only", () => {
  expect(plainAddress("::ffff:203.0.113.9")).toBe("203.0.113.9");
  expect(plainAddress("2001:0db8:0:0:0:0:0:1")).toBe("2001:db8::1");
  expect(plainAddress("203.0.113.9")).toBe("203.0.113.9");
});
