import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { SocketAddress } from "#model/observation";

type Family = 4 | 6;

/**
 * An address in one spelling: no zone, IPv4-mapped IPv6 as IPv4, IPv6 in lower case and compressed (RFC 5952). Undefined for
 * everything that is not exactly one address, so what this returns is safe to print into a ruleset.
 */
export function canonical(text: string): string | undefined {
  const bare = text.replace(/%.*$/, "");
  if (isIP(bare) === 0) return undefined;
  return ipaddr.process(bare).toString();
}

export function family(ip: string): Family {
  return ip.includes(":") ? 6 : 4;
}

export function isLoopback(ip: string): boolean {
  return ipaddr.parse(ip).range() === "loopback";
}

/** Not everybody's (broadcast, multicast) and not nobody's (0.0.0.0, ::). */
export function isOneHost(ip: string): boolean {
  return !["broadcast", "multicast", "unspecified"].includes(ipaddr.parse(ip).range());
}

export function isLinkLocal(ip: string): boolean {
  return ipaddr.parse(ip).range() === "linkLocal";
}

/** The address as one hexadecimal number, the form of a raw payload match in nft: `0x0a4d000b`. */
export function hex(ip: string): string {
  return `0x${Buffer.from(ipaddr.parse(ip).toByteArray()).toString("hex")}`;
}

/** The solicited-node multicast address of an IPv6 address: ff02::1:ff00:0/104 with its last 24 bits (RFC 4291, 2.7.1). */
export function solicitedNode(ip: string): string {
  const bytes = ipaddr.parse(ip).toByteArray();
  return ipaddr.fromByteArray([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, ...bytes.slice(13)]).toString();
}

/**
 * An address and port of /proc/net/tcp or tcp6 (`0B004D0A:0016`): each 32-bit word in the byte order of the machine, which is
 * taken as little-endian; the port is plain (kernel, net/ipv4/tcp_ipv4.c, `get_tcp4_sock`).
 */
export function fromProcNet(text: string): SocketAddress | undefined {
  const match = /^((?:[0-9A-F]{8}){1}|(?:[0-9A-F]{8}){4}):([0-9A-F]{4})$/.exec(text);
  if (!match) return undefined;
  const bytes = Buffer.from(match[1] as string, "hex").swap32();
  const ip = canonical(ipaddr.fromByteArray([...bytes]).toString());
  return ip === undefined ? undefined : { ip, port: Number.parseInt(match[2] as string, 16) };
}

/** `10.0.0.1:22`, `[fd00::1]:22` or `[fe80::1]%eth0:22`, as ss(8) prints them with -n. */
export function fromSs(text: string): SocketAddress | undefined {
  const match = /^(?:\[([^\]]+)\]|([0-9.]+))(?:%[^:]*)?:(\d{1,5})$/.exec(text);
  const ip = canonical(match?.[1] ?? match?.[2] ?? "");
  const port = Number(match?.[3]);
  return ip === undefined || port > 65_535 ? undefined : { ip, port };
}
