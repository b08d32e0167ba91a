import { describe, expect, test } from "vitest";
import { Enricher } from "#analysis/enrich";
import type { EventDraft, Origin } from "#model/event";
import type { Observation } from "#model/observation";
import type { SetUp } from "#model/past";
import { text } from "#testing/events";
import { hello, LOCAL, S } from "#testing/observed-host";
import { Ingest } from "./ingest.ts";
import { commandOf } from "./job-entries.ts";

const PTS = (136 << 8) | 3;
const EVE = { ip: "203.0.113.9", port: 40_000 };
const facts = (executable: string, more: object = {}) => ({
  uid: 0,
  tty: 0,
  comm: text(executable.split("/").at(-1) as string),
  executable: text(executable),
  args: [text(executable)],
  ...more,
});
const was = (pid: number, ppid: number, executable: string, more: object = {}): Observation => ({
  kind: "process",
  pid,
  facts: { ppid, startTicks: pid, ...facts(executable, more) },
});
const fork = (at: number, parent: number, pid: number): Observation => ({ kind: "fork", ts: at * S, parent, pid });
const exec = (at: number, pid: number, executable: string, more: object = {}): Observation => ({
  kind: "exec",
  ts: at * S,
  pid,
  path: text(executable),
  facts: facts(executable, more),
});
const args = (...words: string[]) => ({ args: words.map(text) });
const file = (at: number, change: "created" | "moved-in", path: string, pid: number): Observation => ({
  kind: "file",
  ts: at * S,
  change,
  path: text(path),
  pid,
});
const exit = (at: number, pid: number): Observation => ({ kind: "exit", ts: at * S, pid });

/** A host with systemd (1), sshd (2), cron (5), atd (6), agetty's login (8) and Eve's login (70) with her shell (72). */
const HOST: Observation[] = [
  hello,
  { kind: "clock", boot: 100 * S, wallNs: 1_700_000_000_000_000_000n },
  { kind: "user", uid: 0, name: text("root") },
  { kind: "user", uid: 1000, name: text("dev") },
  was(1, 0, "/usr/lib/systemd/systemd"),
  was(2, 1, "/usr/sbin/sshd"),
  was(5, 1, "/usr/sbin/cron"),
  was(6, 1, "/usr/sbin/atd"),
  was(8, 1, "/usr/bin/login"),
  was(70, 2, "/usr/sbin/sshd"),
  was(72, 70, "/usr/bin/bash", { tty: PTS, uid: 1000 }),
  { kind: "login-peer", ts: 100 * S, pid: 70, local: LOCAL, remote: EVE },
  { kind: "snapshot-end", processes: 7, milliseconds: 3 },
];
const LOGIN = "B:70:700000000";

function run(...told: (Observation | SetUp[])[]): EventDraft[] {
  const events: EventDraft[] = [];
  const ingest = new Ingest({
    enricher: new Enricher(undefined, undefined),
    emit: (draft) => events.push(structuredClone(draft)),
    askFileInfo: () => {},
    isOurs: () => false,
    onHost: () => {},
  });
  for (const one of [...HOST, ...told]) {
    if (Array.isArray(one)) ingest.readEntries(one);
    else ingest.observe(one);
  }
  return events;
}
const origins = (events: EventDraft[]) => events.filter(({ event }) => event.action.startsWith("origin."));
const started = (events: EventDraft[], pid: number) =>
  events.findLast(({ event, process }) => event.action === "process.start" && process?.pid === pid);
const leaderOf = (events: EventDraft[], pid: number) => started(events, pid)?.process?.entry_leader;
const cron = (path: string, line: string): SetUp => ({
  category: "cron",
  id: `cron ${path} ${line}`,
  name: text(path),
  detail: text(line),
});

