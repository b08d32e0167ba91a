import { Resolver } from "node:dns/promises";
import ipaddr from "ipaddr.js";

const PATIENCE_MS = 3000;
const NOBODY = new Set(["ENOTFOUND", "ENODATA"]);

/**
 * The names of an address by this machine's own resolver, never by the host's. Not by `reverse` of node: that calls it 'not found' when
 * a server could not answer. @throws Error with why there is no answer
 */
export async function reverseNames(ip: string, servers?: readonly string[]): Promise<string[]> {
  if (!ipaddr.isValid(ip)) throw new Error("it is no address");
  const resolver = new Resolver({ timeout: PATIENCE_MS, tries: 2 });
  if (servers) resolver.setServers(servers);
  try {
    return await resolver.resolvePtr(pointerName(ip));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== undefined && NOBODY.has(code)) return [];
    throw new Error(`the resolver gave no answer: ${code ?? message}`);
  }
}

/** RFC 1035, 3.5 and RFC 3596, 2.5; v4-mapped addresses are IPv4's. */
function pointerName(ip: string): string {
  const address = ipaddr.process(ip);
  const bytes = address.toByteArray();
  if (address.kind() === "ipv4") return `${bytes.reverse().join(".")}.in-addr.arpa`;
  const digits = bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${[...digits].reverse().join(".")}.ip6.arpa`;
}
