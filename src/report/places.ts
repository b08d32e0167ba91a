import ipaddr from "ipaddr.js";
import type { Endpoint } from "#model/event";
import { code, prose } from "./escape.ts";

type Reach = "public" | "private" | "loopback" | "unknown";

/** Whether an address is of the internet, of a private network, or of the host itself (IANA special-purpose registries). */
export function reach(ip: string): Reach {
  if (!ipaddr.isValid(ip)) return "unknown";
  const range = ipaddr.process(ip).range();
  if (range === "unicast") return "public";
  return range === "loopback" ? "loopback" : range === "unspecified" ? "unknown" : "private";
}

/** "61.177.172.1:443" as code; IPv6 in brackets (RFC 3986). */
export function address({ ip, port }: Pick<Endpoint, "ip" | "port">): string {
  if (!port) return code(ip);
  return code(ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`);
}

/** Country and city, and the network, in words: what is not known is said, not left blank. */
export function placeOf({ ip, geo }: Endpoint): string {
  const parts = [geo?.city_name, geo?.country_name ?? geo?.country_iso_code].filter((part) => part !== undefined);
  if (parts.length) return parts.map((part) => prose(part)).join(", ");
  return reach(ip) === "private" ? "private network" : reach(ip) === "loopback" ? "the host itself" : "place not known";
}
export function networkOf({ ip, as }: Endpoint): string {
  if (as) return `AS${Number(as.number)}${as.organization ? ` ${prose(as.organization.name)}` : ""}`;
  return reach(ip) === "public" ? "network not known" : "";
}
export function whereabouts(endpoint: Endpoint): string {
  return [placeOf(endpoint), networkOf(endpoint)].filter((part) => part !== "").join(", ");
}
