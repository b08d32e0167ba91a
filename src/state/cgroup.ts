import type { HostString } from "#model/host-string";

/** Ids of containers as runtimes make them: 64 hexadecimal digits, after their name in a scope's (`docker-ID.scope`, `cri-containerd-ID.scope`). */
const CONTAINER = /^(?:[a-z-]+-)?([0-9a-f]{64})(?:\.scope)?$/;
/** LXC and Incus: `/lxc.payload.NAME`. */
const LXC = /^lxc(?:\.payload)?\.(.+)$/;
const UNIT = /\.(?:service|scope|socket|mount|swap)$/;

/** The container and the unit that a cgroup's path names (cgroups(7), systemd.unit(5)); the innermost of each. */
export function placeIn(cgroup: string): { unit?: HostString; container?: HostString } {
  const found: { unit?: HostString; container?: HostString } = {};
  for (const part of cgroup.slice(0, 4096).split("/")) {
    const container = CONTAINER.exec(part)?.[1] ?? LXC.exec(part)?.[1];
    if (container !== undefined) found.container = container as HostString;
    else if (UNIT.test(part)) found.unit = part as HostString;
  }
  return found;
}
