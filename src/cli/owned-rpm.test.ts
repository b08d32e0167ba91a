import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { runLocal, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { becomeRpmHost, RPM_LIST, RPM_TOOLS } from "#range/rpm-host";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { PROGRAM, sessionsFolder } from "#testing/story";
import { readPackageList } from "./packages.ts";

const reason = rangeAvailable();

/** A host whose packages are rpm's, with the real program. */
describe.skipIf(reason !== undefined)(`whose a program is, by rpm${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  const lists = sessionsFolder();
  let range: Range;
  let console_: ConsoleInPty | undefined;
  const { events } = sessions;
  const told = (path: string) => events().filter(({ event, file }) => event.action === "file.package" && file?.path === path);
  const onHost = async (script: string) => (await range.onHost(["sh", "-c", script])).stdout.trim();

  beforeAll(async () => {
    range = await startRange({ packages: RPM_TOOLS });
    await becomeRpmHost(range);
  });
  afterEach(() => console_?.kill("SIGKILL"));
  afterAll(async () => {
    await range?.stop();
    sessions.remove();
    lists.remove();
  });

  test("a changed ls is a finding in rpm's words; a list that rpm made of the packages is what unchanged counts against", async () => {
    const list = join(lists.path, "packages");
    const made = await onHost(`cd /run/rpms; set -- -p *.rpm; ${RPM_LIST}`);
    writeFileSync(list, `${made}\n`);
    const known = await readPackageList(list);
    expect(known.get("/usr/bin/tool")).toMatchObject([
      { package: "tools", version: "1.2-3" },
      { package: "twin", version: "4.1-2" },
    ]);
    // neither what is to be changed, nor what has no such digest
    for (const left of ["/etc/cron.daily/job", "/usr/bin/ghost", "/usr/bin/a-link", "/usr/bin/old"])
      expect(known.has(left), left).toBe(false);
    await onHost("printf '# and more' >>/usr/bin/ls; chmod u+s /usr/bin/cut");
    const options = ["--config", range.sshConfig, "--sessions", sessions.path, "--no-card", "--analyst", "jm", "--packages", list];
    console_ = inPty(range.inNetns(range.netns.analyst, [...PROGRAM, "devbox", ...options]), 160, 50);
    await console_.screen.until(/● tracefs\+proc[\s\S]*sshd/);
    await onHost("/usr/bin/ls /tmp; /usr/bin/wc -l /etc/passwd; /usr/bin/cut -c1 /etc/hostname; /usr/bin/head -c1 /etc/hostname");
    await console_.screen.until(/\/usr\/bin\/ls: a file belongs to coreutils, changed: it differs from both lists/);
    await until("the others to be looked at", () => ["ls", "wc", "cut", "head"].every((name) => told(`/usr/bin/${name}`).length > 0), {});
    const ownership = (name: string) => told(`/usr/bin/${name}`)[0]?.stakeout.ownership;
    expect(told("/usr/bin/ls")[0]?.package).toEqual({ name: "coreutils", version: "4.1-2" });
    expect(ownership("ls")).toMatchObject({ state: "owned", manager: "rpm", host: "differs", console: "differs" });
    expect(ownership("wc")).toMatchObject({ state: "owned", manager: "rpm", host: "same", console: "same" });
    expect(ownership("cut")).toMatchObject({ host: "differs", console: "same", why: "set-user-ID, and not so in its package" });
    expect(ownership("head")).toMatchObject({ state: "none", manager: "rpm", console: "unlisted" });
    const found = () => events().flatMap(({ stakeout: { finding } }) => (finding?.rule === "package-file-changed" ? [finding] : []));
    await until("both findings to be on the disk", () => found().length >= 2);
    expect(found().map(({ path, title }) => `${path}: ${title}`)).toContain(
      "/usr/bin/cut: a file belongs to coreutils, changed: it differs from the host's own rpm database",
    );
    console_.press("q");
    expect(await console_.exited).toBe(0);
    const report = (await runLocal([...PROGRAM, "report", sessions.newest()])).stdout;
    expect(report).toMatch(
      /`\/usr\/bin\/ls`\n {2}- belongs to: `coreutils 4\.1-2, CHANGED: it differs from the host's own rpm database; CHANGED/,
    );
    expect(report).toMatch(
      /`\/usr\/bin\/cut`\n {2}- belongs to: `coreutils 4\.1-2, CHANGED: set-user-ID, and not so in its package; the same/,
    );
    expect(report).toMatch(/Packages[\s\S]*install.*tools-1\.2-3\.x86_64/); // of before we came, by rpm itself
    const saved = join(lists.path, "baseline.json");
    expect((await runLocal([...PROGRAM, "baseline", "save", sessions.newest(), saved])).stderr).toMatch(/with the digests of \d+ files/);
    const kept = await readPackageList(saved);
    expect(kept.get("/usr/bin/wc")).toEqual([
      { sha256: (await onHost("sha256sum /usr/bin/wc")).slice(0, 64), package: "coreutils", version: "4.1-2" },
    ]);
    expect(kept.has("/usr/bin/ls")).toBe(false);
  });
});
