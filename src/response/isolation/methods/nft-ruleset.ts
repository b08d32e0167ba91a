import { canonical, family, hex, isLinkLocal, solicitedNode } from "../addresses.ts";
import type { MethodInput } from "./method.ts";
import { about } from "./shell-words.ts";

/** Our table's name, in the families inet and netdev. (`fwd` and the like are nft keywords: no chain may be called so.) */
export const TABLE = "stakeout_isolation";
/** The same rules once more, in tables that a living process of ours owns: root's own flush and delete do not reach them. */
export const GUARD = "stakeout_guard";

export interface RulesetInput extends Omit<MethodInput, "routes" | "existing"> {
  /** Interfaces to hook in netdev; none for the inet table alone. Names that nft can quote. */
  devices: readonly string[];
}

const COUNTERS = ["in", "out"].flatMap((way) => ["analysts", "neighbours", "servers", "dropped"].map((what) => `${way}_${what}`));

interface Rule {
  match: string;
  counter: "analysts" | "neighbours" | "servers";
  /** ARP never reaches an inet hook. */
  netdevOnly?: boolean;
}

/**
 * The transaction for `nft -f -`: all of it is applied, or nothing. `replaces` are our tables that are on the host already: `create`
 * fails where one has appeared since the plan was made, `delete` where one has gone, so two consoles cannot overwrite each other unseen.
 */
export function ruleset(input: RulesetInput, replaces: { inet: boolean; netdev: boolean }): string {
  const fresh = (kind: "inet" | "netdev") => `${replaces[kind] ? `delete table ${kind} ${TABLE}\n` : ""}create table ${kind} ${TABLE}\n`;
  const removed = input.devices.length === 0 && replaces.netdev ? `delete table netdev ${TABLE}\n` : "";
  const netdev = input.devices.length > 0;
  return `${fresh("inet")}${netdev ? fresh("netdev") : removed}${tables(input)}`;
}

/** The tables alone, whole: under our name, or as the guard, whose hooks come just behind. */
export function tables(input: RulesetInput, name = TABLE): string {
  return inetTable(input, name) + (input.devices.length > 0 ? netdevTable(input, name) : "");
}

/** One table as a transaction that puts it there whole, whether or not something of it is left. */
export function replaced(input: RulesetInput, kind: "inet" | "netdev"): string {
  const table = `table ${kind} ${TABLE}`;
  return `${table}\ndelete ${table}\n${kind === "inet" ? inetTable(input, TABLE) : netdevTable(input, TABLE)}`;
}

function inetTable(input: RulesetInput, name: string): string {
  const first = name === GUARD ? -399 : -400;
  const into = incoming(input).filter((rule) => !rule.netdevOnly);
  const out = outgoing(input).filter((rule) => !rule.netdevOnly);
  return table(
    "inet",
    name,
    input,
    [...COUNTERS, "forward_dropped"],
    [
      chain("about", "", [`return comment "${about(input)}"`]),
      chain("incoming", `hook prerouting priority ${first}`, ['iif "lo" accept', ...into.map(counted("in")), drop("in_dropped")]),
      chain("outgoing", `hook output priority ${first}`, ['oif "lo" accept', ...out.map(counted("out")), drop("out_dropped")]),
      chain("forwarded", `hook forward priority ${first}`, [drop("forward_dropped")]),
      chain("leaving", `hook postrouting priority ${-first}`, [
        'oif "lo" accept',
        ...out.map((rule) => `${rule.match} accept`),
        drop("out_dropped"),
      ]),
    ],
  );
}

function netdevTable(input: RulesetInput, name: string): string {
  const first = name === GUARD ? -399 : -400;
  const devices = `devices = { ${input.devices.map((name) => `"${name}"`).join(", ")} }`;
  return table("netdev", name, input, COUNTERS, [
    chain("entering", `hook ingress ${devices} priority ${first}`, [...incoming(input).map(counted("in")), drop("in_dropped")]),
    chain("exiting", `hook egress ${devices} priority ${first}`, [...outgoing(input).map(counted("out")), drop("out_dropped")]),
  ]);
}

const counted = (way: "in" | "out") => (rule: Rule) => `${rule.match} counter name "${way}_${rule.counter}" accept`;
const drop = (counter: string) => `counter name "${counter}" drop`;

