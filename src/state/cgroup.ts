import type { HostString } from "#model/host-string";
import type { ContainerState } from "./state.ts";

/** Ids of containers as runtimes make them: 64 hexadecimal digits, after their name in a scope's (`docker-ID.scope`, `cri-containerd-ID.scope`). */
const CONTAINER = /^(?:([a-z-]+)-)?([0-9a-f]{64})(?:\.scope)?$/;
/** LXC and Incus: `/lxc.payload.NAME`. */
const LXC = /^lxc(?:\.payload)?\.(.+)$/;
const UNIT = /\.(?:service|scope|socket|mount|swap)$/;
/** A pod of Kubernetes: `kubepods-besteffort-podUID.slice`, with the uid's dashes as underscores, or `/kubepods/besteffort/podUID`. */
const POD = /^(?:kubepods-(?:[a-z]+-)?)?pod([0-9a-f]{8}(?:[_-][0-9a-f]{4}){3}[_-][0-9a-f]{12})(?:\.slice)?$/;
/** By the scope's or the folder's name. podman's conmon watches a container from the host's side: it is not in it. */
const RUNTIMES: Record<string, string> = {
  docker: "docker",
  libpod: "podman",
  libpod_parent: "podman",
  "cri-containerd": "containerd",
  nerdctl: "containerd",
  crio: "cri-o",
};
const MONITOR = "libpod-conmon";

interface Place {
  unit?: HostString;
  container?: HostString;
  /** Left out where the path does not tell. */
  runtime?: string;
  pod?: HostString;
}

/** The container and the unit that a cgroup's path names (cgroups(7), systemd.unit(5)); the innermost of each. */
export function placeIn(cgroup: string): Place {
  const found: Place = {};
  let above = "";
  for (const part of cgroup.slice(0, 4096).split("/")) {
    const [, by, id] = CONTAINER.exec(part) ?? [];
    const lxc = LXC.exec(part)?.[1];
    const pod = POD.exec(part)?.[1];
    if (id !== undefined && by !== MONITOR) {
      found.container = id as HostString;
      const runtime = Object.hasOwn(RUNTIMES, by ?? above) ? RUNTIMES[by ?? above] : undefined;
      if (runtime !== undefined) found.runtime = runtime;
      else delete found.runtime;
    } else if (lxc !== undefined) Object.assign(found, { container: lxc, runtime: "lxc" });
    else if (UNIT.test(part)) found.unit = part as HostString;
    if (pod !== undefined) found.pod = pod.replaceAll("_", "-") as HostString;
    above = part;
  }
  return found;
}

/** Longest of a name or an image that is shown in one place. */
const SHOWN = 80;
const cut = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN - 1)}…` : text);

/** A container in words: its name or that it is not known, its short id as docker and podman print it, its image. Holds host text. */
export function containerWords(id: string, known: ContainerState | undefined): string {
  const short = /^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : cut(id);
  const { name, image, runtime, pod } = known ?? {};
  const what = [runtime ?? "", image === undefined ? "" : `image ${cut(image)}`, pod === undefined ? "" : `pod ${pod}`].filter(Boolean);
  return `${name === undefined ? short : `${cut(name)} (${short})`}${what.length > 0 ? `, ${what.join(", ")}` : ""}`;
}
