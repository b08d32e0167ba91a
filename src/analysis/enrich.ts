import type { Endpoint } from "#model/event";
import { AsDatabase } from "./as.ts";
import { GeoDatabase } from "./geo.ts";

const KEPT = 10_000;

/** Stamps places and networks on addresses before the append, so that a replay needs no database. */
export class Enricher {
  readonly #geo: GeoDatabase | undefined;
  readonly #as: AsDatabase | undefined;
  readonly #cache = new Map<string, Pick<Endpoint, "geo" | "as">>();

  constructor(geo: GeoDatabase | undefined, as: AsDatabase | undefined) {
    this.#geo = geo;
    this.#as = as;
  }

  static async open(): Promise<Enricher> {
    const [geo, as] = await Promise.all([GeoDatabase.open(), AsDatabase.open()]);
    return new Enricher(geo, as);
  }

  /** What it works with, for the log and the screen: "DB-IP city 2026-06-05; AS 2.3.2026061719", or what is missing. */
  get source(): string {
    const geo = this.#geo
      ? `DB-IP ${this.#geo.detail} ${this.#geo.built.toISOString().slice(0, 10)}`
      : "no GeoIP data: addresses have no country";
    return `${geo}; ${this.#as ? `AS ${this.#as.version}` : "no AS data: addresses have no network"}`;
  }

  endpoint(ip: string, port?: number): Endpoint {
    let known = this.#cache.get(ip);
    if (!known) {
      const [geo, as] = [this.#geo?.lookup(ip), this.#as?.lookup(ip)];
      known = { ...(geo ? { geo } : {}), ...(as ? { as } : {}) };
      if (this.#cache.size >= KEPT) this.#cache.clear(); // a scan of the internet must not fill our memory
      this.#cache.set(ip, known);
    }
    return { ip, ...(port === undefined ? {} : { port }), ...known };
  }
}