function table(kind: string, name: string, input: RulesetInput, counters: string[], chains: string[]): string {
  const sets = [
    set("analysts4", "ipv4_addr", of(4, input.allowed)),
    set("analysts6", "ipv6_addr", of(6, input.allowed)),
    set("own4", "ipv4_addr", of(4, input.own)),
    set("own6", "ipv6_addr", of(6, input.own)),
  ];
  return `table ${kind} ${name} {\n${name === GUARD ? "  flags owner\n" : ""}${counters.map((name) => `  counter ${name} { }\n`).join("")}${sets.join("")}${chains.join("")}}\n`;
}

function set(name: string, type: string, elements: readonly string[]): string {
  const listed = elements.length > 0 ? ` elements = { ${elements.join(", ")} };` : "";
  return `  set ${name} { type ${type};${listed} }\n`;
}

function chain(name: string, hook: string, rules: readonly string[]): string {
  const head = hook === "" ? "" : `    type filter ${hook}; policy drop;\n`;
  return `  chain ${name} {\n${head}${rules.map((rule) => `    ${rule}\n`).join("")}  }\n`;
}

/** Only logins to our sshd, what keeps the wire below them alive, and errors that quote a packet of such a login. */
function incoming(input: RulesetInput): Rule[] {
  const rules: Rule[] = [];
  if (of(4, input.allowed).length > 0) {
    rules.push({ match: `ip saddr @analysts4 ip daddr @own4 tcp dport ${input.port}`, counter: "analysts" });
    rules.push(...quotes(input, 4));
  }
  rules.push(...serverRules(input, "in"));
  if (of(4, peers(input)).length > 0) {
    const own = literal(of(4, input.own));
    // a router may ask from an address that is not the gateway's (VRRP, HSRP): who asks for our own address gets an answer
    rules.push({ match: `arp operation request arp daddr ip ${own}`, counter: "neighbours", netdevOnly: true });
  }
  const hops = of(4, input.nextHops);
  if (hops.length > 0) rules.push({ match: `arp operation reply arp saddr ip ${literal(hops)}`, counter: "neighbours", netdevOnly: true });
  if (of(6, input.allowed).length > 0) {
    rules.push({ match: `ip6 saddr @analysts6 ip6 daddr @own6 tcp dport ${input.port}`, counter: "analysts" });
    rules.push(...quotes(input, 6));
  }
  if (speaksIpv6(input)) {
    const near = literal([...of(6, [...input.nextHops, ...peers(input)]), "fe80::/10"]);
    // hop limit 255 proves that it comes from this wire (RFC 4861, 7.1); router advertisements keep the default route alive
    const kinds = "{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert }";
    rules.push({ match: `ip6 saddr ${near} ip6 hoplimit 255 icmpv6 type ${kinds}`, counter: "neighbours" });
    rules.push({ match: "ip6 saddr fe80::/10 icmpv6 type mld-listener-query", counter: "neighbours" });
  }
  if (input.leased.v4) rules.push({ match: "udp sport 67 udp dport 68", counter: "neighbours" });
  if (input.leased.v6) rules.push({ match: "ip6 saddr fe80::/10 udp sport 547 udp dport 546", counter: "neighbours" });
  return rules;
}

/** An ARP frame is 42 bytes, 60 when padded (RFC 826): a longer one carries something else. */
const SHORT = "meta length <= 64";

/** An analyst over IPv6, or an IPv4 route whose gateway has an IPv6 address (RFC 5549). */
function speaksIpv6(input: RulesetInput): boolean {
  return of(6, [...peers(input), ...input.nextHops]).length > 0;
}

/** Whoever may exchange packets with the host. */
function peers(input: RulesetInput): string[] {
  return [...input.allowed, ...input.servers.map((server) => server.ip)];
}

/** Connections that the host opens to a server of ours, and their replies. */
function serverRules(input: RulesetInput, way: "in" | "out"): Rule[] {
  return input.servers.map(({ ip, port }) => {
    const [kind, own] = family(ip) === 4 ? ["ip", "@own4"] : ["ip6", "@own6"];
    const match =
      way === "in"
        ? `${kind} saddr ${ip} ${kind} daddr ${own} tcp sport ${port}`
        : `${kind} saddr ${own} ${kind} daddr ${ip} tcp dport ${port}`;
    return { match, counter: "servers" as const };
  });
}

