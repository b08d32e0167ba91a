import { decodeHostBytes, type HostString } from "#model/host-string";
import type { SocketAddress } from "#model/observation";
import { canonical, fromProcNet, fromSs } from "../addresses.ts";
import { parseFiles } from "../boot/found.ts";
import { VARIANTS } from "../methods/iptables.ts";
import { chainsIn, claimIn } from "../methods/iptables-rules.ts";
import { admits, GUARD, TABLE } from "../methods/nft-ruleset.ts";
import { claimsIn, marksIn, routesIn, tablesIn } from "../methods/routes-rules.ts";
import { readAbout } from "../methods/shell-words.ts";
import type { ExistingIsolation, HostAddress, HostFacts, Interface, LiveConnection, Route } from "./host-facts.ts";
import { parseState } from "./state.ts";

/** More than this of one kind is not a host, it is an attack on us. */
const MOST = 4096;

/**
 * The sections of a collector's answer. `text` is latin1, one character a byte. A section that comes twice keeps its first
 * form; what stands before the first is ignored.
 */
export function sections(text: string, nonce: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of text.split(`\n${nonce} `).slice(1)) {
    const end = part.indexOf("\n");
    const name = end < 0 ? part : part.slice(0, end);
    if (!found.has(name)) found.set(name, end < 0 ? "" : part.slice(end + 1));
  }
  return found;
}

/** Facts from the collector's answer (latin1); unreadable parts are left out, so that the planner refuses rather than guesses. */
export function parseFacts(text: string, nonce: string): HostFacts {
  const section = sections(text, nonce);
  const get = (name: string) => section.get(name) ?? "";
  const word = (name: string) => get(name).trim().slice(0, 256);
  const before = new Set(lines(get("modules")));
  const interfaces = lines(get("interfaces"))
    .map(parseInterface)
    .filter((i) => i !== undefined);
  const ss = lines(get("connections")).map(parseConnection);
  const path = word("nft");
  const readable = word("ruleset-code") === "0" && looksLikeRuleset(get("ruleset"));
  const isolation = parseIsolation((name) => section.get(name) ?? "");
  const ours = ourConnection(section);
  return {
    root: word("uid") === "0",
    kernel: word("kernel"),
    init: word("init"),
    tools: lines(get("tools")),
    ...(/^\/[\w./-]+$/.test(path) ? { nft: { path, version: word("version").split("\n")[0] ?? "" } } : {}),
    interfaces,
    addresses: lines(get("addresses"))
      .map(parseAddress)
      .filter((a) => a !== undefined),
    ...(ours ? { ours } : {}),
    connections: ss.filter((c) => c !== undefined),
    undecodable: ss.filter((c) => c === undefined).length,
    ...(readable ? { ruleset: get("ruleset") } : { rulesetError: host(get("ruleset").slice(0, 500)) }),
    ...(isolation ? { isolation } : {}),
    claims: saved((name) => section.get(name) ?? "").flatMap(({ variant, kind, text }) => {
      const claim = claimIn(text);
      return claim ? [{ variant, kind, ...claim }] : [];
    }),
    onDisk: parseFiles(get("boot")),
    units: parseUnits(get("units")),
    modulesLoaded: lines(get("modules-after")).filter((m) => !before.has(m)),
    networkMounts: lines(get("mounts")).map(host),
    names: lines(get("names")).map((name) => host(name.slice(0, 64))),
    vendor: host(get("vendor").trim().slice(0, 64)),
    listening: [...listeningPorts(get("listening"))],
    rootType: get("root").trim().split("\n").at(-1)?.slice(0, 32) ?? "",
    iscsi: get("iscsi").trim() !== "",
    // /proc/net/packet starts with a line of headings
    packetSockets: Math.max(0, (Number.parseInt(word("packets"), 10) || 0) - 1),
    xdpSockets: Number.parseInt(word("xdp"), 10) || 0,
    routes: {},
    ipv6: word("ipv6") === "yes",
    ...(get("rules4").trim() === "" ? {} : { rules4: get("rules4") }),
    ...(get("rules6").trim() === "" ? {} : { rules6: get("rules6") }),
    tables: tablesIn(get("tables-named"), get("rules4"), get("rules6"), get("state-routes")),
    routeClaim: claimsIn(get("claims")),
    busyboxIp: /^BusyBox /m.test(get("ip")),
    state: parseState((name) => section.get(name)),
  };
}

