import { expect, test } from "vitest";
import type { SecretKind } from "#model/observation";
import { teller, text } from "#testing/events";
import { emptyState } from "./create.ts";
import { reduce } from "./reduce.ts";
import { couldRead, hostsToWarn, secretsToRotate } from "./rotation.ts";

const id = (pid: number) => `B:${pid}:1`;

function host() {
  const state = emptyState();
  const tell = teller();
  const play = (draft: Parameters<typeof tell>[0]) => reduce(state, tell(draft));
  const stakeout = { sensor: "collector", tier: "x" };
  const login = (pid: number, uid: number) => {
    const entry_leader = { entity_id: id(pid), entry_meta: { type: "sshd" as const } };
    for (const [one, parent] of [
      [pid, 1],
      [pid + 1, pid],
    ] as const)
      play({
        event: { action: "process.start" },
        process: { entity_id: id(one), pid: one, executable: text("/bin/bash"), parent: { entity_id: id(parent) }, entry_leader },
        user: { id: String(one === pid ? 0 : uid) },
        stakeout,
      });
    state.touched.uids.delete(id(pid)); // sshd itself is root's
    play({
      event: { action: "login.start", outcome: "success" },
      process: { entity_id: id(pid), pid, entry_leader },
      user: { id: String(uid) },
      stakeout,
    });
    play({
      event: { action: "process.start" },
      process: { entity_id: id(pid + 1), pid: pid + 1, executable: text("/bin/id"), entry_leader },
      user: { id: String(uid) },
      stakeout,
    });
  };
  const secret = (path: string, kind: SecretKind, uid: number, mode: string, hosts?: string[]) =>
    play({
      event: { action: "baseline.secret" },
      file: { path: text(path), uid: String(uid), mode },
      stakeout: { ...stakeout, secret: { kind, ...(hosts ? { hosts: hosts.map(text) } : {}) } },
    });
  const opens = (pid: number, path: string, secret: SecretKind) =>
    play({
      event: { action: "file.access" },
      process: { entity_id: id(pid), pid },
      file: { path: text(path) },
      stakeout: { ...stakeout, access: { how: "open", secret } },
    });
  const calls = (pid: number, ip: string, port: number) =>
    play({
      event: { action: "network.start" },
      network: { direction: "egress", transport: "tcp" },
      source: { ip: "10.0.0.1" },
      destination: { ip, port },
      process: { entity_id: id(pid), pid },
      stakeout: { ...stakeout, connection: `${pid} ${ip}` },
    });
  const tag = (pid: number, verdict: "responder" | "intruder") =>
    play({
      event: { action: "tag.apply" },
      stakeout: { sensor: "console", tier: "analyst", tag: { id: `t${pid}`, verdict, selector: { login: id(pid) }, reason: "r" } },
    });
  secret("/etc/shadow", "password", 0, "0640");
  secret("/home/dev/.ssh/id_ed25519", "key", 1000, "0600");
  secret("/home/eva/.pgpass", "password", 1001, "0644");
  secret("/home/dev/.ssh/known_hosts", "hosts", 1000, "0600", ["db01", "git"]);
  secret("/var/log/auth.log", "log", 0, "0640");
  return { state, play, login, opens, calls, tag };
}

test("what was read comes before what could be read, and what neither is is left out", () => {
  const h = host();
  h.login(20, 1000);
  h.opens(21, "/home/dev/.ssh/id_ed25519", "key");
  h.opens(21, "/var/log/auth.log", "log");
  const found = secretsToRotate(h.state);
  expect(found.map(({ secret, read, could }) => [secret.path, read.length, could.length])).toEqual([
    ["/home/dev/.ssh/id_ed25519", 1, 0],
    ["/home/eva/.pgpass", 0, 1],
  ]);
  expect(found[0]?.read[0]).toMatchObject({ who: id(20), uid: 1000, times: 1 });
});

