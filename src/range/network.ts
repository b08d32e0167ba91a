import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import type { Side } from "./addresses.ts";
import { must, runLocal, until } from "./machine.ts";

const NAMED = "/run/netns";

/**
 * Makes one named network namespace a side, and a router that joins them: a switch for the office, a wire of its own for each side
 * abroad. Links are made straight inside the namespaces (`ip -n`): the machine's own network never sees one of them.
 */
export async function makeNetwork(prefix: string, sides: readonly Side[]): Promise<void> {
  const router = `${prefix}-router`;
  const names = [router, ...sides.map((side) => `${prefix}-${side.role}`)];
  await must(["ip", "-batch", "-"], names.map((name) => `netns add ${name}\n`).join(""));
  const office = sides.find((side) => side.wire === "office") as Side;
  // The switch comes first, so that no two ends of a link have the same index: the kernel would take such a link for a plain one and
  // be up to a second late to notice that it is up (net/core/link_watch.c, linkwatch_urgent_event).
  await must(["ip", "-n", router, "link", "add", "br0", "type", "bridge", "forward_delay", "0", "mcast_snooping", "0"]);
  const lines = ["link set lo up", ...gatewayOn("br0", office)];
  for (const side of sides) {
    const name = `${prefix}-${side.role}`;
    await must(["ip", "-n", name, "-batch", "-"], sideLines(side, router).join("\n"));
    if (side.wire === "office") lines.push(`link set ${side.role} master br0 up`);
    else lines.push(...gatewayOn(side.role, side));
  }
  await must(["ip", "-n", router, "-batch", "-"], lines.join("\n"));
  const forward = "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding";
  await must(["ip", "netns", "exec", router, "sh", "-ec", forward]);
}

function sideLines(side: Side, router: string): string[] {
  return [
    "link set lo up",
    `link add eth0 address ${side.mac} type veth peer name ${side.role} netns ${router}`,
    `addr add ${side.addresses.v4}/24 dev eth0`,
    `addr add ${side.addresses.v6}/64 dev eth0 nodad`, // duplicate address detection would keep it unusable for a second
    "link set eth0 up",
    `route add default via ${side.gateway.v4}`,
    `route add ::/0 via ${side.gateway.v6}`,
  ];
}

const gatewayOn = (device: string, side: Side) => [
  `addr add ${side.gateway.v4}/24 dev ${device}`,
  `addr add ${side.gateway.v6}/64 dev ${device} nodad`,
  `link set ${device} up`,
];

/** Names of this machine's network namespaces that begin with `prefix`. */
export function namedNamespaces(prefix: string): string[] {
  try {
    return readdirSync(NAMED).filter((name) => name.startsWith(prefix));
  } catch {
    return []; // the folder is made by the first `ip netns add`
  }
}

/** Machine-global pids of every process but this one in the network namespaces called `names`; a name that is gone has none. */
export function processesIn(names: readonly string[]): number[] {
  const wanted = new Set(names.map((name) => `net:[${statSync(`${NAMED}/${name}`, { throwIfNoEntry: false })?.ino}]`));
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && entry !== String(process.pid))
    .filter((pid) => {
      try {
        return wanted.has(readlinkSync(`/proc/${pid}/ns/net`));
      } catch {
        return false; // gone since the folder was read
      }
    })
    .map(Number);
}

/** Kills every process in the namespaces that begin with `prefix`, waits until they are gone, and deletes the namespaces. */
export async function destroyNetwork(prefix: string): Promise<void> {
  const names = namedNamespaces(prefix);
  if (names.length === 0) return;
  await until(`the processes in ${prefix}* to end`, () => {
    const left = processesIn(names);
    for (const pid of left)
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // it has ended by itself
      }
    return left.length === 0;
  });
  await must(["ip", "-batch", "-"], names.map((name) => `netns del ${name}\n`).join(""));
}

/** Whether /run/netns is a mount of its own: the first `ip netns add` on a machine makes it one. */
export function namesAreMounted(): boolean {
  return readFileSync("/proc/self/mountinfo", "latin1")
    .split("\n")
    .some((line) => line.split(" ")[4] === NAMED);
}

/** Takes back the mount that our first `ip netns add` made, unless somebody else's namespace is named there now. */
export async function unmountNames(): Promise<void> {
  if (namedNamespaces("").length === 0 && namesAreMounted()) await runLocal(["umount", NAMED]);
}
