import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { StakeoutEvent } from "#model/event";
import { rangeAvailable } from "#range/available";
import { runLocal, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { PROGRAM, sessionsFolder } from "#testing/story";

const reason = rangeAvailable();
const LONG = 60_000;

/** What a host is held against, with the real program: its packages. */
describe.skipIf(reason !== undefined)(`whose a program is${reason ? ` (skipped: ${reason})` : ""}`, { timeout: 3 * LONG }, () => {
  const sessions = sessionsFolder();
  const lists = sessionsFolder();
  let range: Range;
  let console_: ConsoleInPty;
  const open = (...options: string[]) => {
    const where = ["--config", range.sshConfig, "--sessions", sessions.path, "--no-card", "--analyst", "jm", ...options];
    console_ = inPty(range.inNetns(range.netns.analyst, [...PROGRAM, "devbox", ...where]), 160, 50);
  };
  const events = () =>
    readFileSync(`${sessions.newest()}/events.jsonl`, "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as StakeoutEvent);
  const told = (path: string) => events().filter(({ event, file }) => event.action === "file.package" && file?.path === path);
  const onHost = async (script: string) => (await range.onHost(["sh", "-c", script])).stdout.trim();

  beforeAll(async () => {
    range = await startRange();
  }, 2 * LONG);
  afterEach(() => console_?.kill("SIGKILL"));
  afterAll(async () => {
    await range?.stop();
    sessions.remove();
    lists.remove();
  }, 2 * LONG);

  test("a changed ls is a finding in words, on the screen and in the report; what is unchanged counts against the console's list alone", async () => {
    const list = join(lists.path, "packages");
    const sha = async (path: string) => (await onHost(`sha256sum ${path}`)).slice(0, 64);
    const version = await onHost("dpkg-query -W coreutils | cut -f2");
    // made before the intruder came, of the clean host
    const lines = await Promise.all(
      ["ls", "wc"].map(async (name) => `${await sha(`/usr/bin/${name}`)}  /bin/${name}  coreutils ${version}`),
    );
    writeFileSync(list, `${lines.join("\n")}\n`);
    await onHost("printf '# and more' >>/usr/bin/ls");
    open("--packages", list);
    await console_.screen.until(/● tracefs\+proc[\s\S]*sshd/, LONG);
    await onHost("/usr/bin/ls /tmp >/dev/null; /usr/bin/wc -l /etc/passwd >/dev/null; /usr/bin/cut -c1 /etc/hostname >/dev/null");
    await console_.screen.until(/\/usr\/bin\/ls: a file belongs to coreutils, changed: it differs from both lists/, LONG);
    await until("the others to be looked at", () => told("/usr/bin/wc").length > 0 && told("/usr/bin/cut").length > 0, { timeoutMs: LONG });
    expect(told("/usr/bin/ls")[0]).toMatchObject({
      package: { name: "coreutils", version },
      file: { hash: { sha256: await sha("/usr/bin/ls") } },
      stakeout: { ownership: { state: "owned", host: "differs", console: "differs", manager: "dpkg" } },
    });
    expect(told("/usr/bin/wc")[0]?.stakeout.ownership).toMatchObject({ host: "same", console: "same" });
    expect(told("/usr/bin/cut")[0]?.stakeout.ownership).toMatchObject({ host: "same", console: "unlisted" });
    const finding = events().find(({ stakeout }) => stakeout.finding?.rule === "package-file-changed");
    expect(finding?.stakeout.finding).toMatchObject({ level: "high", technique: ["T1554"], path: "/usr/bin/ls" });
    console_.press("q");
    expect(await console_.exited).toBe(0);
    const report = (await runLocal([...PROGRAM, "report", sessions.newest()])).stdout;
    expect(report).toMatch(/Files of the distribution that are not what their package ships/);
    expect(report).toMatch(/`\/usr\/bin\/ls`\n {2}- belongs to: `coreutils .*CHANGED: it differs from the host's own list/);
    expect(report).toMatch(/Against the list at the console: \d+ the same, 1 changed/);
    expect((await runLocal([...PROGRAM, "verify", sessions.newest()])).stdout).toMatch(/the chain is whole, sealed/);
  });

  test("a mistake in the list is told with its line before the host is touched", async () => {
    const list = join(lists.path, "packages");
    writeFileSync(list, "no digest  /bin/ls  coreutils 9.1-1\n");
    const said = await runLocal([...PROGRAM, "record", "nowhere.invalid", "--packages", list, "--for", "1s"]);
    expect([said.code, said.stderr]).toEqual([2, expect.stringMatching(/packages, line 1: it does not begin with a sha256/)]);
  });
});
