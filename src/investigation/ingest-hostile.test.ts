import { expect, test } from "vitest";
import { Enricher } from "#analysis/enrich";
import type { EventDraft } from "#model/event";
import type { Access } from "#model/file";
import type { Observation, ProcFacts } from "#model/observation";
import { text } from "#testing/events";
import { hello } from "#testing/observed-host";
import { Ingest } from "./ingest.ts";

const S = 1e9;
const clock: Observation = { kind: "clock", boot: 100 * S, wallNs: 1_700_000_000_000_000_000n };
const found = (pid: number, facts: Partial<ProcFacts>): Observation => ({
  kind: "process",
  pid,
  facts: { startTicks: pid, comm: text("x"), executable: text("/usr/bin/x"), ...facts },
});
const snapshot = (...processes: Observation[]): Observation[] => [
  hello,
  clock,
  found(1, { ppid: 0, executable: text("/usr/lib/systemd/systemd") }),
  ...processes,
  { kind: "snapshot-end", processes: 1, milliseconds: 5 },
];

function run(observations: readonly Observation[]) {
  const drafts: EventDraft[] = [];
  const hosts: string[] = [];
  const ingest = new Ingest({
    enricher: new Enricher(undefined, undefined),
    emit: (draft) => drafts.push(structuredClone(draft)),
    askFileInfo: () => {},
    isOurs: () => false,
    onHost: ({ name }) => hosts.push(name),
  });
  for (const observation of observations) ingest.observe(observation);
  return { drafts, hosts, of: (action: string) => drafts.filter(({ event }) => event.action === action) };
}
const origins = (drafts: EventDraft[]) =>
  Object.fromEntries(drafts.map(({ process }) => [process?.pid, process?.entry_leader?.entry_meta.type]));

test("what a login left behind at pid 1 is no service, and neither is what nothing could be read of", () => {
  const { of } = run(
    snapshot(
      found(10, { ppid: 1, tty: 0, loginuid: 4_294_967_295 }),
      found(11, { ppid: 1, tty: 0, loginuid: 1000 }),
      found(12, { ppid: 1, tty: (136 << 8) | 2 }),
      found(13, { ppid: 1, tty: (4 << 8) | 1 }), // agetty on a console
      { kind: "process", pid: 14, facts: { unseen: { ppid: "raced", args: "raced" } } },
    ),
  );
  expect(origins(of("baseline.process"))).toEqual({ 1: "init", 10: "init", 11: "unknown", 12: "unknown", 13: "init", 14: "unknown" });
  const orphan = of("baseline.process").find(({ process }) => process?.pid === 14);
  expect(orphan?.process?.parent).toBeUndefined();
  expect(orphan?.stakeout.unseen).toMatchObject({ "process.parent": "raced" });
});

test("a second hello changes nothing: names, tags and connections go on, and the log says that it came", () => {
  const { of, hosts } = run([
    ...snapshot(),
    { kind: "fork", ts: 101 * S, parent: 1, pid: 70 },
    { ...(hello as object), bootId: "OTHER", hostname: text("elsewhere") } as Observation,
    hello,
    { kind: "exit", ts: 102 * S, pid: 70 },
  ]);
  expect(hosts).toEqual(["devbox"]);
  expect(of("sensor.tampered")).toHaveLength(1);
  expect(of("process.end")[0]?.process?.entity_id).toBe("B:70:101000000000");
});

test("a pid that was used again while events were lost is another process: it inherits no login and no tag", () => {
  const facts = (startTicks: number, ppid: number): ProcFacts => ({ startTicks, ppid, executable: text("/usr/bin/x") });
  const ends = { local: { ip: "10.0.0.5", port: 22 }, remote: { ip: "10.0.0.9", port: 4000 } };
  const { of } = run([
    ...snapshot(found(20, { ppid: 1, executable: text("/usr/sbin/sshd") }), { kind: "login-peer", ts: 99 * S, pid: 20, ...ends }),
    { kind: "fork", ts: 101 * S, parent: 20, pid: 70 },
    { kind: "exec", ts: 101.01 * S, pid: 70, path: text("/usr/bin/x"), facts: facts(10_100, 20) },
    { kind: "exec", ts: 101.02 * S, pid: 70, path: text("/usr/bin/y"), facts: facts(10_100, 20) }, // exec in place: the same process
    { kind: "exec", ts: 150 * S, pid: 70, path: text("/tmp/evil"), facts: facts(15_000, 1) },
  ]);
  const [first, second, third] = of("process.start");
  expect(second?.process?.entity_id).toBe(first?.process?.entity_id);
  expect(first?.process?.entry_leader?.entry_meta.type).toBe("sshd");
  expect(third?.process?.entity_id).not.toBe(first?.process?.entity_id);
  expect(third?.process).toMatchObject({ parent: { pid: 1 }, entry_leader: { entry_meta: { type: "init" } } });
});