/** `10.0.0.9 from 10.0.0.5 via 10.0.0.1 dev eth0 ...` of ip-route(8), for each peer. */
export function parseRoutes(text: string, nonce: string, peers: readonly string[]): Record<string, Route> {
  const section = sections(text, nonce);
  const routes: Record<string, Route> = {};
  for (const peer of peers) {
    const words = (section.get(peer) ?? "").trim().split(/\s+/);
    if (canonical(words[0] ?? "") !== peer) continue; // unreachable, blackhole, prohibit, or nothing
    const after = (key: string) => (words.indexOf(key) > 0 ? words[words.indexOf(key) + 1] : undefined);
    const device = after("dev");
    // `via inet6 fe80::1` is an IPv4 route with an IPv6 next hop (RFC 5549): the hop is the word after
    const raw = after("via") === "inet6" ? after("inet6") : after("via");
    const via = canonical(raw ?? "");
    if (device !== undefined && (raw === undefined || via !== undefined))
      routes[peer] = { device, ...(via ? { via } : {}), ...tableOf(after("table")) };
  }
  return routes;
}

/** One line of `ss -Htunp`. The users part holds names that the processes chose, so it is read with no trust in its quotes. */
export function parseConnection(line: string): LiveConnection | undefined {
  const match = /^(tcp|udp)\s+([A-Z0-9-]+)\s+\d+\s+\d+\s+(\S+)\s+(\S+)\s*(.*)$/.exec(line);
  if (!match) return undefined;
  const local = fromSs(match[3] as string);
  const remote = fromSs(match[4] as string);
  if (!local || !remote) return undefined;
  const owner = /^users:\(\("(.{0,64}?)",pid=(\d{1,10}),fd=/.exec(match[5] as string);
  return {
    transport: match[1] as "tcp" | "udp",
    state: match[2] as string,
    local,
    remote,
    ...(owner ? { name: host(owner[1] as string), pid: Number(owner[2]) } : {}),
  };
}

/**
 * Which connection carries the console. SSH_CONNECTION is gone behind sudo and a clean environment, so the sockets of our own
 * sshd ancestors tell: the lowest descriptor that is established on a port somebody listens on (port forwards have others).
 */
function ourConnection(section: Map<string, string>): HostFacts["ours"] {
  const established = new Map<string, { local: SocketAddress; remote: SocketAddress }>();
  for (const line of lines(section.get("established") ?? "")) {
    const words = line.trim().split(/\s+/);
    const local = fromProcNet(words[1] ?? "");
    const remote = fromProcNet(words[2] ?? "");
    if (local && remote && words[9] !== undefined) established.set(words[9], { local, remote });
  }
  const ports = listeningPorts(section.get("listening") ?? "");
  for (const line of lines(section.get("ancestors") ?? "")) {
    const [, name = "", fds = ""] = line.split("\t");
    if (!/^(sshd|dropbear)/.test(name)) continue;
    const pairs = fds.split(" ").map((pair) => pair.split(":"));
    pairs.sort((a, b) => Number(a[0]) - Number(b[0]));
    for (const [, inode = ""] of pairs) {
      const socket = established.get(inode);
      if (socket && ports.has(socket.local.port)) return { client: socket.remote, server: socket.local };
    }
  }
  const [client = "", clientPort, server = "", serverPort] = (section.get("environment") ?? "").trim().split(" ");
  const from = canonical(client);
  const to = canonical(server);
  const valid = (port: string | undefined) => /^\d{1,5}$/.test(port ?? "") && Number(port) > 0 && Number(port) < 65_536;
  if (!from || !to || !valid(clientPort) || !valid(serverPort)) return undefined;
  return { client: { ip: from, port: Number(clientPort) }, server: { ip: to, port: Number(serverPort) } };
}

/** The lines of /proc/net/tcp and tcp6 in state 0A. */
function listeningPorts(text: string): Set<number> {
  const ports = lines(text).map((line) => fromProcNet(line.trim().split(/\s+/)[1] ?? "")?.port);
  return new Set(ports.filter((port) => port !== undefined));
}

function parseInterface(line: string): Interface | undefined {
  const [name, index, state, mac, type, kind, lower, ...rest] = line.split("\t");
  if (!name || lower === undefined || rest.length > 0 || !/^\d+$/.test(index ?? "") || !/^\d+$/.test(type ?? "")) return undefined;
  return {
    name: host(name),
    index: Number(index),
    state: (state ?? "").slice(0, 32),
    mac: (mac ?? "").slice(0, 64),
    type: Number(type),
    kind: (kind ?? "").slice(0, 32),
    lower: lower.split(" ").filter(Boolean).map(host),
  };
}

/** `2: eth0    inet 10.0.0.5/24 scope global dynamic eth0\       valid_lft 3000sec preferred_lft 3000sec` */
function parseAddress(line: string): HostAddress | undefined {
  const match = /^\d+: (\S+)\s+inet6? ([0-9a-f.:]+)(?: peer \S+|\/\d+)?(.*)$/.exec(line);
  const ip = canonical(match?.[2] ?? "");
  if (!match || !ip) return undefined;
  const valid = /valid_lft (\d+)sec/.exec(match[3] as string)?.[1];
  // a VLAN's name is printed as eth0.5@eth0
  const name = host((match[1] as string).replace(/@[^@]*$/, ""));
  return { interface: name, ip, dynamic: valid !== undefined, ...(valid === undefined ? {} : { validSeconds: Number(valid) }) };
}

/** A name that can stand in a command as it is; a table of any other name is none that a rule of ours may lead to. */
function tableOf(name: string | undefined): { table?: string } {
  return name === undefined || !/^[\w.-]{1,32}$/.test(name) ? {} : { table: name };
}

/** What each iptables-save(8) says of its table raw: those of version 4 first, which have the marks. */
function saved(get: (section: string) => string): { variant: string; kind: 4 | 6; text: string }[] {
  return ([4, 6] as const).flatMap((kind) => VARIANTS.map((variant) => ({ variant, kind, text: get(`raw${kind} ${variant}`) })));
}

/** What of an isolation stands in the kernel, by whatever method it was made. */
function parseIsolation(get: (section: string) => string): ExistingIsolation | undefined {
  const tables = new Set(lines(get("tables")));
  const [inet, netdev, guard] = [`table inet ${TABLE}`, `table netdev ${TABLE}`, `table inet ${GUARD}`].map((name) => tables.has(name)) as [
    boolean,
    boolean,
    boolean,
  ];
  const raws = saved(get).map(({ variant, text }) => ({ variant, found: chainsIn(text) }));
  // a plain `iptables` is one of the other two: what it shows again is not a second isolation
  const seen = new Set<string>();
  const iptables = raws.flatMap(({ variant, found }) =>
    found.filter(({ nonce }) => !seen.has(nonce) && seen.add(nonce)).map(({ nonce }) => ({ variant, nonce })),
  );
  const marks = marksIn(get("holes"));
  const routes = [...routesIn(get("rules4"), 4, marks), ...routesIn(get("rules6"), 6, marks)];
  if (!inet && !netdev && !guard && iptables.length === 0 && routes.length === 0) return undefined;
  const chains = raws.flatMap(({ found }) => found);
  const about = inet ? get("table") : guard ? get("guard") : (chains[0]?.about ?? "");
  const allowed = [
    ...new Set([
      ...admits(get("table")),
      ...admits(get("guard")),
      ...chains.flatMap((c) => c.allowed),
      ...routes.flatMap((r) => r.allowed),
    ]),
  ];
  const watches = lines(get("watches")).map(Number).filter(Number.isSafeInteger);
  return { inet, netdev, guard, iptables, routes, watches, allowed, ...readAbout(about) };
}

/** `writable`, then the kind and the options of the mount that the folder is on. */
function parseUnits(text: string): HostFacts["units"] {
  const [said = "", mount = ""] = text.split("\n");
  const [fileSystem = "", options = ""] = mount.split(" ");
  const state = said === "writable" && options.split(",").includes("ro") ? "read-only" : said;
  const known = state === "writable" || state === "read-only" || state === "link" ? state : "missing";
  return { state: known, fileSystem: fileSystem.slice(0, 32) };
}

/** A ruleset is nothing, or tables: what else comes back was not printed by nft. */
function looksLikeRuleset(text: string): boolean {
  const first = text.trim().split("\n")[0] ?? "";
  return first === "" || /^(table (ip|ip6|inet|arp|bridge|netdev) \S+ \{|# Warning: )/.test(first);
}

function lines(text: string): string[] {
  return text.split("\n").filter(Boolean).slice(0, MOST);
}

function host(latin1: string): HostString {
  return decodeHostBytes(Buffer.from(latin1, "latin1"));
}
