import { type HostString, printable } from "#model/host-string";
import { canonical, family, isLoopback, isOneHost } from "./addresses.ts";
import type { HostFacts, Interface } from "./facts/host-facts.ts";
import type { Server } from "./methods/method.ts";
import { ResponseRefused } from "./refused.ts";

/**
 * Kinds of interface that wrap our packets into others, which the cut would drop: the analysts' own path would die with it. Plain
 * Ethernet, VLAN, bond, bridge, team, macvlan and veth carry them as they are.
 */
const PLAIN = new Set(["", "vlan", "bond", "bridge", "team", "macvlan", "ipvlan", "wlan", "veth", "l3mdev", "vrf"]);

/** ARPHRD_ETHER (include/uapi/linux/if_arp.h): everything else of interest is a tunnel or a serial line. */
const ETHERNET = 1;

export const NETWORK = "Until then, ask the customer's network team for the block.";

/** Where the network reaches the host: the address that this console came to, and all others but loopback's. */
export function ownAddresses({ ours, addresses }: Pick<HostFacts, "ours" | "addresses">): string[] {
  const all = [...(ours ? [ours.server.ip] : []), ...addresses.map((a) => a.ip)];
  return [...new Set(all)].filter((ip) => !isLoopback(ip));
}

/** Why this host cannot be isolated safely, or undefined. The order is that in which an analyst would mend it. */
export function obstacle(
  facts: HostFacts,
  request: { partners: readonly string[]; servers?: readonly Server[]; deadManSeconds: number },
): ResponseRefused | undefined {
  const refuse = (reason: string, remedy: string) => new ResponseRefused(reason, remedy);
  if (!facts.root) return refuse("Isolation needs root on the host.", "Connect as root, or as an account that sudo lets run any command.");
  if (!facts.tools.includes("setsid") || !facts.tools.includes("sleep") || !facts.tools.includes("grep")) {
    return refuse("The host lacks setsid, sleep or grep, so no dead man can be armed.", NETWORK);
  }
  if (!Number.isInteger(request.deadManSeconds) || request.deadManSeconds < 1 || request.deadManSeconds > 3600) {
    return refuse(`A dead man of ${request.deadManSeconds} s makes no sense.`, "Give a whole number of seconds from 1 to 3600.");
  }
  if (!facts.ours) {
    return refuse(
      "The host does not show which connection carries this console, so nobody could be kept in.",
      "Connect by ssh to the host's own sshd.",
    );
  }
  const { client, server } = facts.ours;
  const own = facts.addresses.map((a) => a.ip);
  if (isLoopback(client.ip) || own.includes(client.ip)) {
    return refuse(
      `This console reaches sshd from the host itself (${client.ip}): through an agent or a tunnel that ends there and would be cut.`,
      "Connect to the host's own address over the network.",
    );
  }
  if (isLoopback(server.ip)) {
    return refuse(
      `This console's connection ends at ${server.ip} on the host, so something there redirects it: the cut knows only addresses of the network.`,
      "Connect to the host's own address over the network.",
    );
  }
  const reached = ownAddresses(facts);
  for (const partner of request.partners) {
    if (canonical(partner) === undefined)
      return refuse(`'${printable(partner)}' is not an address.`, "Give a partner by number: names cannot be resolved once DNS is shut.");
  }
  for (const { ip, port } of request.servers ?? []) {
    if (canonical(ip) === undefined || !Number.isInteger(port) || port < 1 || port > 65_535)
      return refuse(
        `'${printable(ip)}:${port}' is not an address and a port.`,
        "Give a server by number: names cannot be resolved once DNS is shut.",
      );
  }
  const wanted = [client.ip, ...request.partners, ...(request.servers ?? []).map((s) => s.ip)].map((ip) => canonical(ip) as string);
  for (const ip of wanted) {
    if (ip !== client.ip && !isOneHost(ip))
      return refuse(`${ip} is not the address of one host.`, "Give that of the one host that is meant.");
    const route = facts.routes[ip];
    if (!route) return refuse(`The host shows no route to ${ip}.`, "Check the address, or leave it out.");
    if (!reached.some((mine) => family(mine) === family(ip))) {
      return refuse(
        `The host has no IPv${family(ip)} address by which ${ip} could reach it.`,
        "Give the partner's other address, or leave it out.",
      );
    }
    const tunnel = tunnelBelow(route.device, facts.interfaces);
    if (tunnel !== undefined) {
      return refuse(
        `The path to ${ip} runs through '${printable(tunnel)}', a tunnel whose outer packets the cut would drop.`,
        "Connect over the host's own network, not through its tunnel.",
      );
    }
  }
  if (redirected(facts.ruleset ?? facts.state.iptables ?? "", own, server.port)) {
    return refuse(
      `A rule of the host redirects connections to its port ${server.port}: the cut comes before it and would not know them.`,
      "Connect to the port that sshd itself listens on.",
    );
  }
  return undefined;
}

/** The first interface under `device` that is no plain link; the device itself where it is not known. */
function tunnelBelow(device: string, interfaces: readonly Interface[]): HostString | undefined {
  const seen = new Set<string>();
  const queue = [device];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const found = interfaces.find((i) => i.name === name);
    if (!found) return name as HostString;
    if (found.type !== ETHERNET || !PLAIN.has(found.kind)) return found.name;
    queue.push(...found.lower);
  }
  return undefined;
}

/** Rules like `redirect to :22` and `dnat to 10.0.0.5:22` with an address of the host; those to containers do not matter. */
function redirected(ruleset: string, own: readonly string[], port: number): boolean {
  const here = own.map((ip) => (ip.includes(":") ? `\\[${ip}\\]` : ip.replaceAll(".", "\\.")));
  return new RegExp(
    `-j REDIRECT --to-ports ${port}\\b|-j DNAT --to-destination (?:${["127\\\\.[0-9.]+", ...here].join("|")}):${port}\\b|\\bredirect to :${port}\\b|\\bdnat (?:ip6? )?to (?:${["127\\.[0-9.]+", ...here].join("|")}):${port}\\b`,
  ).test(ruleset);
}
