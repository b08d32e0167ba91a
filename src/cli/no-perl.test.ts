import { spawn } from "node:child_process";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { argvOnHost } from "#range/load";
import { runLocal, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { PATIENCE } from "#testing/patience";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { PROGRAM, sessionsFolder } from "#testing/story";

const reason = rangeAvailable();

/** The real program on a host that has busybox and dropbear and nothing else, as a router or an appliance. */
describe.skipIf(reason !== undefined)(`a host of busybox and dropbear${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  let range: Range;
  let console_: ConsoleInPty | undefined;
  const program = (...argv: string[]) => range.inNetns(range.netns.analyst, [...PROGRAM, ...argv]);
  beforeAll(async () => {
    range = await startRange({ system: "busybox" });
  });
  afterEach(() => console_?.kill("SIGKILL"));
  afterAll(async () => {
    await range?.stop();
    sessions.remove();
  });

  test("is watched: processes, an intruder's program of two seconds, a new file and its hash; the screen says how, and what is missed", async () => {
    console_ = inPty(program("devbox", "--config", range.sshConfig, "--sessions", sessions.path, "--no-card", "--analyst", "jm"), 160, 50);
    const { screen } = console_;
    await screen.until(/● poll[\s\S]*dropbear[\s\S]*blind +no perl: a shell looks at processes four times a second/);
    expect((await range.onHost(["sh", "-c", "cp /bin/busybox /tmp/kworkerd && chmod 755 /tmp/kworkerd"])).code).toBe(0);
    const intruder = spawn("setpriv", [
      "--pdeathsig",
      "KILL",
      "--",
      ...argvOnHost(range, ["sh", "-c", "ln -s /tmp/kworkerd /tmp/sleep; /tmp/sleep 2; exit 0"]),
    ]);
    await until(
      "the program in the log, from its start to its end",
      () => {
        const events = sessions.events();
        const started = events.find(({ event, process }) => event.action === "process.start" && process?.executable === "/tmp/kworkerd");
        return events.some(
          ({ event, process }) => event.action === "process.end" && process?.entity_id === started?.process?.entity_id && started,
        );
      },
      { everyMs: 200 },
    );
    intruder.kill("SIGKILL");
    const text = await screen.until(/\/tmp\/kworkerd/);
    expect(text).toMatch(/New binaries/);
    await until("its hash", () => sessions.events().some(({ file }) => file?.path === "/tmp/kworkerd" && file.hash?.sha256), {
      timeoutMs: PATIENCE,
      everyMs: 200,
    });
    console_.press("8");
    await screen.until(/no perl/);
    console_.press("1");
    // somebody ends what watches: the same session goes on with another
    const ended = await range.onHost([
      "sh",
      "-c",
      "cd /proc; for p in [0-9]*; do tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -q '[I]FS= read -r .w l;do' && kill -9 $p && exit 0; done; exit 1",
    ]);
    expect(ended.code).toBe(0);
    await until("the session to be resumed", () => sessions.events().some(({ event }) => event.action === "session.resume"), {
      timeoutMs: PATIENCE,
      everyMs: 200,
    });
    await screen.until(/● poll[\s\S]*dropbear[\s\S]*blind +no perl/);
    console_.press("q");
    expect(await console_.exited).toBe(0);
    expect((await runLocal([...PROGRAM, "verify", sessions.newest()])).stdout).toMatch(/the chain is whole, sealed/);
  });

  test("the doctor says before the call what will be seen there, and what to do", async () => {
    const ran = await runLocal(program("doctor", "devbox", "--config", range.sshConfig));
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toMatch(/in part +programs that run +poll, by a shell/);
    expect(ran.stdout).toMatch(/-> Have perl put on the host/);
    expect(ran.stdout).toMatch(/\* poll +taken/);
    expect(ran.stdout).toMatch(/tracefs\+proc +not here: no perl on this host/);
    expect(ran.code).toBe(0);
  });

  test("is isolated by busybox's own ip, which is proven, and released to what was before", async () => {
    // the kernel keeps a table that was used once, with nothing but its own entry of the highest metric in it
    const routing = async () =>
      (
        await range.onHost([
          "sh",
          "-c",
          "for f in 4 6; do ip -$f rule; ip -$f route; done; ip -4 route show table all; grep -v ' ffffffff ' /proc/net/ipv6_route | cut -d' ' -f1-6,9-",
        ])
      ).stdout;
    const reaches = async (address: string) => (await range.onHost(["ping", "-c", "1", "-W", "2", address])).code === 0;
    const way = ["--config", range.sshConfig, "--sessions", sessions.path];
    const before = await routing();
    const plan = await runLocal(program("isolate", "devbox", "--config", range.sshConfig, "--dry-run"));
    expect(plan.code).toBe(0);
    expect(`${plan.stdout}${plan.stderr}`).not.toMatch(/perl|python/);
    expect([await reaches(range.c2.address), await reaches(range.c2.address6)]).toEqual([true, true]);
    const cut = await runLocal(program("isolate", "devbox", ...way));
    expect(cut.stderr).not.toMatch(/nothing of it was applied|not proven/);
    expect(cut.code).toBe(0);
    expect([await reaches(range.c2.address), await reaches(range.c2.address6)]).toEqual([false, false]);
    const released = await runLocal(program("release", "devbox", ...way));
    expect(released.stderr).toMatch(/^stakeout: recorded in \S+\n$/);
    expect(released.code).toBe(0);
    expect(await routing()).toBe(before);
    expect(await reaches(range.c2.address)).toBe(true);
  });
});
