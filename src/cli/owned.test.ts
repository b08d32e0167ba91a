import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { runLocal, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { PATIENCE } from "#testing/patience";
import { type ConsoleInPty, inPty } from "#testing/pty";
import { PROGRAM, sessionsFolder } from "#testing/story";
import { readPackageList } from "./packages.ts";

const reason = rangeAvailable();

/** What a host is held against, with the real program: its packages. */
describe.skipIf(reason !== undefined)(`whose a program is${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  const lists = sessionsFolder();
  let range: Range;
  let console_: ConsoleInPty;
  const open = (...options: string[]) => {
    const where = ["--config", range.sshConfig, "--sessions", sessions.path, "--no-card", "--analyst", "jm", ...options];
    console_ = inPty(range.inNetns(range.netns.analyst, [...PROGRAM, "devbox", ...where]), 160, 50);
  };
  const { events } = sessions;
  const told = (path: string) => events().filter(({ event, file }) => event.action === "file.package" && file?.path === path);
  const onHost = async (script: string) => (await range.onHost(["sh", "-c", script])).stdout.trim();

  beforeAll(async () => {
    range = await startRange();
  });
  afterEach(() => console_?.kill("SIGKILL"));
  afterAll(async () => {
    await range?.stop();
    sessions.remove();
    lists.remove();
  });

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
    await console_.screen.until(/● tracefs\+proc[\s\S]*sshd/);
    await onHost("/usr/bin/ls /tmp >/dev/null; /usr/bin/wc -l /etc/passwd >/dev/null; /usr/bin/cut -c1 /etc/hostname >/dev/null");
    await console_.screen.until(/\/usr\/bin\/ls: a file belongs to coreutils, changed: it differs from both lists/);
    await until("the others to be looked at", () => ["ls", "wc", "cut"].every((name) => told(`/usr/bin/${name}`).length > 0), {
      timeoutMs: PATIENCE,
    });
    expect(told("/usr/bin/ls")[0]).toMatchObject({
      package: { name: "coreutils", version },
      file: { hash: { sha256: await sha("/usr/bin/ls") } },
      stakeout: { ownership: { state: "owned", host: "differs", console: "differs", manager: "dpkg" } },
    });
    expect(told("/usr/bin/wc")[0]?.stakeout.ownership).toMatchObject({ host: "same", console: "same" });
    expect(told("/usr/bin/cut")[0]?.stakeout.ownership).toMatchObject({ host: "same", console: "unlisted" });
    const finding = await until(
      "the finding to be on the disk",
      () => events().find(({ stakeout }) => stakeout.finding?.rule === "package-file-changed"),
      { timeoutMs: PATIENCE },
    );
    expect(finding.stakeout.finding).toMatchObject({ level: "high", technique: ["T1554"], path: "/usr/bin/ls" });
    console_.press("q");
    expect(await console_.exited).toBe(0);
    const report = (await runLocal([...PROGRAM, "report", sessions.newest()])).stdout;
    expect(report).toMatch(/Files of the distribution that are not what their package ships/);
    expect(report).toMatch(/`\/usr\/bin\/ls`\n {2}- belongs to: `coreutils .*CHANGED: it differs from the host's own list/);
    expect(report).toMatch(/Against the list at the console: \d+ the same, 1 changed/);
    expect((await runLocal([...PROGRAM, "verify", sessions.newest()])).stdout).toMatch(/the chain is whole, sealed/);
    // what was as in its list there is a measure for the next host; the changed one is not among it
    const saved = join(lists.path, "baseline.json");
    const said = await runLocal([...PROGRAM, "baseline", "save", sessions.newest(), saved]);
    expect(said.stderr).toMatch(/with the digests of \d+ files of its packages/);
    const kept = await readPackageList(saved);
    expect(kept.get("/usr/bin/wc")).toEqual([{ sha256: await sha("/usr/bin/wc"), package: "coreutils", version }]);
    expect(kept.has("/usr/bin/ls")).toBe(false);
  });

  test("unix sockets are asked for from the palette: who holds them, what an agent's and docker's are for, recorded with who asked", async () => {
    await onHost(
      "rm -rf /tmp/ssh-x /tmp/hostile; mkdir -p /tmp/ssh-x; ssh-agent -a /tmp/ssh-x/agent.77 >/dev/null; tmux -S /tmp/tmux-0 new-session -d true; true",
    );
    const listener = range.onHost([
      "perl",
      "-MIO::Socket::UNIX",
      "-e",
      // a name that steers a terminal, and one that would forge a row of the kernel's table
      'my $row = "/tmp/a\n0000000012345678: 00000002 00000000 00010000 0001 01 4242424242 /tmp/forged"; system "mkdir", "-p", $row; my @s = map { IO::Socket::UNIX->new(Local => $_, Listen => 1) // die "$_: $!" } "/run/docker.sock", "/tmp/he[2Jx", "$row/docker.sock"; open my $f, ">", "/tmp/listening"; close $f; sleep 120',
    ]);
    await until("the sockets", async () => (await range.onHost(["test", "-e", "/tmp/listening"])).code === 0);
    open();
    await console_.screen.until(/● tracefs\+proc[\s\S]*sshd/);
    console_.press(":", ..."Unix sockets", "enter");
    const shown = await console_.screen.until(/╭─ Unix sockets[\s\S]*asked by jm[\s\S]*docker\.sock/);
    expect(shown).toMatch(/listens +\/run\/docker\.sock[\s\S]*?perl \d+ . docker: who reaches it is root on the host/);
    expect(shown).toMatch(/\/tmp\/ssh-x\/agent\.77[\s\S]*?ssh-agent \d+ . ssh agent: who reaches it logs in with its keys/);
    expect(shown).toMatch(/forged\/docker\.sock[\s\S]*?nobody's descriptor of it was found/);
    const asked = () => events().filter(({ event }) => event.action === "network.sockets");
    await until("the answer to be on the disk", () => asked().length > 0);
    const [told, ...more] = asked();
    expect(more).toEqual([]);
    expect(told?.stakeout.analyst).toBe("jm");
    const agent = told?.stakeout.sockets?.items.find(({ path }) => path === "/tmp/ssh-x/agent.77");
    expect(agent).toMatchObject({ listening: true, type: "stream", processes: [{ name: "ssh-agent", entity_id: expect.any(String) }] });
    console_.press("escape");
    await until("the list to be closed", () => !console_.screen.text().includes("╭─ Unix sockets"));
    console_.press("q");
    expect(await console_.exited).toBe(0);
    await onHost("pkill -x ssh-agent; pkill -f 'Socket::UNIX'; true");
    await listener;
  });

  test("a file on a list of known-bad files is an alarm by its content, in the log and in the report, and nothing of the list is on the host", async () => {
    const sha = async (path: string) => (await onHost(`sha256sum ${path}`)).slice(0, 64);
    await onHost("truncate -s -10 /usr/bin/ls"); // as it was: there is one line for alarms
    await onHost("cp /usr/bin/sleep /tmp/xq7zk; printf more >>/tmp/xq7zk");
    const digest = await sha("/tmp/xq7zk");
    const [bad, good] = [join(lists.path, "misp.csv"), join(lists.path, "rds.txt")];
    writeFileSync(bad, `uuid,type,value,comment,to_ids\nu,filename|sha256,xq|${digest},the miner,1\n`);
    writeFileSync(good, `"SHA-1","FileName"\n"${(await onHost("sha1sum /usr/bin/env")).slice(0, 40)}","env"\n`);
    open("--known-bad", bad, "--known-good", good);
    await console_.screen.until(/● tracefs\+proc[\s\S]*sshd/);
    const by = range.inNetns(range.netns.analyst, ["ssh", "-F", range.sshConfig, "devbox", "/tmp/xq7zk 0; /usr/bin/env true"]);
    expect((await runLocal(by)).code).toBe(0);
    await console_.screen.until(/\/tmp\/xq7zk: a file is known as bad, by the list misp\.csv: xq: the miner/);
    const found = () => events().filter(({ stakeout }) => stakeout.finding?.rule === "known-bad-file");
    await until("the finding to be on the disk", () => found().length > 0);
    expect(found()[0]?.stakeout.finding).toMatchObject({ level: "critical", path: "/tmp/xq7zk" });
    await until("env to be looked at", () => told("/usr/bin/env").length > 0);
    expect(told("/usr/bin/env")[0]?.stakeout["known"]).toEqual({ verdict: "good", list: "rds.txt", words: "env", by: "sha1" });
    console_.press("4");
    await console_.screen.until(/\/tmp\/xq7zk +bad/);
    // the same content in memory alone, under a kernel thread's name
    const load = `import os; fd = os.memfd_create("kworker"); os.write(fd, open("/tmp/xq7zk", "rb").read()); os.execve(fd, ["kworker/0:1", "2"], {})`;
    await runLocal(range.inNetns(range.netns.analyst, ["ssh", "-F", range.sshConfig, "devbox", "python3 -"]), load);
    await console_.screen.until(/\/memfd:kworker: a file is known as bad[\s\S]*/);
    await console_.screen.until(/\/memfd:kworker +bad +memfd/);
    console_.press("q");
    expect(await console_.exited).toBe(0);
    expect(found().map(({ file }) => file?.path)).toEqual(["/tmp/xq7zk", "/memfd:kworker"]);
    const report = (await runLocal([...PROGRAM, "report", sessions.newest()])).stdout;
    expect(report).toMatch(
      /Files that are known as bad, by lists that the analyst brought \(2 files\):\n\n- `\/tmp\/xq7zk`, sha256 `[0-9a-f]{64}`: `KNOWN BAD by the list misp\.csv: xq: the miner`/,
    );
    expect(report).toContain("bad: misp.csv (1); good: rds.txt (1, 1 of them sha1)");
    expect(await onHost("grep -rls misp.csv /tmp /var /root /run || true")).toBe("");
  });

  test("on a host that computes no digest a new binary is hashed here, looked up by that, and how is said", async () => {
    await onHost("cp /usr/bin/sleep /tmp/streamed; printf other >>/tmp/streamed");
    const [md5, sha256] = (await onHost("md5sum </tmp/streamed; sha256sum </tmp/streamed")).split("\n").map((line) => line.split(" ")[0]);
    await onHost(`
      perl -e 'for my $m ("SHA.pm", "MD5.pm") { for (@INC) { rename "$_/Digest/$m", "$_/Digest/$m.away" or die if -e "$_/Digest/$m" } }'
      for d in sha256 sha1 md5; do mv /usr/bin/$d'sum' /usr/bin/$d'sum.away'; done`);
    const bad = join(lists.path, "old.md5");
    writeFileSync(bad, `${md5}  the miner\n`);
    open("--known-bad", bad);
    await console_.screen.until(/● tracefs\+proc[\s\S]*sshd/);
    const by = range.inNetns(range.netns.analyst, ["ssh", "-F", range.sshConfig, "devbox", "/tmp/streamed 0"]);
    expect((await runLocal(by)).code).toBe(0);
    await console_.screen.until(/\/tmp\/streamed: a file is known as bad, by the list old\.md5 and its MD5: the miner/);
    const infos = () => events().filter(({ event, file }) => event.action === "file.info" && file?.path === "/tmp/streamed");
    await until("both facts of it to be on the disk", () => infos().length > 1);
    const [first, second] = infos();
    expect(first?.event.reason).toMatch(/this host computes no sha256/);
    expect(second).toMatchObject({ file: { hash: { sha256, md5 } }, stakeout: { hashed: { by: "console", bytes: second?.file?.size } } });
    console_.press("q");
    expect(await console_.exited).toBe(0);
    const report = (await runLocal([...PROGRAM, "report", sessions.newest()])).stdout;
    expect(report).toMatch(new RegExp(`sha256 \`${sha256}\` \\(made here, of \\d+ bytes that were read over the line\\)`));
  });

  test("a mistake in the list is told with its line before the host is touched", async () => {
    const list = join(lists.path, "packages");
    writeFileSync(list, "no digest  /bin/ls  coreutils 9.1-1\n");
    for (const [option, why] of [
      ["--packages", /packages, line 1: it does not begin with a sha256/],
      ["--known-bad", /--known-bad .*packages, line 1: it does not begin with a sha256/],
      ["--mmdb", /--mmdb .*packages cannot be used: .* is no MaxMind DB file/],
    ] as const) {
      const said = await runLocal([...PROGRAM, "record", "nowhere.invalid", option, list, "--for", "1s"]);
      expect([said.code, said.stderr]).toEqual([2, expect.stringMatching(why)]);
    }
  });
});
