import type { Endpoint } from "#model/event";
import type { HostString } from "#model/host-string";
import { emptyState } from "#state/create";
import type { BinaryState, ConnectionState, LoginState, ProcessState, Standing, State } from "#state/state";
import type { Millis } from "#state/time";

/** The moment that fixtures are made for: 21:06:42 UTC. */
export const FIXTURE_NOW: Millis = Date.UTC(2026, 10, 24, 21, 6, 42);
const host = (text: string) => text as HostString;
/** So many seconds before that. */
export const ago = (seconds: number): Millis => FIXTURE_NOW - seconds * 1000;

/** A state for tests and pictures, built thing by thing; relations (children, logins, pids) are kept as a reduce would. */
export class FixtureState {
  readonly state: State = {
    ...emptyState(),
    session: "2026-11-24T20-57-51Z-devbox",
    host: { id: "boot-1", name: host("devbox") },
    sequence: 18_412,
    now: FIXTURE_NOW,
    started: ago(531),
    structure: 1,
    counts: {
      events: 18_412,
      execs: 903,
      forks: 1204,
      ends: 1180,
      connections: 96,
      files: 14,
      folded: 0,
      binaries: 0,
      let_go: 0,
      findings: 0,
      logins: 0,
    },
  };

  process(pid: number, parent: string | undefined, commandLine: string, more: Partial<ProcessState> = {}): string {
    const id = `boot-1:${pid}:${pid}`;
    const args = commandLine.split(" ").map(host);
    const [first = host("")] = args;
    const kernel = commandLine.startsWith("[");
    const above = parent === undefined ? undefined : this.state.processes.get(parent);
    const process: ProcessState = {
      id,
      pid,
      children: new Set(),
      name: host((kernel ? commandLine.slice(1, -1) : (first.split("/").pop() ?? "")).replace(/:$/, "").slice(0, 15)),
      ...(kernel ? {} : { args, executable: host(first.startsWith("/") ? first : `/usr/bin/${first}`) }),
      cwd: host("/root"),
      uid: 0,
      start: ago(400),
      active: more.start ?? ago(400),
      origin: above?.origin ?? (pid === 1 || above?.pid === 1 ? "init" : "unknown"),
      baseline: false,
      standing: "unknown",
      ...(parent === undefined ? {} : { parent }),
      ...more,
    };
    above?.children.add(id);
    if (above?.login !== undefined && process.login === undefined) process.login = above.login;
    if (above && more.standing === undefined) process.standing = above.standing;
    this.state.processes.set(id, process);
    if (!above) this.state.orphans.add(id);
    if (process.end === undefined) this.state.pids.set(pid, id);
    const login = process.login === undefined ? undefined : this.state.logins.get(process.login);
    if (login) login.processes++;
    return id;
  }

  login(pid: number, parent: string, user: string, source: Endpoint | undefined, more: Partial<LoginState> = {}): string {
    const id = `boot-1:${pid}:${pid}`;
    const start = more.start ?? ago(360);
    const type = more.type ?? (source ? "sshd" : "console");
    this.state.logins.set(id, {
      id,
      number: ++this.state.counts.logins,
      type,
      user: { id: "0", name: host(user) },
      ...(source ? { source } : {}),
      ttys: ["136:0"],
      start,
      active: ago(10),
      standing: "unknown",
      ours: false,
      processes: 0,
      ended: { count: 0, latest: [] },
      ...more,
    });
    this.process(pid, parent, type === "sshd" ? `sshd: ${user} [priv]` : `login -- ${user}`, {
      login: id,
      origin: type,
      standing: more.standing ?? "unknown",
      start,
    });
    return id;
  }

  connection(process: string, destination: Endpoint, more: Partial<ConnectionState> = {}): void {
    const id = `c${this.state.connections.size}`;
    const owner = this.state.processes.get(process);
    this.state.connections.set(id, {
      id,
      process,
      transport: "tcp",
      direction: "egress",
      source: { ip: "10.0.4.17", port: 40_000 + this.state.connections.size },
      destination,
      phase: "established",
      start: ago(60),
      standing: owner?.standing ?? "unknown",
      ...(owner?.login === undefined ? {} : { login: owner.login }),
      ...more,
    });
  }

  binary(path: string, more: Partial<BinaryState> = {}): void {
    const runners = more.runners ?? [];
    const first = this.state.processes.get(more.writer ?? runners[0] ?? "");
    this.state.binaries.set(path, {
      path: host(path),
      number: ++this.state.counts.binaries,
      writers: more.writer === undefined ? [] : [more.writer],
      runners,
      runs: runners.length,
      deleted: false,
      first: ago(120),
      standing: first?.standing ?? "unknown",
      ...(first?.login === undefined ? {} : { login: first.login }),
      ...more,
    });
  }
}

/** Gives a login and all under it a standing, as a tag would. */
export function judge(state: State, login: string, standing: Standing, tag?: string): void {
  const mark = <T extends { standing: Standing; tag?: string | undefined }>(thing: T) => {
    thing.standing = standing;
    if (tag === undefined) delete thing.tag;
    else thing.tag = tag;
  };
  const found = state.logins.get(login);
  if (found) mark(found);
  for (const process of state.processes.values()) if (process.login === login) mark(process);
  for (const connection of state.connections.values()) if (connection.login === login) mark(connection);
  for (const binary of state.binaries.values()) if (binary.login === login) mark(binary);
  state.structure++;
}