function outgoing(input: RulesetInput): Rule[] {
  const rules: Rule[] = [];
  if (of(4, input.allowed).length > 0) {
    rules.push({ match: `ip saddr @own4 ip daddr @analysts4 tcp sport ${input.port}`, counter: "analysts" });
  }
  rules.push(...serverRules(input, "out"));
  if (of(4, peers(input)).length > 0) {
    const own = literal(of(4, input.own));
    rules.push({ match: `${SHORT} arp operation reply arp saddr ip ${own}`, counter: "neighbours", netdevOnly: true });
  }
  const asked = of(4, input.nextHops);
  if (asked.length > 0)
    rules.push({ match: `${SHORT} arp operation request arp daddr ip ${literal(asked)}`, counter: "neighbours", netdevOnly: true });
  if (of(6, input.allowed).length > 0) {
    rules.push({ match: `ip6 saddr @own6 ip6 daddr @analysts6 tcp sport ${input.port}`, counter: "analysts" });
  }
  if (speaksIpv6(input)) {
    const hops = of(6, input.nextHops);
    const near = literal([...hops, ...of(6, peers(input)), "fe80::/10"]);
    const solicited = literal([...hops, ...hops.map(solicitedNode)]);
    if (hops.length > 0)
      rules.push({ match: `ip6 daddr ${solicited} ip6 hoplimit 255 icmpv6 type nd-neighbor-solicit`, counter: "neighbours" });
    rules.push({ match: `ip6 daddr ${near} ip6 hoplimit 255 icmpv6 type nd-neighbor-advert`, counter: "neighbours" });
    // switches that snoop forget us without reports, and then drop the neighbours' questions (RFC 4541)
    rules.push({ match: "ip6 daddr ff02::16 icmpv6 type mld2-listener-report", counter: "neighbours" });
  }
  // the broadcast ends at the wire: no address of the intruder can be reached by it
  if (input.leased.v4) rules.push({ match: "ip daddr 255.255.255.255 udp sport 68 udp dport 67", counter: "neighbours" });
  if (input.leased.v6) rules.push({ match: "ip6 daddr ff02::1:2 udp sport 546 udp dport 547", counter: "neighbours" });
  return rules;
}

/**
 * 'Packet too big' from any router, but only where it quotes a packet of one of our logins: without it a path with a smaller MTU
 * would hang them. The quoted header follows the 8 bytes of ICMP (RFC 792, RFC 4443); `@th` counts in bits.
 */
function quotes(input: RulesetInput, kind: 4 | 6): Rule[] {
  const pairs = of(kind, input.allowed).flatMap((peer) =>
    of(kind, input.own)
      .filter((ip) => !isLinkLocal(ip) || isLinkLocal(peer))
      .map((ip) => ({ peer, ip })),
  );
  return pairs.slice(0, 64).map(({ peer, ip }) => ({
    match:
      kind === 4
        ? `icmp type destination-unreachable icmp code frag-needed @th,136,8 6 @th,160,32 ${hex(ip)} @th,192,32 ${hex(peer)} @th,224,16 ${input.port}`
        : `icmpv6 type packet-too-big @th,112,8 6 @th,128,128 ${hex(ip)} @th,256,128 ${hex(peer)} @th,384,16 ${input.port}`,
    counter: "analysts" as const,
  }));
}

function of(kind: 4 | 6, addresses: readonly string[]): string[] {
  return [...new Set(addresses)].filter((ip) => family(ip) === kind);
}

/** An anonymous set; each element once, since nft refuses intervals that overlap. */
function literal(elements: readonly string[]): string {
  const covered = elements.includes("fe80::/10");
  return `{ ${[...new Set(elements)].filter((e) => !covered || e.includes("/") || !isLinkLocal(e)).join(", ")} }`;
}

/** Whom our inet table lets in, as nft lists it. */
export function admits(inet: string): string[] {
  return ["analysts4", "analysts6"].flatMap((name) => {
    const elements = new RegExp(`set ${name} \\{[^}]*?elements = \\{([^}]*)\\}`).exec(inet)?.[1] ?? "";
    return elements
      .split(",")
      .map((e) => canonical(e.trim()))
      .filter((e) => e !== undefined);
  });
}