describe("below a login", () => {
  test("sudo and su say who became whom, and what they start stays the login's", () => {
    const events = run(
      fork(101, 72, 80),
      exec(101, 80, "/usr/bin/sudo", { uid: 1000, tty: PTS, ...args("sudo", "-i") }),
      fork(102, 80, 81),
      exec(102, 81, "/usr/bin/bash", { uid: 0, tty: PTS }),
      fork(103, 81, 82),
      exec(103, 82, "/usr/bin/id", { uid: 0 }),
    );
    expect(origins(events)).toMatchObject([
      {
        event: { action: "origin.start" },
        process: { pid: 80, tty: { char_device: { major: 136, minor: 3 } } },
        user: { id: "1000", name: "dev", effective: { id: "0", name: "root" } },
        source: { ip: EVE.ip },
        stakeout: { origin: { type: "sudo", login: LOGIN } },
      },
    ]);
    for (const pid of [80, 81, 82]) expect(leaderOf(events, pid)?.entity_id).toBe(LOGIN);
  });

  test("a sudo that was refused made nobody of anybody", () => {
    expect(origins(run(fork(101, 72, 80), exec(101, 80, "/usr/bin/sudo", { uid: 1000 }), exit(102, 80)))).toEqual([]);
  });

  test("a server of terminals keeps its login when its first client has gone, and who attaches has his own", () => {
    const events = run(
      fork(101, 72, 80),
      exec(101, 80, "/usr/bin/tmux", { tty: PTS, ...args("tmux", "new") }),
      fork(102, 80, 81), // the server: a fork that executes nothing
      exit(103, 80),
      fork(104, 81, 82),
      exec(104, 82, "/usr/bin/bash", { tty: PTS + 1 }),
      fork(105, 81, 83),
      exec(105, 83, "/usr/bin/bash"),
      fork(106, 72, 90),
      exec(106, 90, "/usr/bin/tmux", { tty: PTS, ...args("tmux", "attach") }),
    );
    expect(origins(events).map(({ process, stakeout }) => [process?.pid, stakeout.origin])).toEqual([
      [81, { type: "tmux", login: LOGIN }],
      [90, { type: "client" }],
    ]);
    expect(leaderOf(events, 82)?.entity_id).toBe(LOGIN);
  });

  test("a program that calls itself cron does not take what it starts out of the login", () => {
    const events = run(fork(101, 72, 80), exec(101, 80, "/tmp/cron"), fork(102, 80, 81), exec(102, 81, "/usr/bin/id"));
    expect(leaderOf(events, 81)).toMatchObject({ entity_id: LOGIN, entry_meta: { type: "sshd" } });
  });
});

describe("jobs", () => {
  const PATH = "/etc/cron.d/kx";
  const LINE = "* * * * * root pgrep -x b >/dev/null || (setsid /dev/shm/b &)";
  const COMMAND = "pgrep -x b >/dev/null || (setsid /dev/shm/b &)";
  const job = (at: number): Observation[] => [
    fork(at, 5, 200),
    fork(at, 200, 201),
    exec(at, 201, "/bin/sh", args("/bin/sh", "-c", COMMAND)),
    fork(at, 201, 202),
    exec(at, 202, "/dev/shm/b"),
  ];

  test("a job of cron is told with its entry, and with the login that wrote it", () => {
    const events = run(file(101, "created", PATH, 72), [cron("/etc/crontab", "17 * * * * root cd /"), cron(PATH, LINE)], ...job(120));
    const entry = {
      path: PATH,
      line: LINE,
      written_by: { entity_id: "B:72:720000000", entry_leader: { entity_id: LOGIN, entry_meta: { type: "sshd", source: { ip: EVE.ip } } } },
    };
    expect(leaderOf(events, 202)).toMatchObject({ entity_id: "B:200:120000000000", entry_meta: { type: "cron", entry } });
    expect(origins(events)).toMatchObject([{ process: { pid: 200 }, stakeout: { origin: { type: "cron", login: LOGIN } } }]);
  });

  test("an entry that was there before us has no writer; one that nobody read is not guessed, and told once it was read", () => {
    const known = run([cron(PATH, LINE)], ...job(120));
    expect(leaderOf(known, 202)?.entry_meta.entry).toEqual({ path: PATH, line: LINE });
    const late = run(file(101, "created", PATH, 72), ...job(120), [cron(PATH, LINE)]);
    expect(leaderOf(late, 202)?.entry_meta.entry).toBeUndefined();
    expect(origins(late).map(({ event, stakeout }) => [event.action, (stakeout.origin as Origin).login])).toEqual([
      ["origin.start", undefined],
      ["origin.attributed", LOGIN],
    ]);
  });

  test("whoever writes into the same file later has not written what was there", () => {
    const other = "0 0 * * * root true";
    const known = run([cron(PATH, LINE)], file(101, "created", PATH, 72), [cron(PATH, LINE), cron(PATH, other)], ...job(120));
    expect(leaderOf(known, 202)?.entry_meta.entry).toEqual({ path: PATH, line: LINE });
  });

  test("a job that calls itself a container's runtime stays its entry's", () => {
    const events = run(
      [cron(PATH, LINE)],
      ...job(120),
      fork(121, 202, 203),
      exec(121, 203, "/usr/bin/runc"),
      fork(122, 203, 204),
      exec(122, 204, "/bin/sh"),
    );
    expect(leaderOf(events, 204)?.entry_meta).toMatchObject({ type: "cron", entry: { path: PATH } });
  });

  test("a script of cron.hourly belongs to whoever wrote it", () => {
    const script = "/etc/cron.hourly/zz";
    const events = run(
      file(101, "moved-in", script, 72),
      [cron("/etc/crontab", "17 * * * * root cd / && run-parts /etc/cron.hourly")],
      fork(120, 5, 200),
      fork(120, 200, 201),
      exec(120, 201, "/bin/sh", args("/bin/sh", "-c", "cd / && run-parts /etc/cron.hourly")),
      fork(121, 201, 202),
      exec(121, 202, "/usr/bin/run-parts"),
      fork(122, 202, 203),
      exec(122, 203, script),
    );
    expect(leaderOf(events, 202)?.entry_meta.entry?.path).toBe("/etc/crontab");
    expect(leaderOf(events, 203)).toMatchObject({
      entry_meta: { type: "cron", entry: { path: script, written_by: { entity_id: "B:72:720000000" } } },
    });
  });

  test("a job of at is its writer's", () => {
    const events = run(
      fork(101, 72, 80),
      exec(101, 80, "/usr/bin/at", args("at", "now")),
      file(102, "created", "/var/spool/cron/atjobs/a0000101aabbcc", 80),
      exit(103, 80),
      file(104, "created", "/var/spool/cron/atjobs/=0000101aabbcc", 6),
      fork(104, 6, 200),
      fork(104, 200, 201),
      exec(104, 201, "/bin/sh", args("sh")),
    );
    expect(leaderOf(events, 201)).toMatchObject({
      entry_meta: {
        type: "at",
        entry: { path: "/var/spool/cron/atjobs/a0000101aabbcc", written_by: { entry_leader: { entity_id: LOGIN } } },
      },
    });
  });

  test("a job of at whose file is heard of only after it began is told then", () => {
    const events = run(
      fork(101, 72, 80),
      exec(101, 80, "/usr/bin/at", args("at", "now")),
      file(102, "created", "/var/spool/cron/atjobs/a0000101aabbcc", 80),
      fork(104, 6, 200),
      fork(104, 200, 201),
      exec(104, 201, "/bin/sh", args("sh")),
      file(104.01, "created", "/var/spool/cron/atjobs/=0000101aabbcc", 6),
      fork(105, 201, 202),
      exec(105, 202, "/usr/bin/id"),
    );
    expect(origins(events).map(({ event, stakeout }) => [event.action, (stakeout.origin as Origin).login])).toEqual([
      ["origin.start", undefined],
      ["origin.attributed", LOGIN],
    ]);
    expect(leaderOf(events, 202)?.entry_meta.entry?.path).toBe("/var/spool/cron/atjobs/a0000101aabbcc");
  });

  test("what cron gives to the shell of a line (crontab(5))", () => {
    expect(commandOf("/etc/cron.d/x", "@reboot root  /bin/a b ")).toBe("/bin/a b");
    expect(commandOf("/var/spool/cron/crontabs/root", "*/5 * * * * date +\\%s%in%put")).toBe("date +%s");
    expect(commandOf("/etc/cron.d/x", "SHELL=/bin/sh")).toBeUndefined();
  });
});

