import type { Endpoint } from "#model/event";
import { AsDatabase } from "./as.ts";
import { GeoDatabase } from "./geo.ts";
import type { OwnDatabase } from "./own-database.ts";

const KEPT = 10_000;

/** Stamps places and networks on addresses before the append, so that a replay needs no database. */
export class Enricher {
  readonly #geo: GeoDatabase | undefined;
  readonly #as: AsDatabase | undefined;
  readonly #own: readonly OwnDatabase[];
  readonly #cache = new Map<string, Pick<Endpoint, "geo" | "as">>();

  constructor(geo: GeoDatabase | undefined, as: AsDatabase | undefined, own: readonly OwnDatabase[] = []) {
    this.#geo = geo;
    this.#as = as;
    this.#own = own;
  }

  /** `own`: databases of the analyst's own, which are asked before ours, the first of them first. */
  static async open(own: readonly OwnDatabase[] = []): Promise<Enricher> {
    const [geo, as] = await Promise.all([GeoDatabase.open(), AsDatabase.open()]);
    return new Enricher(geo, as, own);
  }

  /** What it works with, for the log and the screen: "DB-IP city 2026-06-05; AS 2.3.2026061719", or what is missing. */
  get source(): string {
    const geo = this.#geo
      ? `DB-IP ${this.#geo.detail} ${this.#geo.built.toISOString().slice(0, 10)}`
      : "no GeoIP data: addresses have no country";
    const own = this.#own.map(({ source }) => `${source}; `).join("");
    return `${own}${geo}; ${this.#as ? `AS ${this.#as.version}` : "no AS data: addresses have no network"}`;
  }

  endpoint(ip: string, port?: number): Endpoint {
    let known = this.#cache.get(ip);
    if (!known) {
      const own = this.#own.map((database) => database.lookup(ip));
      const geo = own.find((one) => one.geo)?.geo ?? this.#geo?.lookup(ip);
      const as = own.find((one) => one.as)?.as ?? this.#as?.lookup(ip);
      known = { ...(geo ? { geo } : {}), ...(as ? { as } : {}) };
      if (this.#cache.size >= KEPT) this.#cache.clear(); // a scan of the internet must not fill our memory
      this.#cache.set(ip, known);
    }
    return { ip, ...(port === undefined ? {} : { port }), ...known };
  }
}
