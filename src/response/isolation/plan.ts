import { createHash } from "node:crypto";
import { printable } from "#model/host-string";
import type { Keeps } from "#model/measure";
import { canonical, family, isLoopback } from "./addresses.ts";
import { type BootFiles, bootFiles } from "./boot/files.ts";
import { bootObstacle } from "./boot/obstacle.ts";
import { removeByHand } from "./boot/script.ts";
import { LEASE_SECONDS } from "./enter/lease.ts";
import { enterScript } from "./enter/script.ts";
import type { HostFacts, LiveConnection } from "./facts/host-facts.ts";
import { type Guard, guardOf } from "./guard.ts";
import type { BuiltMethod, Method, MethodInput, Server } from "./methods/method.ts";
import { rulesetInput } from "./methods/nft.ts";
import { notesOf } from "./notes.ts";
import { NETWORK, obstacle, ownAddresses } from "./obstacles.ts";
import { ResponseRefused } from "./refused.ts";

export interface IsolationRequest {
  analyst: string;
  session: string;
  /** Further addresses that may log in, as the host sees them. */
  partners: readonly string[];
  /** Servers that the host may still open connections to, by number. */
  servers?: readonly Server[];
  deadManSeconds: number;
  /** 12 hexadecimal digits: marks the tables and the dead man of this plan. */
  nonce: string;
  /** RFC 3339, our clock. */
  since: string;
  /** What becomes of it when the console vanishes once it was proven; it stays where nothing is said. */
  keeps?: Keeps;
  /** How long a host that reverts waits without having heard from us; {@link LEASE_SECONDS} where nothing is said. */
  leaseSeconds?: number;
}

export const WITHOUT_BOOT = "Isolate it without that choice: then it ends with a reboot.";

/** What the rules that a boot loads cannot stop. */
const BOOT_LEAKS = [
  "raw frames (AF_PACKET) and ARP after a reboot, until a console is back and hooks the interfaces again; IP is dropped from before the network is set up",
  "what is sent before systemd loads the rules: by the initial RAM disk, where that sets up a network, or by what was put into the boot itself; and at the end of a shutdown, where a firewall's service flushes its rules",
];

export interface IsolationPlan extends BuiltMethod {
  kind: "isolate";
  method: string;
  /** Exactly what runs on the host. */
  script: string;
  sha256: string;
  undo: string;
  nonce: string;
  guard?: Guard;
  /** timeout(1) is there. */
  timeout: boolean;
  /** Who keeps watch on the host is asked of systemd first. */
  systemd: boolean;
  port: number;
  own: string[];
  allowed: string[];
  servers: Server[];
  dies: LiveConnection[];
  survives: LiveConnection[];
  notes: string[];
  deadManSeconds: number;
  keeps: Keeps;
  /** What goes to the host's disk once it is proven; of one that stands through a reboot alone. */
  boot?: BootFiles;
  /** What it was made from: for a plan that follows the host. */
  request: IsolationRequest;
}

/**
 * From facts to a plan, with no clock and no I/O: the same facts and request give the same bytes. Every allowed address keeps its
 * way to our sshd, or the plan is refused with the reason.
 */
