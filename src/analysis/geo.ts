import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import ipaddr from "ipaddr.js";
import { z } from "zod";
import type { Geo } from "#model/event";
import { Mmdb } from "./mmdb.ts";

const require = createRequire(import.meta.url);
const names = z.looseObject({ en: z.string().optional() });
/** A row of DB-IP's flat files, or of a user's own MaxMind file with nested fields: both are read. */
const row = z.looseObject({
  country_code: z.string().optional(),
  latitude: z.number().optional(),
  longitude: z.number().optional(),
  city: z.union([z.string(), z.looseObject({ names: names.optional() })]).optional(),
  country: z.union([z.string(), z.looseObject({ iso_code: z.string().optional() })]).optional(),
  location: z.looseObject({ latitude: z.number().optional(), longitude: z.number().optional() }).optional(),
});

/** Country and city of public addresses. Data: IP to City / Country Lite by DB-IP (CC BY 4.0, db-ip.com). */
export class GeoDatabase {
  readonly #v4: Mmdb;
  readonly #v6: Mmdb;
  /** "city" (a checkout has it) or "country" (8 MB, always there). */
  readonly detail: "city" | "country";
  readonly built: Date;

  private constructor(v4: Mmdb, v6: Mmdb, detail: "city" | "country") {
    this.#v4 = v4;
    this.#v6 = v6;
    this.detail = detail;
    this.built = v4.built;
  }

  /** Undefined when no database is installed: then no address has a country, and the console says so. */
  static async open(): Promise<GeoDatabase | undefined> {
    for (const detail of ["city", "country"] as const) {
      const v4 = locate(detail, "ipv4");
      const v6 = locate(detail, "ipv6");
      // A v6 address looked up in the v4 file gets a wrong place, not none: so two readers.
      if (v4 && v6) return new GeoDatabase(new Mmdb(v4), new Mmdb(v6), detail);
    }
    return undefined;
  }

  lookup(address: string): Geo | undefined {
    const ip = publicAddress(address);
    if (!ip) return undefined;
    return geoOf((ip.kind() === "ipv4" ? this.#v4 : this.#v6).get(ip.toByteArray()));
  }
}

/** The place in a row of such a file; undefined where it has no country. */
export function geoOf(found: unknown): Geo | undefined {
  const parsed = row.safeParse(found);
  if (!parsed.success) return undefined;
  const { country_code, country, city, latitude, longitude, location } = parsed.data;
  const code = country_code ?? (typeof country === "string" ? country : country?.iso_code);
  if (!code || !/^[A-Z]{2}$/.test(code)) return undefined;
  const geo: Geo = { country_iso_code: code };
  const name = countryName(code);
  if (name) geo.country_name = name;
  const cityName = typeof city === "string" ? city : city?.names?.en;
  if (cityName) geo.city_name = cityName;
  const [lat, lon] = [latitude ?? location?.latitude, longitude ?? location?.longitude];
  if (lat !== undefined && lon !== undefined) geo.location = { lat: degrees(lat), lon: degrees(lon) };
  return geo;
}

/** To eleven metres: the files' own numbers are of four decimals, which single precision has turned into fifteen. */
const degrees = (value: number): number => Math.round(value * 1e4) / 1e4;

function locate(detail: "city" | "country", family: "ipv4" | "ipv6"): string | undefined {
  try {
    const folder = dirname(require.resolve(`@ip-location-db/dbip-${detail}-mmdb/package.json`));
    const file = join(folder, `dbip-${detail}-${family}.mmdb`);
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined; // not installed: the caller tries the next
  }
}

/** The address (v4-mapped v6 as v4) when it can have a place: private, loopback, link-local and reserved ones have none. */
export function publicAddress(address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (!ipaddr.isValid(address)) return undefined;
  const ip = ipaddr.process(address);
  return ip.range() === "unicast" ? ip : undefined;
}

const display = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });
const countryName = (code: string): string | undefined => (/^[A-Z]{2}$/.test(code) ? display.of(code) : undefined);