test("a port that the kernel has not chosen yet is named as not seen", () => {
  const { of } = run([
    ...snapshot(),
    {
      kind: "socket",
      ts: 101 * S,
      sk: "a",
      pid: 1,
      from: "CLOSE",
      to: "SYN_SENT",
      local: { ip: "10.0.0.5", port: 0 },
      remote: { ip: "10.0.0.9", port: 443 },
    },
  ]);
  expect(of("network.start")[0]).toMatchObject({ source: { ip: "10.0.0.5" }, stakeout: { unseen: { "source.port": "raced" } } });
});

test("hands are told once their owner is known, each with its target; what a login does to its own is left out", () => {
  const ends = { local: { ip: "10.0.0.5", port: 22 }, remote: { ip: "10.0.0.9", port: 4000 } };
  const { of } = run([
    hello,
    clock,
    { kind: "secret", path: text("/root/.ssh/id_rsa"), what: "key", uid: 0, gid: 0, mode: 0o600, size: 9, publicKey: Buffer.from("key") },
    { kind: "file-open", ts: 99 * S, pid: 20, path: text("/root/.ssh/id_rsa") }, // before anything is known
    ...snapshot(found(20, { ppid: 1, executable: text("/usr/sbin/sshd") }), found(21, { ppid: 20 }), {
      kind: "login-peer",
      ts: 99 * S,
      pid: 20,
      ...ends,
    }).slice(2),
    { kind: "file-open", ts: 101 * S, pid: 70, path: text("/dev/pts/3") }, // younger than its fork
    { kind: "environment", ts: 101 * S, pid: 70, variables: [text("LD_PRELOAD=/tmp/x.so")] },
    { kind: "fork", ts: 100.9 * S, parent: 1, pid: 70 },
    { kind: "process-access", ts: 102 * S, how: "trace", by: 70, pid: 21 },
    { kind: "process-access", ts: 102 * S, how: "signal", by: 20, pid: 21, signal: 9 },
    { kind: "process-access", ts: 102 * S, how: "signal", by: 70, pid: 21, signal: 9 },
    { kind: "process-access", ts: 102 * S, how: "trace", by: 70, pid: 9999 },
    { kind: "file-open", ts: 102 * S, pid: 70, path: text("/proc/21/mem") },
    { kind: "file-open", ts: 102 * S, pid: 21, path: text("/proc/21/mem") },
  ]);
  expect(of("baseline.secret")[0]).toMatchObject({
    file: { path: "/root/.ssh/id_rsa", mode: "0600" },
    stakeout: { secret: { kind: "key", fingerprint: "SHA256:LHDhK3oGRvkiefQnx7OOczTY5Tic/xZ6HcMOc/gmtoM" } },
  });
  expect(of("file.access").map(({ process, file, stakeout }) => [process?.pid, file?.path, stakeout.access])).toEqual([
    [20, "/root/.ssh/id_rsa", { how: "open", secret: "key" }],
    [70, "/dev/pts/3", { how: "open" }],
    [70, "/proc/21/mem", { how: "open", target: { entity_id: "B:21:210000000", pid: 21 } }],
  ]);
  expect(of("process.change")[0]?.process).toMatchObject({ pid: 70, env_vars: ["LD_PRELOAD=/tmp/x.so"] });
  expect(
    of("process.access").map(({ process, stakeout }) => [
      process?.pid,
      (stakeout.access as Access).how,
      (stakeout.access as Access).target?.pid,
    ]),
  ).toEqual([
    [70, "trace", 21],
    [70, "signal", 21],
  ]);
});

test("hands of a process that never comes are told without it after a second, and fill no memory", () => {
  const endless = Array.from(
    { length: 5000 },
    (_, i): Observation => ({ kind: "file-open", ts: 101 * S, pid: 4000 + i, path: text("/etc/shadow") }),
  );
  const tick = (ts: number): Observation => ({ kind: "tick", ts, lost: 0, outside: 0, unmapped: 0, cpuMs: 0, rssKb: 0 });
  const { of } = run([...snapshot(), ...endless, tick(103 * S)]);
  expect(of("file.access")).toHaveLength(5000);
  expect(of("file.access")[0]).toMatchObject({ stakeout: { unseen: { process: "raced" } } });
});

test("a snapshot that never ends fills no memory without bound", () => {
  const endless: Observation[] = [hello, clock];
  const one = found(9, { ppid: 1 });
  for (let i = 0; i < 200_500; i++) endless.push(one);
  const { of } = run([...endless, found(8, { ppid: 1 }), { kind: "snapshot-end", processes: 1, milliseconds: 1 }]);
  expect(of("baseline.process").map(({ process }) => process?.pid)).toEqual([9]);
});