test("cron's own look at an account before the intruder's job is no reading of that job's; what the job reads itself is", () => {
  const h = host();
  const cron = (pid: number, executable: string) =>
    h.play({
      event: { action: "process.start" },
      process: { entity_id: id(pid), pid, executable: text(executable), args: [text(executable)] },
      user: { id: "0" },
      stakeout: { sensor: "collector", tier: "x" },
    });
  cron(40, "/usr/sbin/cron");
  cron(41, "/tmp/cron");
  for (const pid of [40, 41]) {
    h.opens(pid, "/etc/shadow", "password");
    h.play({
      event: { action: "tag.apply" },
      stakeout: {
        sensor: "console",
        tier: "analyst",
        tag: { id: `p${pid}`, verdict: "intruder", selector: { process: id(pid) }, reason: "r" },
      },
    });
  }
  const shadow = secretsToRotate(h.state).find(({ secret }) => secret.path === "/etc/shadow");
  expect(shadow?.read.map(({ who }) => who)).toEqual([id(41)]);
  expect(shadow?.could.map(({ who }) => who)).toEqual([id(40)]);
});

test("root could read all; a responder's reading is nobody's theft, also when he is tagged later", () => {
  const h = host();
  h.login(20, 0);
  h.opens(21, "/etc/shadow", "password");
  expect(secretsToRotate(h.state)).toHaveLength(3);
  h.tag(20, "responder");
  expect(secretsToRotate(h.state)).toEqual([]);
  expect(hostsToWarn(h.state)).toEqual([]);
});

test("of those who could read a secret, or called a machine, the worst are named first: a list is cut behind the third", () => {
  const h = host();
  for (const pid of [20, 30, 40, 50]) h.login(pid, 0);
  for (const pid of [21, 31, 41, 51]) h.calls(pid, "10.0.0.9", 22);
  h.tag(40, "intruder");
  for (const { could } of secretsToRotate(h.state)) expect(could.map(({ who }) => who)).toEqual([id(40), id(20), id(30), id(50)]);
  expect(hostsToWarn(h.state)[0]?.called?.by.map(({ who }) => who)[0]).toBe(id(40));
});

test("hosts that they called, and those that a file names which they could read", () => {
  const h = host();
  h.login(20, 1000);
  h.calls(21, "10.0.0.9", 22);
  h.calls(21, "127.0.0.1", 80);
  expect(hostsToWarn(h.state).map(({ name, named }) => [name, named])).toEqual([
    ["10.0.0.9:22", []],
    ["db01", ["/home/dev/.ssh/known_hosts"]],
    ["git", ["/home/dev/.ssh/known_hosts"]],
  ]);
});

test("by owner or by everybody; a mode that is not known opens nothing but to root", () => {
  expect(couldRead({ uid: 5, mode: "0400" }, 5)).toBe(true);
  expect(couldRead({ uid: 5, mode: "0040" }, 5)).toBe(false);
  expect(couldRead({ uid: 5, mode: "0404" }, 6)).toBe(true);
  expect(couldRead({ uid: 5, mode: "0440" }, 6)).toBe(false);
  expect(couldRead({}, 6)).toBe(false);
  expect(couldRead({}, 0)).toBe(true);
});

test("the runs of an intruder's job are his, with the user that they run as: what root can read he could, and no run stands by itself", () => {
  const h = host();
  h.login(20, 1000);
  const entry = { path: text("/etc/cron.d/x"), line: text("* * * * * root /tmp/b") };
  const start = (pid: number, parent: number, executable: string) =>
    h.play({
      event: { action: "process.start" },
      process: { entity_id: id(pid), pid, executable: text(executable), parent: { entity_id: id(parent) } },
      user: { id: "0" },
      stakeout: { sensor: "collector", tier: "x" },
    });
  for (const pid of [50, 60, 70]) {
    start(pid, 1, "/usr/sbin/cron");
    h.play({
      event: { action: "origin.start" },
      process: { entity_id: id(pid), pid, entry_leader: { entity_id: id(pid), entry_meta: { type: "cron", entry } } },
      stakeout: { sensor: "collector", tier: "x", origin: { type: "cron", login: id(20) } },
    });
    start(pid + 1, pid, "/tmp/b");
  }
  const could = () =>
    secretsToRotate(h.state)
      .find(({ secret }) => secret.path === "/etc/shadow")
      ?.could.map(({ who }) => who);
  expect(could()).toBeUndefined(); // nobody judged him, and the user that he came as may not
  h.tag(20, "intruder");
  expect(could()).toEqual([id(20)]);
});
