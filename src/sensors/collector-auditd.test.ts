import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Range, startRange } from "#range/range";
import { type Started, startPrograms } from "#range/vm/arguments";
import { installPackages } from "#range/vm/install";
import { prepareVm, vmAvailable } from "#range/vm/saved";
import { startVm, type Vm } from "#range/vm/vm";
import { examine } from "./doctor.ts";
import { type SshRunner, sshRunner } from "./testing/ssh-runner.ts";
import { until, type Watched, watch } from "./testing/watched.ts";

const reason = vmAvailable();
if (reason !== undefined && process.env["CI"]) throw new Error(`no virtual machine can be made here: ${reason}`);
/** On an emulated machine that may be five times slower than ours; in seconds for `until`. */
const LONG = 120;
/** What a customer's auditd is there for: a file that is read, and a program that is run. */
const RULES = "auditctl -w /etc/hostname -p r -k theirs && auditctl -a always,exit -F arch=b64 -S execve -F exe=/usr/bin/id -k theirs-id";
const THEIRS = ["-w /etc/hostname -p r -k theirs", "-a always,exit -F arch=b64 -S execve -F exe=/usr/bin/id -F key=theirs-id"];
const LOG = "/var/log/audit/audit.log";

/** A host that is audited by its owner: Debian's auditd as its package starts it, with rules of his; all is asked by its own auditctl(8). */
describe.skipIf(reason !== undefined)(`beside an auditd${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let range: Range;
  let vm: Vm;
  let runner: SshRunner;
  const guest = async (script: string) => {
    const { code, stdout, stderr } = await vm.run(script, { timeoutMs: 1000 * LONG });
    expect(code, `${script}: ${stderr}`).toBe(0);
    return stdout.trim();
  };
  /** Of the kernel: auditing on or off, the auditd's pid, records that were lost. */
  const status = async () => {
    const fields = new Map((await guest("auditctl -s")).split("\n").map((line) => line.split(" ", 2) as [string, string]));
    return { enabled: Number(fields.get("enabled")), pid: Number(fields.get("pid")), lost: Number(fields.get("lost")) };
  };
  const rules = async () => (await guest("auditctl -l")).split("\n").filter((line) => line !== "No rules");
  const ours = async () => (await rules()).filter((rule) => rule.includes("key=stakeout.")).length;
  const written = async (what: string) => Number(await guest(`grep -c -e '${what}' ${LOG} || true`));
  const watched = async (): Promise<Watched> => {
    const seen = await watch(runner, "audit", 1000 * LONG);
    expect(seen.collector.hello.tier, seen.collector.hello.blind.join("\n")).toBe("audit");
    expect(await ours()).toBe(2);
    return seen;
  };
  const wrong = (seen: Watched, started: readonly Started[]) => {
    const told = seen.of("exec").map(({ pid, facts }) => JSON.stringify([pid, facts.args]));
    return started.filter(({ pid, args }) => !told.includes(JSON.stringify([pid, args])));
  };
  const restarted = async () => {
    await guest("systemctl start auditd");
    await until(async () => (await status()).pid > 0, "auditd to be up", LONG);
  };

  beforeAll(async () => {
    await prepareVm("6.1");
    range = await startRange();
    vm = await startVm(range, "6.1");
    runner = sshRunner(range, "root", { ...vm.host, sshConfig: vm.sshConfig });
    await installPackages(range, vm, ["auditd"]);
    await guest(RULES);
    expect(await status()).toMatchObject({ enabled: 1, pid: expect.any(Number) });
  }, 900_000);
  afterAll(async () => {
    await vm?.stop();
    await range?.stop();
  });

  test("both have every program, the auditd its own records too; afterwards its rules are what they were, and nothing of ours is on the disk but in logs", async () => {
    const before = await status();
    expect(before.pid).toBeGreaterThan(0);
    const found = await examine(runner, "audit");
    expect(found.auditing).toMatchObject({ on: true, daemon: before.pid, rules: 2 });
    expect(found.tiers.find(({ taken }) => taken)?.id).toBe("audit");
    // file systems tell times by the clock's last tick: what is changed from here on is newer than this
    await guest("touch /run/mark && until touch /run/now && [ /run/now -nt /run/mark ]; do :; done");
    const seen = await watched();
    const started = await startPrograms(vm, 3, [1, 2, 3, 24, 25, 64]);
    await guest("cat /etc/hostname; /usr/bin/id -u");
    await seen.see("exec", ({ path, facts }) => path === "/usr/bin/id" && facts.args?.[1] === "-u");
    expect(wrong(seen, started)).toEqual([]);
    expect(seen.of("tier")).toEqual([]);
    expect(seen.of("tick").at(-1)?.lost).toBe(0);
    expect((await rules()).slice(0, 2), "ours come behind").toEqual(THEIRS);
    await seen.collector.stop();
    await until(async () => (await ours()) === 0, "our rules to be away", LONG);
    expect(await status()).toEqual(before);
    expect(await rules()).toEqual(THEIRS);
    await until(async () => (await written("op=remove_rule.*stakeout")) === 2, "auditd to have written the last of it", LONG);
    const recorded = await guest(`sed -n 's/^type=SYSCALL .* pid=\\([0-9]*\\) .* key="\\(stakeout\\|theirs\\).*/\\1/p' ${LOG}`);
    const pids = new Set(recorded.split("\n").map(Number));
    expect(started.filter(({ pid }) => !pids.has(pid))).toEqual([]);
    expect(await written('op=add_rule.*key="stakeout')).toBe(2);
    expect(await written('SYSCALL.*key="theirs-id"')).toBe(1);
    const elsewhere = "! -path /run ! -path /dev ! -path /proc ! -path '/var/log/journal*'"; // mount points, and the journal
    expect(await guest(`find / -xdev -newer /run/mark ${elsewhere}`)).toBe(LOG);
    const known = await written('SYSCALL.*key="theirs"');
    await guest("cat /etc/hostname");
    await until(async () => (await written('SYSCALL.*key="theirs"')) === known + 1, "auditd to go on", LONG);
  });

  test("a killed collector leaves the auditd and its rules as they were", async () => {
    const before = await status();
    const seen = await watched();
    await guest(`kill -9 ${seen.collector.hello.self}`);
    await until(async () => (await ours()) === 0, "our rules to be away", LONG);
    await seen.collector.ended;
    expect(await status()).toEqual(before);
    expect(await rules()).toEqual(THEIRS);
  });

  test("where its auditing was switched off, it is off again afterwards", async () => {
    await guest("auditctl -e 0");
    const seen = await watched();
    expect((await status()).enabled).toBe(1);
    await seen.collector.stop();
    await until(async () => (await ours()) === 0 && (await status()).enabled === 0, "it to be off", LONG);
    expect(await rules()).toEqual(THEIRS);
  });

  test("one that is started while we watch takes our rules away with all others: told, set up anew, and auditing is left on for it", async () => {
    await guest("kill $(pidof auditd)");
    await until(async () => (await status()).pid === 0, "auditd to have ended", LONG);
    expect((await status()).enabled).toBe(0);
    const seen = await watched();
    await restarted();
    await until(() => seen.of("tier").length > 0, "that the rules have gone is told", LONG);
    expect(seen.of("tier")).toMatchObject([{ how: "tampered", tier: "audit", reason: expect.stringMatching(/took our audit rules away/) }]);
    expect(await ours()).toBe(2);
    const started = await startPrograms(vm, 1, [1, 2, 24, 64]);
    await guest("/usr/bin/id -g");
    await seen.see("exec", ({ facts }) => facts.args?.[1] === "-g");
    expect(wrong(seen, started)).toEqual([]);
    await seen.collector.stop();
    await until(async () => (await ours()) === 0, "our rules to be away", LONG);
    expect(await status()).toMatchObject({ enabled: 1, pid: expect.any(Number) });
    expect((await status()).pid).toBeGreaterThan(0);
  });

  test("a host that is to panic when a record is lost is given none of ours: the next way is taken, and it is said why", async () => {
    await guest("auditctl -f 2");
    const found = await examine(runner, "audit");
    expect(found.tiers.find(({ id }) => id === "audit")).toMatchObject({ works: false, why: expect.stringMatching(/set to panic/) });
    const seen = await watch(runner, "audit", 1000 * LONG);
    expect(seen.collector.hello.tier).toBe("tracefs+proc");
    expect(seen.collector.hello.blind.join("\n")).toMatch(/set to panic/);
    expect(await ours()).toBe(0);
    await seen.collector.stop();
  });
});
