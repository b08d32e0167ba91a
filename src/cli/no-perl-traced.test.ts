import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { runLocal, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { PATIENCE } from "#testing/patience";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { PROGRAM, sessionsFolder } from "#testing/story";

const reason = rangeAvailable();

/** The real program on a machine that has busybox and dropbear and nothing else: a shell follows the kernel's own events there. */
describe.skipIf(reason !== undefined)(`a machine of busybox and dropbear${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  let range: Range;
  let console_: ConsoleInPty | undefined;
  const program = (...argv: string[]) => range.inNetns(range.netns.analyst, [...PROGRAM, ...argv]);
  beforeAll(async () => {
    range = await startRange({ system: "busybox", pidNamespace: false });
  });
  afterEach(() => console_?.kill("SIGKILL"));
  afterAll(async () => {
    await range?.stop();
    sessions.remove();
  });

  test("an intruder's programs of a millisecond are seen, each once, and are his login's; what our shells start is nobody's", async () => {
    console_ = inPty(program("devbox", "--config", range.sshConfig, "--sessions", sessions.path, "--no-card", "--analyst", "jm"), 160, 50);
    const { screen } = console_;
    await screen.until(/● tracefs\+shell[\s\S]*dropbear/);
    const ssh = [
      "ssh",
      "-F",
      "none",
      "-i",
      range.keys.intruder,
      "-o",
      `UserKnownHostsFile=${range.knownHosts}`,
      `root@${range.host.address}`,
    ];
    const script = "cp /bin/busybox /tmp/true; i=0; while [ $i -lt 50 ]; do /tmp/true; i=$((i+1)); done; sleep 1.5";
    const ran = await runLocal(range.inNetns(range.netns.intruder, [...ssh, script]));
    expect(ran.code).toBe(0);
    const his = () =>
      sessions.events().filter(({ event, process }) => event.action === "process.start" && process?.executable === "/tmp/true");
    await until("his programs in the log", () => his().length >= 50, { timeoutMs: PATIENCE, everyMs: 200 });
    expect(his()).toHaveLength(50);
    for (const { process, stakeout } of his()) {
      expect(process?.entry_leader?.entry_meta).toMatchObject({ type: "sshd", source: { ip: range.addresses.intruder } });
      if (process?.args === undefined) expect(stakeout.unseen).toMatchObject({ "process.args": "raced" });
    }
    await until(
      "his login's end",
      () => sessions.events().some(({ event, source }) => event.action === "login.end" && source?.ip === range.addresses.intruder),
      {
        timeoutMs: PATIENCE,
        everyMs: 200,
      },
    );
    await until("a test of the sensor", () => sessions.events().some(({ stakeout }) => (stakeout.report?.canaries?.returned ?? 0) > 0), {
      timeoutMs: PATIENCE,
      everyMs: 200,
    });
    const events = sessions.events();
    const { ip } = { ip: range.addresses.analyst };
    const logins = events.filter(({ event }) => event.action === "login.start");
    expect(logins.filter(({ source, stakeout }) => source?.ip === ip && stakeout["ours"] !== true)).toEqual([]);
    expect(logins.filter(({ source }) => source?.ip === range.addresses.intruder)).toHaveLength(1);
    const ours = new Set(["sleep", "dd", "cat"]);
    const footprint = events.filter(
      ({ event, process }) =>
        event.action === "process.start" && ours.has(process?.name ?? "") && process?.entry_leader?.entry_meta.source?.ip === ip,
    );
    expect(footprint).toEqual([]);
    expect(events.filter(({ event }) => /^sensor\.(tampered|degraded|lost)$/.test(event.action))).toEqual([]);
    console_.press("q");
    expect(await console_.exited).toBe(0);
    expect((await runLocal([...PROGRAM, "verify", sessions.newest()])).stdout).toMatch(/the chain is whole, sealed/);
  });

  test("the doctor says so before the call", async () => {
    const ran = await runLocal(program("doctor", "devbox", "--config", range.sshConfig));
    expect(ran.stdout).toMatch(/\* tracefs\+shell +taken/);
    expect(ran.stdout).toMatch(/seen +programs that run +tracefs\+shell: every one/);
    expect(ran.code).toBe(0);
  });
});