describe("what others began for somebody", () => {
  test("a service that systemd-run asked for belongs to who asked", () => {
    const events = run(
      fork(101, 72, 80),
      exec(101, 80, "/usr/bin/systemd-run", args("systemd-run", "--unit", "x", "sleep", "77")),
      fork(102, 1, 90),
      exec(102, 90, "/usr/bin/sleep", args("/usr/bin/sleep", "77")),
      fork(103, 1, 91),
      exec(103, 91, "/usr/bin/sleep", args("/usr/bin/sleep", "78")),
    );
    expect(leaderOf(events, 90)).toMatchObject({ entry_meta: { type: "systemd-run", asked_by: { entry_leader: { entity_id: LOGIN } } } });
    expect(leaderOf(events, 91)?.entry_meta.type).toBe("init");
  });

  test("what is run in a container is that container's, with who asked for it", () => {
    const events = run(
      fork(101, 72, 80),
      exec(101, 80, "/usr/bin/docker", args("docker", "exec", "-it", "web", "sh")),
      fork(101, 1, 90),
      exec(101, 90, "/usr/bin/containerd-shim-runc-v2"),
      fork(102, 90, 91),
      exec(102, 91, "/usr/bin/runc", args("runc", "exec")),
      fork(102, 91, 92),
      exec(103, 92, "/bin/sh", args("sh")),
      fork(104, 92, 93),
      exec(104, 93, "/bin/id"),
    );
    expect(leaderOf(events, 93)).toMatchObject({
      entity_id: "B:92:102000000000",
      entry_meta: { type: "container", asked_by: { entry_leader: { entity_id: LOGIN } } },
    });
  });
});

test("whoever comes in at the machine's own terminal is a login without an address", () => {
  const events = run(
    fork(101, 8, 80),
    exec(101, 80, "/bin/bash", { tty: (4 << 8) | 1, uid: 1000 }),
    fork(102, 80, 81),
    exec(102, 81, "/usr/bin/id"),
  );
  const [login] = events.filter(({ event, process }) => event.action === "login.start" && process?.pid === 8);
  expect(login).toMatchObject({
    user: { name: "dev" },
    process: { tty: { char_device: { major: 4, minor: 1 } }, entry_leader: { entry_meta: { type: "console" } } },
  });
  expect(login?.source).toBeUndefined();
  expect(login?.stakeout.unseen).toBeUndefined();
  expect(leaderOf(events, 81)?.entity_id).toBe(login?.process?.entity_id);
});
