import { TrustWatch } from "#analysis/trust/watch";
import type { EventDraft, Finding, StakeoutEvent, Verdict } from "#model/event";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { teller, text } from "./events.ts";

type Draft = Parameters<ReturnType<typeof teller>>[0];
/** The entity id of a process of this host. */
export const id = (pid: number) => `B:${pid}:1`;

/** A host with a responder (login 10, shell 11 on pts/0), an intruder (login 20, shell 21 on pts/1), and the console (login 30, perl 31). */
export function watchedHost() {
  const [state, watch, tell] = [emptyState(), new TrustWatch(), teller()];
  const findings: Finding[] = [];
  const play = (draft: Draft): StakeoutEvent => {
    const event = tell(draft);
    reduce(state, event);
    for (const found of watch.look(state, event)) {
      findings.push(found.stakeout.finding as Finding);
      play(found as EventDraft);
    }
    return event;
  };
  const stakeout = { sensor: "collector", tier: "x" };
  const leaderOf = (login: number) => ({
    entity_id: id(login),
    entry_meta: { type: "sshd" as const, source: { ip: `203.0.113.${login}` } },
  });
  const start = (
    pid: number,
    parent: number,
    executable: string,
    more: { login?: number; tty?: number; args?: string[]; uid?: string } = {},
  ) =>
    play({
      event: { action: "process.start" },
      process: {
        entity_id: id(pid),
        pid,
        name: text(executable.slice(executable.lastIndexOf("/") + 1)),
        executable: text(executable),
        args: (more.args ?? [executable]).map(text),
        parent: { entity_id: id(parent) },
        ...(more.login === undefined ? {} : { entry_leader: leaderOf(more.login) }),
        ...(more.tty === undefined ? {} : { tty: { char_device: { major: 136, minor: more.tty } } }),
      },
      user: { id: more.uid ?? "0" },
      stakeout,
    });
  const login = (pid: number, tty: number, ours = false) => {
    start(pid, 1, "/usr/sbin/sshd", { login: pid });
    play({
      event: { action: "login.start", outcome: "success" },
      process: { entity_id: id(pid), pid, entry_leader: leaderOf(pid) },
      user: { id: "0", name: text("root") },
      source: { ip: `203.0.113.${pid}`, port: 5000 },
      stakeout: { ...stakeout, ...(ours ? { ours: true } : {}) },
    });
    start(pid + 1, pid, ours ? "/usr/bin/perl" : "/bin/bash", { tty, login: pid });
  };
  let tags = 0;
  const tag = (entity: number, verdict: Verdict = "responder") =>
    play({
      event: { action: "tag.apply" },
      stakeout: {
        sensor: "console",
        tier: "analyst",
        analyst: "jm",
        tag: { id: `t${++tags}`, verdict, selector: { login: id(entity) }, reason: "r" },
      },
    });
  const access = (
    by: number,
    more: { path?: string; how?: "open" | "held" | "trace" | "signal"; target?: number; secret?: "log" | "key"; signal?: number },
  ) =>
    play({
      event: { action: more.path === undefined ? "process.access" : "file.access" },
      process: { entity_id: id(by), pid: by },
      ...(more.path === undefined ? {} : { file: { path: text(more.path) } }),
      stakeout: {
        ...stakeout,
        access: {
          how: more.how ?? "open",
          ...(more.target === undefined ? {} : { target: { entity_id: id(more.target) } }),
          ...(more.secret ? { secret: more.secret } : {}),
          ...(more.signal === undefined ? {} : { signal: more.signal }),
        },
      },
    });
  const environment = (pid: number, ...variables: string[]) =>
    play({ event: { action: "process.change" }, process: { entity_id: id(pid), pid, env_vars: variables.map(text) }, stakeout });
  const file = (by: number, path: string, action: "file.creation" | "file.change" = "file.change") =>
    play({
      event: { action },
      process: { entity_id: id(by), pid: by },
      file: { path: text(path) },
      stakeout: { ...stakeout, binary: { origin: "folder" } },
    });
  const call = (by: number, ip: string) =>
    play({
      event: { action: "network.start" },
      network: { transport: "tcp", direction: "egress" },
      source: { ip: "10.0.0.1", port: 4000 + by },
      destination: { ip, port: 443 },
      process: { entity_id: id(by), pid: by },
      stakeout: { ...stakeout, connection: `c${by}-${ip}` },
    });
  start(1, 0, "/sbin/init");
  login(10, 0);
  login(20, 1);
  login(30, 2, true);
  tag(30);
  tag(10);
  const standing = (pid: number) => state.processes.get(id(pid))?.standing;
  return {
    state,
    play,
    start,
    login,
    tag,
    access,
    environment,
    file,
    call,
    findings,
    standing,
    rules: () => findings.map(({ rule }) => rule),
  };
}
