import { Enricher } from "#analysis/enrich";
import { Ingest } from "#investigation/ingest";
import type { EventDraft } from "#model/event";
import type { Observation } from "#model/observation";
import { text } from "./events.ts";

/** Nanoseconds of a second on the host's clock. */
export const S = 1e9;
export const LOCAL = { ip: "10.0.0.5", port: 22 };
export const INTRUDER = { ip: "203.0.113.9", port: 40_000 };
export const C2 = { ip: "198.51.100.7", port: 443 };

/** What the collector says first. */
export const hello: Extract<Observation, { kind: "hello" }> = {
  kind: "hello",
  bootId: "B",
  machineId: "m",
  hostname: text("devbox"),
  kernel: text("6.1"),
  arch: "x86_64",
  cpus: 2,
  ticksPerSecond: 100,
  pids: "init",
  self: 60,
  sshd: 50,
  uid: 0,
  tier: "tracefs+proc",
  kernelBufferBytes: 1 << 20,
  blind: [],
};
/** A process as the snapshot lists it. */
export const proc = (pid: number, ppid: number, executable: string, more: object = {}): Observation => ({
  kind: "process",
  pid,
  facts: {
    ppid,
    startTicks: pid,
    uid: 0,
    tty: 0,
    executable: text(executable),
    comm: text(executable.split("/").at(-1) as string),
    args: [text(executable)],
    ...more,
  },
});
/** The first snapshot of a host with sshd (1), cron (5), a web server (7) and the console's own login (50, 60). */
export const snapshot: Observation[] = [
  hello,
  { kind: "clock", boot: 100 * S, wallNs: 1_700_000_000_000_000_000n },
  { kind: "user", uid: 0, name: text("root") },
  // children before their parents: a snapshot has no order that can be relied on
  proc(60, 50, "/usr/bin/perl"),
  proc(50, 1, "/usr/sbin/sshd"),
  proc(7, 1, "/usr/bin/python3"),
  proc(5, 1, "/usr/sbin/cron"),
  proc(1, 0, "/usr/sbin/sshd"),
  { kind: "login-peer", ts: 100 * S, pid: 50, local: LOCAL, remote: { ip: "10.0.0.250", port: 5000 } },
  { kind: "socket-found", transport: "tcp", state: "ESTABLISHED", local: LOCAL, remote: { ip: "10.0.0.250", port: 5000 }, uid: 0, pid: 50 },
  {
    kind: "socket-found",
    transport: "tcp",
    state: "LISTEN",
    local: { ip: "0.0.0.0", port: 22 },
    remote: { ip: "0.0.0.0", port: 0 },
    uid: 0,
    pid: 1,
  },
  { kind: "snapshot-end", processes: 5, milliseconds: 12 },
];
/** What the collector says once a second; `lost` counts what the kernel dropped so far. */
export const tick = (at: number, lost = 0): Observation => ({
  kind: "tick",
  ts: at * S,
  lost,
  outside: 0,
  unmapped: 0,
  cpuMs: 1,
  rssKb: 1,
});
/** A program that begins on the terminal pts/3, `at` seconds since the boot. */
export const exec = (at: number, pid: number, path: string, more: object = {}): Observation => ({
  kind: "exec",
  ts: at * S,
  pid,
  path: text(path),
  facts: {
    uid: 0,
    tty: (136 << 8) | 3,
    comm: text(path.split("/").at(-1) as string),
    executable: text(path),
    args: [text(path), text("-x")],
    ...more,
  },
});
/** The intruder's connection from its SYN to his shell. */
export const intrusion: Observation[] = [
  { kind: "socket", ts: 101 * S, sk: "a", from: "SYN_RECV", to: "ESTABLISHED", local: LOCAL, remote: INTRUDER },
  { kind: "fork", ts: 101.01 * S, parent: 1, pid: 70 },
  exec(101.02, 70, "/usr/sbin/sshd", { tty: 0 }),
  { kind: "login-peer", ts: 101.02 * S, pid: 70, local: LOCAL, remote: INTRUDER },
  { kind: "fork", ts: 101.03 * S, parent: 70, pid: 71 },
  { kind: "exit", ts: 101.2 * S, pid: 71 },
  { kind: "fork", ts: 101.3 * S, parent: 70, pid: 72 },
  exec(101.31, 72, "/bin/bash"),
];

/** What these observations give: drafts of events, files that were asked for, logins that were told. */
export function ingested(observations: readonly Observation[], isOurs: (peer: { port: number }) => boolean = () => false) {
  const drafts: EventDraft[] = [];
  const asked: string[] = [];
  const logins: unknown[] = [];
  const ingest = new Ingest({
    enricher: new Enricher(undefined, undefined),
    emit: (draft) => drafts.push(structuredClone(draft)),
    askFileInfo: (path, pid) => asked.push(`${pid} ${path}`),
    isOurs,
    onHost: () => {},
    onLogin: (login) => logins.push(login),
  });
  for (const observation of observations) ingest.observe(observation);
  const of = (action: string) => drafts.filter(({ event }) => event.action === action);
  return { drafts, asked, logins, of };
}
