import { expect, test } from "vitest";
import { event, text } from "#testing/events";
import { emptyState } from "./create.ts";
import { reduce } from "./reduce.ts";
import { inOrder, socketMark } from "./sockets.ts";

const socket = (path: string, listening = true) => ({
  path: text(path),
  type: "stream" as const,
  listening,
  connections: 0,
  processes: [],
});

test("agents, tmux, screen and container daemons are named in plain words; what is none of these is not", () => {
  for (const [path, word] of [
    ["/tmp/ssh-XXabcd/agent.4711", /^ssh agent/],
    ["/run/user/1000/gnupg/S.gpg-agent.ssh", /^ssh agent/],
    ["/run/user/1000/gnupg/S.gpg-agent", /^gpg agent/],
    ["/tmp/tmux-1000/default", /^tmux/],
    ["/run/screen/S-root/12.pts-0.devbox", /^screen/],
    ["/var/run/docker.sock", /^docker.*root/],
    ["/run/podman/podman.sock", /^podman/],
    ["/run/containerd/containerd.sock", /runtime/],
    ["/var/lib/incus/unix.socket", /^lxd or incus/],
  ] as const)
    expect([path, socketMark(socket(path))]).toEqual([path, expect.stringMatching(word)]);
  for (const path of ["/run/systemd/journal/stdout", "@/tmp/.X11-unix/X0", "/tmp/agent.1", "/run/docker.sock.bak"])
    expect([path, socketMark(socket(path))]).toEqual([path, undefined]);
});

test("the last answer is kept with who asked, and what matters stands first", () => {
  const state = emptyState();
  const items = [socket("/run/b", false), socket("/run/a"), socket("/var/run/docker.sock")];
  for (const analyst of ["jm", "kl"])
    reduce(
      state,
      event(1, {
        event: { action: "network.sockets" },
        stakeout: { sensor: "collector", tier: "poll", analyst, sockets: { items, unnamed: 3, more: 0 } },
      }),
    );
  expect(state.sockets).toMatchObject({ analyst: "kl", unnamed: 3 });
  expect(inOrder(state.sockets?.items ?? []).map(({ path }) => path)).toEqual(["/var/run/docker.sock", "/run/a", "/run/b"]);
});
