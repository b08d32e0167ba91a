import { printable } from "#model/host-string";
import type { BootFiles } from "./boot/files.ts";
import type { HostAddress, HostFacts, LiveConnection } from "./facts/host-facts.ts";
import { planOf } from "./made-by.ts";
import type { Server } from "./methods/method.ts";

/** What an analyst should know before Enter, a sentence each. */
export function notesOf(
  facts: HostFacts,
  { allowed, servers, boot }: { allowed: readonly string[]; servers: readonly Server[]; boot?: BootFiles },
  leased: readonly HostAddress[],
  login: (c: LiveConnection) => boolean,
): string[] {
  const notes: string[] = [];
  const { ours, isolation } = facts;
  if (isolation) {
    notes.push(`Already isolated by ${isolation.analyst ?? "somebody"}, ${planOf(isolation)}: this replaces it.`);
  }
  if (facts.onDisk.length > 0)
    notes.push(
      `On the host's disk are files by which it would be isolated at its next boot (${facts.onDisk.map(({ nonce, analyst }) => `${analyst ?? "somebody"}, ${nonce}`).join("; ")}): this takes them away once the cut stands.`,
    );
  if (boot) {
    notes.push(
      `Once access is proven, two files are written to the host's disk and the unit is enabled: ${boot.unit.path} and ${boot.rules.path}. A release removes them. Without a console, the host's own nft loads the rules at each boot.`,
    );
    if (leased.length > 0)
      notes.push(
        "An address of the host is leased: should a boot bring another one, nobody can log in over the network, and the way back is the host's own console.",
      );
  }
  const others = facts.connections.filter((c) => login(c) && c.remote.port !== ours?.client.port);
  if (others.length > 0) {
    notes.push(
      `${others.length} more ssh connections from allowed addresses survive: an intruder behind the same jump host or NAT would be among them.`,
    );
  }
  for (const address of leased) {
    notes.push(
      `${address.ip} on ${printable(address.interface)} is leased for ${address.validSeconds} s more: renewal by unicast is cut, renewal by broadcast on the wire stays open.`,
    );
  }
  if (facts.networkMounts.length > 0) notes.push(`Network file systems will hang: ${facts.networkMounts.map(printable).join(", ")}.`);
  if (facts.packetSockets > 0)
    notes.push(`${facts.packetSockets} packet sockets are open: they still hear what arrives, only sending is stopped.`);
  if (facts.modulesLoaded.length > 0)
    notes.push(`Reading the ruleset made the kernel load: ${facts.modulesLoaded.map(printable).join(", ")}.`);
  if (!facts.tools.includes("ss"))
    notes.push("No ss: live connections cannot be listed or destroyed; their packets are dropped all the same.");
  if (!facts.tools.includes("timeout")) notes.push("No timeout: a tool that hangs is only noticed by the console's own limit.");
  if (facts.undecodable > 0) notes.push(`${facts.undecodable} lines about connections could not be decoded.`);
  notes.push(
    `${allowed.join(", ")} may log in by ssh; the host answers ARP and neighbour discovery on its wire; DNS is shut; the host itself (lo) stays open.`,
  );
  for (const { ip, port } of servers) notes.push(`Every program of the host, the intruder's too, may still reach ${ip} on port ${port}.`);
  notes.push("Root on the host can undo this: ask the customer's network team for the block as well.");
  return notes;
}
