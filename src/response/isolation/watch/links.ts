import { decodeHostBytes, printable } from "#model/host-string";
import { canonical } from "../addresses.ts";
import type { WatchFinding } from "./status.ts";

/** The interfaces, addresses and routes of the host from look to look: an isolation must follow what is new. */
export class Links {
  readonly #hooked: ReadonlySet<string>;
  #links: Map<string, number> | undefined;
  #own: Set<string>;
  #routes: string | undefined;
  /** Packets that the hooked interfaces (all, where none is) have sent between the last two looks. */
  sent = 0;

  constructor(hooked: readonly string[], own: readonly string[]) {
    this.#hooked = new Set(hooked);
    this.#own = new Set(own);
  }

  compare(get: (section: string) => string, at: number): WatchFinding[] {
    return [...this.#interfaces(get("links"), at), ...this.#addresses(get("addresses"), at), ...this.#route(get("routes"), at)];
  }

  #interfaces(text: string, at: number): WatchFinding[] {
    const now = new Map<string, number>();
    let sent = 0;
    for (const line of text.split("\n").slice(0, 4096)) {
      const [name = "", index, packets] = line.split(" ");
      if (name === "" || name === "lo" || packets === undefined) continue;
      const key = `${name} ${index}`;
      now.set(key, Number(packets) || 0);
      if (this.#hooked.size === 0 || this.#hooked.has(name)) sent += Math.max(0, (Number(packets) || 0) - (this.#links?.get(key) ?? 0));
    }
    const last = this.#links;
    this.#links = now;
    this.sent = last ? sent : 0;
    if (!last) return [];
    const appeared = [...now.keys()].filter((key) => !last.has(key)).map((key) => key.split(" ")[0] as string);
    return appeared.map((name) => ({
      kind: "interface" as const,
      title: `A new interface: ${printable(decodeHostBytes(Buffer.from(name, "latin1")))}. Its IP packets are dropped; raw frames are not until it is hooked`,
      at,
      replan: true,
    }));
  }

  #addresses(text: string, at: number): WatchFinding[] {
    const found: WatchFinding[] = [];
    for (const line of text.split("\n").slice(0, 4096)) {
      const ip = canonical(/^\d+: \S+\s+inet6? ([0-9a-f.:]+)/.exec(line)?.[1] ?? "");
      if (!ip || ip === "::1" || ip.startsWith("127.") || this.#own.has(ip)) continue;
      this.#own.add(ip);
      found.push({
        kind: "address",
        title: `A new address of the host: ${ip}. Nobody is let in by it until the plan is made anew`,
        at,
        replan: true,
      });
    }
    return found;
  }

  #route(text: string, at: number): WatchFinding[] {
    const last = this.#routes;
    this.#routes = text;
    if (last === undefined || last === text) return [];
    return [{ kind: "route", title: "The host's routes have changed: the way to the analysts may be another", at, replan: true }];
  }
}
