import type { IsolationPlan } from "./plan.ts";

/** What to ask the customer's network team for: the same cut from outside, where root on the host cannot undo it. */
export function networkBlock(plan: Pick<IsolationPlan, "own" | "allowed" | "port" | "servers">): string[] {
  const hosts = plan.own.filter((ip) => !ip.startsWith("fe80:"));
  return [
    `Please isolate ${hosts.join(", ")} at the network (security group, VLAN or firewall), both directions, IPv4 and IPv6:`,
    ...plan.allowed.map((ip) => `allow tcp from ${ip} to port ${plan.port} of the host, and its replies`),
    ...plan.servers.map(({ ip, port }) => `allow tcp from the host to ${ip} port ${port}, and its replies`),
    "deny everything else from and to the host, DNS, NTP and ICMP included; established connections too",
  ];
}
