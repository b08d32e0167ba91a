import type { HostString } from "#model/host-string";
import type { SocketAddress } from "#model/observation";
import type { FoundFiles } from "../boot/found.ts";

export interface Interface {
  name: HostString;
  index: number;
  /** operstate: up, down, unknown ... */
  state: string;
  mac: string;
  /** ARPHRD number (1 is Ethernet, 772 loopback; kernel, include/uapi/linux/if_arp.h). */
  type: number;
  /** DEVTYPE of its uevent (vlan, bond, bridge, wireguard, vxlan ...), "tun" for tun and tap, "" for plain. */
  kind: string;
  /** Interfaces that carry it: members of a bridge or bond, the parent of a VLAN. */
  lower: HostString[];
}

export interface HostAddress {
  interface: HostString;
  ip: string;
  /** It was given for a time (DHCP, router advertisement); `validSeconds` is what is left of it. */
  dynamic: boolean;
  validSeconds?: number;
}

/** A live connection of the host. The name is what the process calls itself: shown, never believed. */
export interface LiveConnection {
  transport: "tcp" | "udp";
  state: string;
  local: SocketAddress;
  remote: SocketAddress;
  pid?: number;
  name?: HostString;
}

/** The routes by which a console claims the host for its isolation by routes: that which there can be only once, and whose marks are there. */
export interface RouteClaim {
  held: boolean;
  marks: number[];
}

/** An isolation by routing rules that stands on the host, in one family, and the commands that take it away. */
export interface FoundRoutes {
  kind: 4 | 6;
  table: number;
  /** Its metric, which says whose it is. */
  mark: number;
  allowed: string[];
  revert: string;
}

/** The chain by which a console claims the host for its isolation by iptables: `nonce` is whose, where it is a claim of ours. Root can forge it. */
export interface FoundClaim {
  variant: string;
  kind: 4 | 6;
  nonce?: string;
}

/** The tables of an isolation that is already on the host, as its own comment tells it. Root on the host can forge all of it. */
export interface ExistingIsolation {
  inet: boolean;
  netdev: boolean;
  /** The guard's tables are there, so a process of ours owns them. */
  guard: boolean;
  iptables: { variant: string; nonce: string }[];
  routes: FoundRoutes[];
  /** Pids of consoles' watches on the host, which would put back what is taken away. */
  watches: number[];
  analyst?: string;
  session?: string;
  since?: string;
  nonce?: string;
  allowed: string[];
}

/** What isolation may touch, as text that can be compared: counters, lifetimes and dates are left out. Missing: it could not be read. */
export type NetworkState = Partial<Record<"nft" | "iptables" | "rules" | "routes" | "addresses", string>>;

export interface Route {
  device: string;
  /** The next hop, where the address is not on the wire itself. */
  via?: string;
  /** Name or number of the routing table that leads there, where it is not the main one. */
  table?: string;
}

/** What a plan of isolation rests on. Plain data: whoever has it can plan again. */
export interface HostFacts {
  root: boolean;
  kernel: string;
  /** Name of process 1. */
  init: string;
  tools: string[];
  /** Path of nft, and what it says of its version; undefined where there is none. */
  nft?: { path: string; version: string };
  interfaces: Interface[];
  addresses: HostAddress[];
  /** The TCP connection that carries the console, as the host's kernel has it. */
  ours?: { client: SocketAddress; server: SocketAddress };
  connections: LiveConnection[];
  /** Lines about connections that could not be decoded. */
  undecodable: number;
  /** `nft list ruleset`; undefined where it could not be read, and then `rulesetError` says what came back. */
  ruleset?: string;
  rulesetError?: HostString;
  isolation?: ExistingIsolation;
  claims: FoundClaim[];
  /** Files of isolations that stand again after a reboot; there may be some although the host is not isolated now. */
  onDisk: FoundFiles[];
  /** The folder of an administrator's units, and the kind of file system that it is on. */
  units: { state: "writable" | "read-only" | "missing" | "link"; fileSystem: string };
  /** The kernel speaks IPv6. */
  ipv6: boolean;
  /** `ip rule` and `ip -6 rule`; undefined where they could not be read. */
  rules4?: string;
  rules6?: string;
  /** Routing tables in use, of those that could become a black hole of ours. */
  tables: number[];
  routeClaim: RouteClaim;
  /** ip is busybox's: it lists less, and knows no batch. */
  busyboxIp: boolean;
  /** The ruleset, routes and addresses as they are, for a release to be held against. */
  state: NetworkState;
  /** Kernel modules that were loaded by looking. */
  modulesLoaded: string[];
  networkMounts: HostString[];
  /** What the processes call themselves, each name once; the maker of the machine (DMI), where it says so. */
  names: HostString[];
  vendor: HostString;
  /** TCP ports that something listens on. */
  listening: number[];
  /** File system of the root, and whether iSCSI sessions are open. */
  rootType: string;
  iscsi: boolean;
  packetSockets: number;
  xdpSockets: number;
  /** How the host reaches each analyst; an address with no entry has no route. */
  routes: Record<string, Route>;
}
