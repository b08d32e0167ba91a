import * as fc from "fast-check";
import type { HostString } from "#model/host-string";
import { canonical, family } from "../isolation/addresses.ts";
import type { HostFacts, Interface } from "../isolation/facts/host-facts.ts";
import type { IsolationRequest } from "../isolation/plan.ts";

const host = (text: string) => text as HostString;

export const REQUEST: IsolationRequest = {
  analyst: "jm",
  session: "2026-11-24-devbox",
  partners: [],
  deadManSeconds: 60,
  nonce: "0123456789ab",
  since: "2026-11-24T21:04:11Z",
};

export const ETH0: Interface = { name: host("eth0"), index: 2, state: "up", mac: "02:77:00:00:00:0b", type: 1, kind: "", lower: [] };

const IPTABLES = ["iptables", "iptables-nft", "iptables-legacy"].flatMap((v) =>
  [v, v.replace("ip", "ip6")].flatMap((name) => [`${name}-restore`, `${name}-save`]),
);

/** A plain host: one interface, one analyst behind a gateway, nothing unusual. */
export function facts(more: Partial<HostFacts> = {}): HostFacts {
  return {
    root: true,
    kernel: "6.1.0",
    init: "init",
    tools: ["nft", "ss", "ip", "setsid", "timeout", "sleep", "grep", ...IPTABLES],
    nft: { path: "/usr/sbin/nft", version: "nftables v1.0.6" },
    interfaces: [ETH0],
    addresses: [{ interface: host("eth0"), ip: "10.0.0.5", dynamic: false }],
    ours: { client: { ip: "192.0.2.9", port: 50_000 }, server: { ip: "10.0.0.5", port: 22 } },
    connections: [],
    undecodable: 0,
    ruleset: "",
    claims: [],
    onDisk: [],
    units: { state: "writable", fileSystem: "ext4" },
    modulesLoaded: [],
    networkMounts: [],
    names: [],
    vendor: host(""),
    listening: [22],
    rootType: "ext4",
    iscsi: false,
    packetSockets: 0,
    xdpSockets: 0,
    ipv6: true,
    rules4: "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n",
    rules6: "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n",
    tables: [],
    routeClaim: { held: false, marks: [] },
    busyboxIp: false,
    state: {},
    routes: { "192.0.2.9": { device: "eth0", via: "10.0.0.1" } },
    ...more,
  };
}

const v4 = fc.ipV4().map((ip) => canonical(ip) as string);
const v6 = fc
  .ipV6()
  .map((ip) => canonical(ip))
  .filter((ip) => ip !== undefined);
/** The odd ones stand by themselves: by chance alone they come once in many runs, and each has led into a plan of its own. */
const odd = fc.constantFrom("127.0.0.1", "::1", "0.0.0.0", "::", "255.255.255.255", "fe80::1", "224.0.0.1", "ff02::1");
const address = fc.oneof({ weight: 8, arbitrary: v4 }, { weight: 8, arbitrary: v6 }, { weight: 1, arbitrary: odd });
/** Whatever the kernel takes as a name: no blank, no '/', no ':'. */
const name = fc.oneof(
  fc.constantFrom("eth0", "ens3", "bond0", "eth0.5", "wg0", 'a"b', "x;}y", "e*", "$(id)", "\u001b[2J"),
  fc.string({ minLength: 1, maxLength: 15 }).filter((n) => !/[\s/:]/.test(n) && n !== "." && n !== ".."),
);

/** Facts of every kind of host, sane ones and odd ones, with a request for partners. */
export const anyCase: fc.Arbitrary<{ facts: HostFacts; request: IsolationRequest }> = fc
  .record({
    client: address,
    server: address,
    port: fc.constantFrom(22, 2222, 65_535),
    partners: fc.array(address, { maxLength: 3 }),
    own: fc.array(fc.record({ ip: address, dynamic: fc.boolean() }), { maxLength: 4 }),
    names: fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
    kind: fc.constantFrom("", "", "", "vlan", "bond", "bridge", "wireguard", "tun", "vxlan"),
    onLink: fc.boolean(),
    routed: fc.boolean(),
    systemd: fc.boolean(),
    isolated: fc.option(fc.record({ inet: fc.boolean(), netdev: fc.boolean(), allowed: fc.array(address, { maxLength: 2 }) }), {
      nil: undefined,
    }),
    text: fc.string({ maxLength: 60 }),
    servers: fc.array(fc.record({ ip: address, port: fc.integer({ min: 1, max: 65_535 }) }), { maxLength: 2 }),
    table: fc.constantFrom(undefined, undefined, "mgmt", "100"),
    nics: fc.constantFrom(1, 3),
  })
  .map((c) => {
    const device = c.names[0] as string;
    const other = (c.nics > 1 ? (c.names[1] ?? device) : device) as string;
    const kept = c.isolated?.allowed ?? [];
    const peers = [c.client, ...c.partners, ...c.servers.map((s) => s.ip), ...kept].filter((_, i) => c.routed || i === 0);
    const gateway = (ip: string) => (family(ip) === 4 ? "10.0.0.1" : "fe80::1");
    const routes = Object.fromEntries(
      peers.map((ip, i) => [
        ip,
        { device: i % 2 === 0 ? device : other, ...(c.onLink ? {} : { via: gateway(ip) }), ...(c.table ? { table: c.table } : {}) },
      ]),
    );
    const made = facts({
      ours: { client: { ip: c.client, port: 50_000 }, server: { ip: c.server, port: c.port } },
      interfaces: [
        { ...ETH0, name: host("lo"), type: 772 },
        ...c.names.map((n, i) => ({ ...ETH0, name: host(n), index: i + 2, kind: i === 0 ? c.kind : "" })),
      ],
      addresses: c.own.map((a) => ({ interface: host(device), ...a, validSeconds: 60 })),
      routes,
      init: c.systemd ? "systemd" : "init",
      tools: [...facts().tools, ...(c.systemd ? ["systemd-run", "systemctl"] : [])],
      ...(c.isolated ? { isolation: { guard: false, iptables: [], routes: [], watches: [], ...c.isolated } } : {}),
    });
    return { facts: made, request: { ...REQUEST, partners: c.partners, servers: c.servers, analyst: c.text, session: c.text } };
  });
