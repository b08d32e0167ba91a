import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EntryLeader, StakeoutEvent } from "#model/event";
import { rangeAvailable } from "#range/available";
import { exited, runLocal, startBound, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { PROGRAM, sessionsFolder } from "#testing/story";

const reason = rangeAvailable();
const CRON = "/etc/cron.d/zz-story";

/** What an intruder does to be rid of his login; each sleeps for another time, by which it is found again. None keeps the terminal open. */
const BREAKOUT = `
sudo -n -u ops sleep 0.3
su ops -c 'sleep 0.4'
setsid nohup sleep 301 </dev/null >/dev/null 2>&1 &
(sh -c 'sleep 302 </dev/null >/dev/null 2>&1 &' &)
tmux -L s new-session -d 'sleep 303'
screen -dmS s sleep 304
echo 'sleep 305' | at now 2>/dev/null
echo '* * * * * root sleep 306' >${CRON}
sleep 2
`;

describe.skipIf(reason !== undefined)(`whose everything is, on a real host${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  const folder = mkdtempSync(join(tmpdir(), "stakeout-origins-"));
  let range: Range;
  beforeAll(async () => {
    range = await startRange();
    const { code, stderr } = await range.onHost(["/bin/sh", "-ec", "chmod 755 /run /var/run; /usr/sbin/atd"]);
    expect(code, stderr).toBe(0);
  }, 170_000);
  afterAll(async () => {
    await range?.stop();
    sessions.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  const ssh = (netns: string, key: string, ...more: string[]) =>
    range.inNetns(netns, [
      ...[
        "env",
        "TERM=xterm",
        "timeout",
        "40",
        "ssh",
        "-F",
        "none",
        "-i",
        key,
        "-o",
        "BatchMode=yes",
        "-o",
        "LogLevel=ERROR",
        "-o",
        "IdentitiesOnly=yes",
      ],
      ...["-o", `UserKnownHostsFile=${range.knownHosts}`, "-o", "GlobalKnownHostsFile=/dev/null"],
      ...more,
    ]);
  const stakeout = (...command: string[]) =>
    runLocal(range.inNetns(range.netns.analyst, [...PROGRAM, ...command, "--sessions", sessions.path]));
  const events = (): StakeoutEvent[] => {
    const file = join(sessions.newest(), "events.jsonl");
    if (!existsSync(file)) return [];
    const whole = readFileSync(file, "utf8");
    return whole
      .slice(0, whole.lastIndexOf("\n") + 1)
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as StakeoutEvent);
  };
  const of = (action: string) => events().filter(({ event }) => event.action === action);
  const sleeper = (seconds: number): EntryLeader | undefined =>
    of("process.start").findLast(({ process }) => process?.args?.join(" ") === `sleep ${seconds}`)?.process?.entry_leader;
  const wait = <T>(what: string, found: () => T | undefined | false) => until(what, found, { everyMs: 200 });

  test("every way out of a login is told as that login's, a job by its entry; the past and the set-up are read; one connection of several channels is one login", async () => {
    const root = `root@${range.host.address}`;
    const [colleague, key] = [range.netns.responders[0], range.keys.responders[0]];
    await runLocal(ssh(colleague, key, "-tt", root, "true"));
    const options = ["--config", range.sshConfig, "--analyst", "jm"];
    const recording = startBound(
      range.inNetns(range.netns.analyst, [...PROGRAM, "record", "devbox", "--for", "1200s", ...options, "--sessions", sessions.path]),
      "pipe",
    );
    recording.stdout?.resume();
    recording.stderr?.resume();
    await wait("the look back", () => of("lookback.complete").length > 0);

    // The colleague who was here before us is remembered, by what saw him.
    const before = of("lookback.login").find(({ source }) => source?.ip === range.addresses.responders[0]);
    expect(before?.stakeout.lookback).toMatchObject({ methods: ["publickey"], keys: [expect.stringMatching(/^SHA256:/)] });
    expect(before?.stakeout.lookback?.from).toEqual(expect.arrayContaining(["syslog", "wtmp"]));

    // As a command, not typed: sudo passes what is typed ahead on to what it runs.
    await runLocal(ssh(range.netns.intruder, range.keys.intruder, "-tt", root, BREAKOUT));
    const login = await wait("the intruder's login", () => of("login.start").find(({ source }) => source?.ip === range.addresses.intruder));
    const id = login.process?.entity_id;
    for (const seconds of [301, 302, 303, 304])
      expect(await wait(`sleep ${seconds}`, () => sleeper(seconds))).toMatchObject({ entity_id: id });
    const origins = () => of("origin.start").filter(({ stakeout }) => stakeout.origin?.login === id);
    expect(origins().map(({ stakeout }) => stakeout.origin?.type)).toEqual(expect.arrayContaining(["sudo", "su", "tmux", "screen"]));
    expect(origins().find(({ stakeout }) => stakeout.origin?.type === "sudo")?.user).toMatchObject({
      name: "root",
      effective: { name: "ops" },
    });
    const info = await wait("what the host says of the login", () => of("login.info").find(({ process }) => process?.entity_id === id));
    expect(info.stakeout.login).toMatchObject({ method: "publickey", key: expect.stringMatching(/^SHA256:/), from: ["syslog"] });
    expect(info.stakeout.login?.contradicts).toBeUndefined();

    // One master connection, two channels with terminals.
    const socket = join(folder, "master");
    const master = startBound(ssh(colleague, key, "-M", "-S", socket, "-N", root), "pipe");
    await wait("the master connection", () => existsSync(socket));
    await Promise.all(
      ["307", "308"].map((name) =>
        runLocal(ssh(colleague, key, "-tt", "-S", socket, root, `sleep 0.5; exec sh -c 'sleep 1; exit ${name}'`)),
      ),
    );
    master.kill();
    const channels = await wait("both channels", () => {
      const shells = of("process.start").filter(({ process }) => /exit 30[78]/.test(process?.args?.at(-1) ?? ""));
      return shells.length >= 2 && shells;
    });
    expect(new Set(channels.map(({ process }) => process?.entry_leader?.entity_id)).size).toBe(1);
    expect(new Set(channels.map(({ process }) => process?.tty?.char_device.minor)).size).toBe(2);
    expect(of("login.start").filter(({ process }) => process?.entity_id === channels[0]?.process?.entry_leader?.entity_id)).toHaveLength(1);

    // What has left the login for good comes back to it by its entry.
    const by = {
      written_by: { entry_leader: { entity_id: id, entry_meta: { type: "sshd", source: { ip: range.addresses.intruder } } } },
    };
    expect((await wait("the job of at", () => sleeper(305)))?.entry_meta).toMatchObject({ type: "at", entry: by });
    expect(of("baseline.added").some(({ stakeout }) => stakeout.inventory?.items[0]?.name === CRON)).toBe(true);
    expect((await wait("the job of cron", () => sleeper(306)))?.entry_meta).toMatchObject({
      type: "cron",
      entry: { path: CRON, line: "* * * * * root sleep 306", ...by },
    });
    recording.kill("SIGINT");
    await exited(recording);

    // Kept, and compared with the host once the entry is gone.
    const [kept, now] = [join(folder, "kept"), join(folder, "now")];
    expect((await stakeout("baseline", "save", sessions.newest(), kept)).code).toBe(0);
    await range.onHost(["rm", CRON]);
    const saved = await stakeout("baseline", "save", "devbox", now, "--config", range.sshConfig);
    expect(saved.code, saved.stderr).toBe(0);
    const { stdout } = await stakeout("baseline", "diff", kept, now);
    expect(stdout).toContain(`- cron       ${CRON}  * * * * * root sleep 306`);
    expect(stdout).not.toMatch(/^[+-] (?:user|key|sudoer)/m);
  });
});