export function planIsolation(facts: HostFacts, request: IsolationRequest, method: Method): IsolationPlan | ResponseRefused {
  const refused = obstacle(facts, request);
  if (refused) return refused;
  const { ours, isolation } = facts;
  if (!ours) return new ResponseRefused("The facts are not whole.", "Collect them again.");
  const partners = request.partners.map(canonical).filter((ip) => ip !== undefined);
  // analysts whom an earlier isolation let in stay in: a second console must not lock out the first
  const own = ownAddresses(facts);
  const kept = (isolation?.allowed ?? []).filter((ip) => facts.routes[ip] !== undefined && own.some((mine) => family(mine) === family(ip)));
  const allowed = [...new Set([ours.client.ip, ...partners, ...kept])];
  const servers = (request.servers ?? []).map(({ ip, port }) => ({ ip: canonical(ip) as string, port }));
  const leased = facts.addresses.filter((a) => a.dynamic && own.includes(a.ip));
  const input: MethodInput = {
    nonce: request.nonce,
    analyst: request.analyst,
    session: request.session,
    since: request.since,
    port: ours.server.port,
    allowed,
    own,
    servers,
    nextHops: [...new Set([...allowed, ...servers.map((s) => s.ip)])].map((ip) => facts.routes[ip]?.via ?? ip),
    leased: { v4: leased.some((a) => family(a.ip) === 4), v6: leased.some((a) => family(a.ip) === 6) },
    routes: facts.routes,
    ...(isolation ? { existing: isolation } : {}),
  };
  const unusable = method.unusable(facts, input);
  if (unusable !== undefined) return new ResponseRefused(`The method '${method.id}' cannot be used: ${unusable}.`, NETWORK);
  const through = request.keeps === "boot" ? bootObstacle(facts, method.id) : undefined;
  if (through !== undefined) return new ResponseRefused(`It could not stand through a reboot: ${through}.`, WITHOUT_BOOT);
  const built = method.build(input, facts);
  const guard = guardOf(input, facts, method.id);
  const timeout = facts.tools.includes("timeout");
  const boot = request.keeps === "boot" && facts.nft ? bootFiles(rulesetInput(input, facts, false), facts.nft.path, timeout) : undefined;
  const systemd = facts.init === "systemd" && facts.tools.includes("systemd-run") && facts.tools.includes("systemctl");
  const script = enterScript({
    ...built,
    nonce: request.nonce,
    deadManSeconds: request.deadManSeconds,
    systemd,
    timeout,
    guarded: isolation?.guard ?? false,
    replaces: isolation !== undefined,
    watched: (isolation?.watches.length ?? 0) > 0,
    ...(request.keeps === "reverts" ? { leaseSeconds: request.leaseSeconds ?? LEASE_SECONDS } : {}),
    ...(guard ? { guard } : {}),
    ...(boot ? { boot } : {}),
    onDisk: facts.onDisk.map(({ nonce }) => nonce),
    ...(facts.tools.includes("ss") ? { sockets: socketFilter(own, allowed, ours.server.port, servers) } : {}),
  });
  const stays = survivor({ allowed, port: ours.server.port, own, servers });
  return {
    ...built,
    kind: "isolate",
    method: method.id,
    script,
    sha256: createHash("sha256").update(script).digest("hex"),
    undo: boot ? `${built.revert}; ${removeByHand(boot)}` : built.revert,
    nonce: request.nonce,
    ...(guard ? { guard } : {}),
    ...(boot ? { boot } : {}),
    leaks: boot ? [...built.leaks, ...BOOT_LEAKS] : built.leaks,
    timeout,
    systemd,
    port: ours.server.port,
    own,
    allowed,
    servers,
    dies: facts.connections.filter((c) => !stays(c)),
    survives: facts.connections.filter(stays),
    notes: notesOf(facts, { allowed, servers, ...(boot ? { boot } : {}) }, leased, isLogin(allowed, ours.server.port)),
    deadManSeconds: request.deadManSeconds,
    keeps: request.keeps ?? "stays",
    request,
  };
}

/** Is this connection left alone: an analyst's login, to a server that is let through, or within the host? */
export function survivor(plan: Pick<IsolationPlan, "allowed" | "port" | "own" | "servers">) {
  const [login, inside] = [isLogin(plan.allowed, plan.port), isInside(plan.own)];
  const served = (c: Pick<LiveConnection, "remote" | "transport">) =>
    c.transport === "tcp" && plan.servers.some((s) => s.ip === c.remote.ip && s.port === c.remote.port);
  return (c: Pick<LiveConnection, "local" | "remote" | "transport">) => login(c) || inside(c) || served(c);
}

/** Is this a login of somebody who is allowed? */
function isLogin(allowed: readonly string[], port: number) {
  return (c: Pick<LiveConnection, "local" | "remote" | "transport">) =>
    c.transport === "tcp" && c.local.port === port && allowed.includes(c.remote.ip);
}

/** Does this connection stay inside the host? The kernel sends what is for its own addresses over lo, which stays open. */
function isInside(own: readonly string[]) {
  return (c: Pick<LiveConnection, "remote">) => isLoopback(c.remote.ip) || own.includes(c.remote.ip);
}

/** Words for a dialog: `203.0.113.66:443 tcp, sshd (812)`. */
export function describeConnection(c: LiveConnection): string {
  const owner = c.pid === undefined ? "" : `, ${printable(c.name ?? "")} (${c.pid})`;
  return `${family(c.remote.ip) === 6 ? `[${c.remote.ip}]` : c.remote.ip}:${c.remote.port} ${c.transport}${owner}`;
}

/** All connected sockets but those to the host itself and the analysts' logins, in the grammar of ss(8). */
function socketFilter(own: readonly string[], allowed: readonly string[], port: number, servers: readonly Server[]): string {
  const at = (ip: string) => (family(ip) === 6 ? `[${ip}]` : ip);
  const inside = own.filter((ip) => canonical(ip) === ip).map((ip) => `dst ${at(ip)}`);
  const logins = allowed.map((ip) => `( sport = :${port} and dst ${at(ip)} )`);
  const served = servers.map((s) => `( dport = :${s.port} and dst ${at(s.ip)} )`);
  return `not ( dst 127.0.0.0/8 or dst [::1] or ${[...inside, ...logins, ...served].join(" or ")} )`;
}
