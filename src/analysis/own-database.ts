import { basename } from "node:path";
import { z } from "zod";
import type { Endpoint } from "#model/event";
import { geoOf, publicAddress } from "./geo.ts";
import { Mmdb } from "./mmdb.ts";

const number = z.union([z.number(), z.string().transform((text) => Number(text.replace(/^AS/i, "")))]).pipe(z.int().min(1).max(0xffffffff));
const network = { autonomous_system_number: number.optional(), autonomous_system_organization: z.string().optional() };
/** Networks as MaxMind's, DB-IP's and IPinfo's files have them. */
const row = z.looseObject({
  ...network,
  traits: z.looseObject(network).optional(),
  asn: number.optional(),
  as_number: number.optional(),
  as_name: z.string().optional(),
  as_organization: z.string().optional(),
});

/** A MaxMind DB file of the analyst's own, of places, of networks, or of both. */
export class OwnDatabase {
  readonly #file: Mmdb;
  /** Its file, what it calls itself, and the day on which it was made: "GeoLite2-City.mmdb (GeoLite2-City, 2026-05-01)". */
  readonly source: string;

  /** Throws when the file cannot be read or is no such database. */
  constructor(path: string) {
    this.#file = new Mmdb(path);
    const { type, built } = this.#file;
    const day = Number.isNaN(built.getTime()) ? "of an unknown day" : built.toISOString().slice(0, 10);
    this.source = `${basename(path)} (${[type, day].filter(Boolean).join(", ")})`;
  }

  /** What it says of a public address; nothing of others. */
  lookup(address: string): Pick<Endpoint, "geo" | "as"> {
    const ip = publicAddress(address);
    const bytes = ip?.toByteArray();
    if (!bytes || (bytes.length === 16 && this.#file.ipVersion === 4)) return {};
    // in a file of both families the addresses of IPv4 are the last four bytes of zeros
    const found = this.#file.get(bytes.length === 4 && this.#file.ipVersion === 6 ? [...new Array<number>(12).fill(0), ...bytes] : bytes);
    const geo = geoOf(found);
    const parsed = row.safeParse(found);
    const { traits, asn, as_number, as_name, as_organization, ...own } = parsed.success ? parsed.data : {};
    const as = own.autonomous_system_number ?? traits?.autonomous_system_number ?? asn ?? as_number;
    const name = own.autonomous_system_organization ?? traits?.autonomous_system_organization ?? as_name ?? as_organization;
    return { ...(geo ? { geo } : {}), ...(as === undefined ? {} : { as: { number: as, ...(name ? { organization: { name } } : {}) } }) };
  }
}
