import ipaddr from "ipaddr.js";
import type { Packet } from "./packet-filter.ts";

const ICMPV6: Record<string, string> = {
  133: "nd-router-solicit",
  134: "nd-router-advert",
  135: "nd-neighbor-solicit",
  136: "nd-neighbor-advert",
};

/** Reads the iptables-restore texts that the planner writes and says what our chain does with a packet. Throws for a word it does not know. */
export function chainPasses(rules: string, chain: "IN" | "OUT", packet: Packet): boolean {
  const own = rules.split(/^# /m).find((part) => part.startsWith(packet.kind === "ip6" ? "ip6tables" : "iptables"));
  if (own === undefined) throw new Error(`No rules for ${packet.kind}.`);
  for (const line of own.split("\n").filter((text) => text.startsWith(`-A STAKEOUT_${chain}_`))) {
    const verdict = / -j (\w+)$/.exec(line)?.[1];
    if (verdict === undefined) continue;
    if (verdict !== "ACCEPT" && verdict !== "DROP") throw new Error(`Not understood: ${line}`);
    const words = line
      .replace(/^-A \S+ /, "")
      .replace(/ ?-j \w+$/, "")
      .split(" ")
      .filter(Boolean);
    let all = true;
    while (words.length > 0) {
      const [flag, value = ""] = words.splice(0, 2);
      all &&= matches(flag as string, value, packet, line);
    }
    if (all) return verdict === "ACCEPT";
  }
  throw new Error("Our chain has no end.");
}

function matches(flag: string, value: string, packet: Packet, line: string): boolean {
  const ports = packet.tcp ?? packet.udp;
  switch (flag) {
    case "-m":
      return true; // only names the module of what follows
    case "-i":
    case "-o":
      return value === "lo" && packet.lo === true;
    case "-s":
      return within(packet.src, value);
    case "-d":
      return within(packet.dst, value);
    case "-p":
      return value === "tcp" ? packet.tcp !== undefined : value === "udp" ? packet.udp !== undefined : packet.icmpv6 !== undefined;
    case "--sport":
      return ports?.sport === Number(value);
    case "--dport":
      return ports?.dport === Number(value);
    case "--icmpv6-type":
      return packet.icmpv6 === ICMPV6[value];
    default:
      throw new Error(`Not understood: '${flag}' in ${line}`);
  }
}

function within(ip: string, network: string): boolean {
  const address = ipaddr.parse(ip);
  const [base, bits] = ipaddr.parseCIDR(network);
  return address.kind() === base.kind() && address.match(base as never, bits);
}

/** What the routing rules of a plan do with a packet to `dst`: the table that it goes by, or the black hole. */
export function routedBy(rules: string, dst: string): string {
  const kind = dst.includes(":") ? 6 : 4;
  const lines = [...rules.matchAll(new RegExp(`^ip -${kind} rule add pref (\\d+) (?:to (\\S+) )?lookup (\\S+)$`, "gm"))];
  const holes = [...rules.matchAll(new RegExp(`^ip -${kind} route add blackhole default table (\\d+) metric \\d+$`, "gm"))].map(
    (m) => m[1],
  );
  const ordered = lines.sort((a, b) => Number(a[1]) - Number(b[1]));
  const first = ordered.find((m) => m[2] === undefined || m[2] === dst);
  if (!first || holes.length === 0) throw new Error(`No rule for ${dst}.`);
  return holes.includes(first[3]) ? "black hole" : (first[3] as string);
}
