import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { runLocal, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { PATIENCE } from "#testing/patience";
import { type InShell, inShell } from "#testing/shell";
import { leftOnHost, PROGRAM, sessionsFolder } from "#testing/story";

const reason = rangeAvailable();

/** The line goes bad, and the same session goes on by itself. */
describe.skipIf(reason !== undefined)(`away and back${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  let range: Range;
  let console_: InShell;
  const { events: recorded } = sessions;
  const of = (action: string) => recorded().filter(({ event }) => event.action === action);
  const onHost = async (script: string) => (await range.onHost(["sh", "-c", script])).stdout.trim();
  const inAnalyst = (...argv: string[]) => runLocal(range.inNetns(range.netns.analyst, argv));
  const cut = () => inAnalyst("ip", "route", "add", "blackhole", `${range.host.address}/32`);
  const mend = () => inAnalyst("ip", "route", "del", "blackhole", `${range.host.address}/32`);
  const clean = (what: string, timeoutMs: number) =>
    until(
      what,
      async () => {
        const { instances, collectors } = await leftOnHost(range);
        return instances.length === 0 && collectors === "";
      },
      { timeoutMs, everyMs: 100 },
    );
  const open = async () => {
    const where = ["--config", range.sshConfig, "--sessions", sessions.path, "--no-card"];
    console_ = inShell(range.inNetns(range.netns.analyst, [...PROGRAM, "devbox", ...where]), 160, 40);
    await console_.screen.until(/tracefs\+proc[\s\S]*sshd/);
    await until("the first snapshot to be recorded", () => of("baseline.complete").length === 1);
  };
  const leave = async () => {
    console_.press("q");
    expect((await console_.over()).code).toBe(0);
    expect((await runLocal([...PROGRAM, "verify", sessions.newest()])).stdout).toMatch(/the chain is whole, sealed/);
    await clean("the host to be clean", PATIENCE);
  };

  beforeAll(async () => {
    range = await startRange();
  });
  afterEach(() => {
    console_?.kill("SIGKILL");
    console_?.remove();
  });
  afterAll(async () => {
    await range?.stop();
    sessions.remove();
  });

  test("the line is cut and comes back: the host is clean meanwhile, and what changed there is told", async () => {
    const before = await onHost("sleep 1001 >/dev/null 2>&1 & echo $!");
    await open();
    await cut();
    await clean("the host to be clean without us", PATIENCE);
    const meanwhile = await onHost(`kill ${before}; sleep 1002 >/dev/null 2>&1 & echo $!`);
    await console_.screen.until(/LOST +reconnecting, attempt \d+.*last seen \d+ s ago +r tries now +S stops/);
    expect(of("session.gap")).toHaveLength(1);
    await mend();
    console_.press("r");
    await console_.screen.until(/● tracefs\+proc/);
    await until("the session to go on", () => of("session.resume").length === 1);
    const [resume] = of("session.resume");
    expect(resume?.event.duration).toBeGreaterThan(5e9);
    expect(resume?.event.reason).toMatch(/Nothing was seen for \d+ s/);
    expect(of("process.end").find(({ process }) => String(process?.pid) === before)).toMatchObject({
      event: { reason: "ended while we were away" },
    });
    expect(of("process.start").find(({ process }) => String(process?.pid) === meanwhile)).toMatchObject({
      event: { reason: expect.stringMatching(/found when we came back/) },
      process: { args: ["sleep", "1002"] },
    });
    expect(of("login.start").filter(({ stakeout }) => stakeout["ours"])).toHaveLength(2);
    // and it sees: what is run now is told
    await onHost("/usr/bin/id");
    await until("what is run now to be seen", () => of("process.start").some(({ process }) => process?.executable === "/usr/bin/id"), {
      timeoutMs: PATIENCE,
    });
    await leave();
  });

  test("one key ends all that watches the host, which is clean then, and another begins it again in the same session", async () => {
    await open();
    console_.press("S");
    await console_.screen.until(/NOT WATCHED +nothing is collected.*r begins again.*ended all that watches the host/);
    await clean("nothing of ours to be left", PATIENCE);
    const meanwhile = await onHost("sleep 1003 >/dev/null 2>&1 & echo $!");
    expect(of("session.gap")).toHaveLength(1);
    console_.press("r");
    await until("what ran meanwhile to be found", () => of("process.start").some(({ process }) => String(process?.pid) === meanwhile), {
      timeoutMs: PATIENCE,
    });
    expect(of("login.start").filter(({ stakeout }) => stakeout["ours"])).toHaveLength(1); // the connection was there all the time
    expect(of("session.resume")).toHaveLength(1);
    await onHost(`kill ${meanwhile}`);
    await leave();
  });

  test("sshd is killed and started again: it is tried with longer pauses, stopped and taken up by key, and never with another host key", async () => {
    await open();
    await onHost("mv /usr/sbin/sshd /usr/sbin/sshd.away; for p in $(pgrep sshd); do kill -9 $p; done");
    await console_.screen.until(/LOST +reconnecting, attempt 2/);
    console_.press("S");
    await console_.screen.until(/LOST +not tried any more/);
    // whoever answers in its place with a key of his own is not given ours
    await onHost(
      "cp -a /etc/ssh /etc/ssh.before; for k in /etc/ssh/ssh_host_*_key; do rm $k $k.pub; done; ssh-keygen -A >/dev/null; mv /usr/sbin/sshd.away /usr/sbin/sshd",
    );
    await until("sshd to listen again", async () => (await onHost("busybox netstat -ltn")).includes(":22 "), {
      timeoutMs: PATIENCE,
      everyMs: 200,
    });
    console_.press("r");
    await console_.screen.until(/LOST +not tried any more[\s\S]*KEY/);
    expect(of("session.resume")).toHaveLength(0);
    await onHost("rm -r /etc/ssh; mv /etc/ssh.before /etc/ssh; kill -9 $(pgrep -o sshd)");
    await until("sshd to listen again", async () => (await onHost("busybox netstat -ltn")).includes(":22 "), {
      timeoutMs: PATIENCE,
      everyMs: 200,
    });
    console_.press("r");
    await console_.screen.until(/● tracefs\+proc/);
    await until("the session to go on", () => of("session.resume").length === 1);
    await leave();
  });

  test("the console is stopped for longer than the sensor waits, and goes on", async () => {
    await open();
    const pid = await console_.programPid();
    process.kill(pid, "SIGSTOP");
    await clean("the host to be clean without us", PATIENCE);
    process.kill(pid, "SIGCONT");
    await until("the session to go on", () => of("session.resume").some(({ stakeout }) => stakeout["away"]));
    expect(of("sensor.start")).toHaveLength(2);
    expect(of("login.start").filter(({ stakeout }) => stakeout["ours"])).toHaveLength(1); // the connection held
    await console_.screen.until(/● tracefs\+proc/);
    await leave();
  });

  test("a line of 50 kB/s under a host that starts programs without end: the session holds, and what was not seen is counted and said", async () => {
    const tc = (...argv: string[]) => runLocal(range.inNetns(range.netns.host, ["tc", "qdisc", ...argv]));
    await open();
    const slow = await tc("add", "dev", "eth0", "root", "tbf", "rate", "400kbit", "burst", "16kb", "latency", "500ms");
    expect(slow.code, slow.stderr).toBe(0);
    try {
      await onHost(`perl -e 'for (1 .. 4000) { my $p = fork; if (!$p) { exec "/bin/true", "x" x 200 } waitpid $p, 0 }'`);
      await onHost("/usr/bin/id -u");
      await until("what came last to be seen", () => of("process.start").some(({ process }) => process?.executable === "/usr/bin/id"), {
        timeoutMs: 2 * PATIENCE,
        everyMs: 500,
      });
    } finally {
      await tc("del", "dev", "eth0", "root");
    }
    expect(of("session.gap")).toHaveLength(0);
    expect(of("sensor.tampered")).toHaveLength(0); // a test that waits behind a full line is nobody's hand
    const seen = of("process.start").filter(({ process }) => process?.executable === "/bin/true").length;
    expect(seen).toBeGreaterThan(1000);
    const dropped = of("sensor.report").at(-1)?.stakeout.report?.lost ?? 0;
    const told = of("sensor.degraded").some(({ event }) => /the kernel dropped \d+ events/.test(event.reason ?? ""));
    expect(told).toBe(dropped > 0);
    await leave();
  });

  test("without a screen the recording goes on as well, and gives up when it was told to", async () => {
    const known = new Set(readdirSync(sessions.path));
    const argv = [...PROGRAM, "record", "devbox", "--config", range.sshConfig, "--sessions", sessions.path, "--give-up", "1m"];
    const [program, ...rest] = range.inNetns(range.netns.analyst, argv) as [string, ...string[]];
    const child = spawn(program, rest, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk;
    });
    const code = new Promise<number | null>((resolve) => child.on("close", resolve));
    await until("the recording to begin", () => readdirSync(sessions.path).some((name) => !known.has(name)));
    await until("the first snapshot", () => of("baseline.complete").length === 1);
    await onHost("for p in $(pgrep -f 'sshd.*(root|priv|notty)'); do kill -9 $p; done");
    await until("it to go on", () => of("session.resume").length === 1);
    expect(said).toMatch(/nothing is seen any more: [\s\S]*Connecting again by itself[\s\S]*Nothing was seen for \d+ s/);
    child.kill("SIGTERM");
    expect(await code).toBe(130);
    await clean("the host to be clean", PATIENCE);
  });
});
