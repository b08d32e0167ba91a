import type { StakeoutEvent, UnixSockets } from "#model/event";
import type { State } from "./state.ts";
import type { Millis } from "./time.ts";

export function socketsTold(state: State, { stakeout }: StakeoutEvent, at: Millis): void {
  if (stakeout.sockets) state.sockets = { ...stakeout.sockets, at, analyst: stakeout.analyst ?? "somebody" };
}

type Socket = UnixSockets["items"][number];

/** What a socket of such a name is for, and what whoever may write to it can do: by its name alone, which anybody can choose. */
const MARKS: readonly [RegExp, string][] = [
  [/\/(?:ssh-[^/]+\/agent\.\d+|S\.gpg-agent\.ssh|keyring[^/]*\/ssh)$|\/\.ssh\/agent\//, "ssh agent: who reaches it logs in with its keys"],
  [/\/S\.gpg-agent(?:\.(?:extra|browser))?$/, "gpg agent: who reaches it signs and decrypts with its keys"],
  [/\/tmux-\d+\/[^/]+$/, "tmux: who reaches it types in its terminals"],
  [/\/(?:screen|screens)\/S-[^/]+\/[^/]+$|\/\.screen\/[^/]+$/, "screen: who reaches it types in its terminals"],
  [/\/docker\.sock$/, "docker: who reaches it is root on the host"],
  [/\/podman\/podman\.sock$/, "podman: who reaches root's is root on the host"],
  [
    /\/(?:containerd|crio)(?:\/[^/]+)?\.sock(?:\.ttrpc)?$|\/containerd\/containerd\.sock/,
    "containers' runtime: who reaches it is root on the host",
  ],
  [/\/(?:lxd|incus)\/unix\.socket$/, "lxd or incus: who reaches it is root on the host"],
];

/** What a socket is for, in plain words; undefined for what says nothing to an investigation. */
export const socketMark = ({ path }: Pick<Socket, "path">): string | undefined => MARKS.find(([pattern]) => pattern.test(path))?.[1];

/** Those that are marked first, then those that listen, by name. */
export function inOrder(items: readonly Socket[]): Socket[] {
  const rank = (socket: Socket) => (socketMark(socket) === undefined ? (socket.listening ? 1 : 2) : 0);
  return [...items].sort((a, b) => rank(a) - rank(b) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}
