import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dropElf32, executedElf32, loadElf32 } from "#range/ia32";
import { runLocal } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { startPrograms } from "#range/vm/arguments";
import { prepareVm, vmAvailable } from "#range/vm/saved";
import { startVm, type Vm } from "#range/vm/vm";
import { examine } from "./doctor.ts";
import { runLoad, type SshRunner, sshRunner } from "./testing/ssh-runner.ts";
import { until, type Watched, watch } from "./testing/watched.ts";

const reason = vmAvailable();
if (reason !== undefined && process.env["CI"]) throw new Error(`no virtual machine can be made here: ${reason}`);
/** On an emulated machine that may be five times slower than ours; in seconds for `until`. */
const LONG = 120;

/** Auditing as the kernel tells it, in words of its own: enabled, pid of the auditd, then a line a rule (action, list, key). Can set `enabled`, or drop our rules. */
const AUDITING = String.raw`
sub ask { # type, data
  my ($type, $data) = @_;
  socket(my $s, 16, 3, 9) or die "socket: $!";
  send $s, pack('LSSLL', 16 + length $data, $type, $data ? 5 : 1, 1, 0) . $data, 0, pack 'SSLL', 16, 0, 0, 0;
  my ($bits, @got) = '';
  vec($bits, fileno $s, 1) = 1;
  while (select my $r = $bits, undef, undef, 5) {
    recv $s, my $m, 16384, 0;
    my $is = unpack '@4 S', $m;
    if ($is == 2) { my $e = -unpack '@16 l', $m; die "errno $e" if $e; return if $data; next }
    return @got if $is == 3;
    push @got, substr $m, 16;
    return @got if $type == 1000;
  }
  die 'no answer';
}
if (@ARGV && $ARGV[0] eq 'drop') { ask(1012, $_) for grep { /stakeout/ } ask(1013, '') }
elsif (@ARGV) { ask(1001, pack 'L10', 1, $ARGV[0], (0) x 8) }
print join(' ', (unpack 'L4', (ask(1000, ''))[0])[1, 3]), "\n";
print join(' ', unpack('L2', $_), substr($_, 1040) =~ tr/\0//dr), "\n" for ask(1013, '');
`;
/** Adds a rule of somebody else's: always,exit on execve(2) that fails or not, with a key: theirs comes first, and ours still tells. */
const OTHERS_RULE = `
socket(my $s, 16, 3, 9); my @mask = (0) x 64; $mask[59 >> 5] = 1 << (59 & 31);
my $rule = pack('L3 L64 L64 L64 L64 L', 4, 2, 2, @mask, 11, 210, (0) x 62, 0xc000003e, 5, (0) x 62, (0x40000000) x 2, (0) x 62, 5) . 'other';
send $s, pack('LSSLL', 16 + length $rule, 1011, 5, 1, 0) . $rule, 0, pack 'SSLL', 16, 0, 0, 0;
recv $s, my $m, 4096, 0; exit unpack('@16 l', $m) ? 1 : 0;
`;
/** A program with one argument of 20,000 bytes among others. */
const ODD = String.raw`
my $long = join '', map { chr 33 + $_ % 90 } 1 .. 20_000;
my $p = fork; if (!$p) { exec { '/nowhere' } 'odd-failed'; exec '/bin/true', 'odd-long', $long, "new\nline", 'last' } waitpid $p, 0;
print length $long;
`;

/** As on a kernel without tracefs. */
const UNTRACED =
  "grep -v tracefs /proc/filesystems >/run/filesystems; mount --bind /run/filesystems /proc/filesystems; mount -t tmpfs none /sys/kernel/tracing; mount -t tmpfs none /sys/kernel/debug";

/** Auditing belongs to the machine, so it is never touched but in a virtual one: on its kernel, as the kernel itself tells it. */
describe.skipIf(reason !== undefined)(`the audit tier${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let range: Range;
  let vm: Vm;
  let runner: SshRunner;
  const perl = async (script: string, ...argv: string[]) => {
    const { code, stdout, stderr } = await vm.run(`perl - ${argv.join(" ")}`, { input: script });
    expect(code, stderr).toBe(0);
    return stdout.trim();
  };
  const auditing = (change?: 0 | 2 | "drop") => perl(AUDITING, ...(change === undefined ? [] : [`${change}`]));
  const collectors = async () => Number((await vm.run("pgrep -fc '^perl -e .n=shift' || true")).stdout);
  const OFF = "0 0\n4 2 other";
  const ours = (seen: Watched) => `4 2 ${seen.collector.hello.tier === "audit" ? "stakeout." : "?"}`;
  const started = async (): Promise<Watched> => {
    const seen = await watch(runner, "audit");
    expect(seen.collector.hello.tier, seen.collector.hello.blind.join("\n")).toBe("audit");
    const [status, ...rules] = (await auditing()).split("\n");
    expect(status).toBe("1 0");
    expect(rules.filter((rule) => rule.startsWith(ours(seen)))).toHaveLength(2);
    return seen;
  };
  const clean = (what: string) =>
    until(async () => (await auditing()) === OFF && (await collectors()) === 0, `as before after ${what}`, LONG);

  beforeAll(async () => {
    await prepareVm("6.1");
    range = await startRange();
    vm = await startVm(range, "6.1");
    runner = sshRunner(range, "root", { ...vm.host, sshConfig: vm.sshConfig });
    expect(await auditing()).toBe("0 0");
    await perl(OTHERS_RULE);
  }, 900_000);
  beforeEach(async () => expect(await auditing()).toBe(OFF), 60_000);
  afterAll(async () => {
    await vm?.stop();
    await range?.stop();
  });

  test("doctor says how auditing is and what would be added, and changes nothing", async () => {
    const found = await examine(runner, "audit");
    expect(found.tiers.find(({ taken }) => taken)?.id).toBe("audit");
    expect(found.auditing).toMatchObject({ on: false, daemon: 0, rules: 1, queue: expect.any(Number) });
    expect(found.sights.find(({ what }) => what === "their arguments")?.seen).toBe("yes");
    expect((await examine(runner, "full")).tiers.find(({ taken }) => taken)?.id, "never unasked").toBe("tracefs+bpf");
    expect(await auditing()).toBe(OFF);
  });

  test.each(["tracefs", "the process connector"])(
    "by %s: what ends at once has every argument, its folder and its login uid; afterwards all is as it was",
    async (by) => {
      if (by !== "tracefs") await vm.run(UNTRACED);
      const seen = await started();
      try {
        const programs = await startPrograms(vm, 4, [1, 2, 3, 24, 25, 64, 200]);
        expect((await runLoad(runner, `exec perl -e '${ODD.replaceAll("'", "'\\''")}'`)).stdout.toString()).toBe("20000");
        const login = ["ssh", "-F", vm.sshConfig, "ops@vmbox", "cd /var/tmp; exec /bin/true from-a-login"];
        expect((await runLocal(range.inNetns(range.netns.analyst, login))).code).toBe(0);
        const last = await seen.see("exec", ({ facts }) => facts.args?.[1] === "from-a-login");
        expect(last.facts).toMatchObject({ cwd: "/var/tmp", uid: 1000, euid: 1000, loginuid: 1000 });
        expect(last.facts.unseen ?? {}).not.toHaveProperty("args");
        const told = seen.of("exec");
        const wrong = programs.filter(
          ({ pid, args }) => !told.some((o) => o.pid === pid && JSON.stringify(o.facts.args) === JSON.stringify(args)),
        );
        expect(wrong.map((program) => ({ program, told: told.filter(({ pid }) => pid === program.pid) }))).toEqual([]);
        const long = told.find(({ facts }) => facts.args?.[1] === "odd-long")?.facts;
        expect(long?.args?.map((argument) => argument.length)).toEqual([9, 8, 20_000, 8, 4]);
        expect(long?.argsCut).toBeUndefined();
        expect(told.some(({ facts }) => facts.args?.some((argument) => argument === "odd-failed"))).toBe(false);
        expect(told.filter(({ facts, pid }) => programs.some((one) => one.pid === pid) && facts.unseen?.["args"])).toEqual([]);
        expect(seen.collector.stats().undecodable).toBe(0);
        expect(seen.of("tier")).toEqual([]);
        expect(seen.of("tick").at(-1)?.lost).toBe(0);
      } finally {
        await seen.collector.stop();
        if (by !== "tracefs") await vm.run("umount /sys/kernel/tracing /sys/kernel/debug /proc/filesystems");
      }
      await clean("the end");
    },
  );

  test("what is told of files is tested on this kernel as well, before Linux 6.7 by the opening of what everybody reads", async () => {
    const seen = await watch(runner, "quiet", 1000 * LONG);
    try {
      const tests = (what: "file" | "opening") => seen.of("canary").filter((o) => o.what === what);
      await until(() => tests("file").length > 2 && tests("opening").length > 2, "some tests", LONG);
      const { self } = seen.collector.hello;
      await until(
        () => seen.of("file").some(({ path, pid }) => path === tests("file")[2]?.path && pid === self),
        "a file to come back",
        LONG,
      );
      await until(() => seen.of("file-open").filter(({ pid }) => pid === self).length > 2, "openings to come back", LONG);
      expect(tests("opening")[0]?.path).toMatch(/\/(?:utmp|wtmp|lastlog)$/);
      expect(seen.of("problem").map(({ what }) => what)).toEqual([]); // nothing is taken for somebody's hand
    } finally {
      await seen.collector.stop();
    }
  });

  test.each(["audit", "tracefs+bpf", "tracefs+kprobe", "tracefs+eprobe"] as const)(
    "32-bit programs by %s: every one is seen, and has its arguments wherever that way says that it has",
    async (tier) => {
      const [programs, rounds] = ["/tmp/p32", 5];
      expect((await vm.run(`${dropElf32(programs)}\n${programs}-runs ${programs}-ends`)).code, "Debian's kernel runs 32-bit programs").toBe(
        0,
      );
      const seen = await watch(runner, tier, 1000 * LONG);
      try {
        expect(seen.collector.hello.tier).toBe(tier);
        expect((await runLoad(runner, loadElf32(programs, rounds))).stdout.toString()).toBe("done");
        // those of the sensor's own tests are not meant
        const of = (path: string) => seen.of("exec").filter((o) => o.path === path && !seen.of("canary").some(({ id }) => id === o.pid));
        await until(() => of(`${programs}-ends`).length === 2 * rounds && of("/bin/true").length >= rounds, "all of them are seen", LONG);
        const wanted = executedElf32(programs, rounds);
        const told = seen.of("exec").filter(({ path }) => path.startsWith(programs) || path === "/bin/true");
        const whole = tier === "audit" || tier === "tracefs+bpf";
        const ours = told.filter(({ facts, path }) => facts.args?.at(-2) === "two words" || (path !== "/bin/true" && !facts.args));
        if (whole) expect(ours.map(({ facts }) => facts.args)).toEqual(wanted);
        // a probe on the 64-bit system call does not see a 32-bit one: what such a program starts is read from /proc, or raced
        for (const { facts } of ours)
          if (facts.args === undefined) expect(facts.unseen).toMatchObject({ args: "raced" });
          else expect(wanted).toContainEqual(facts.args);
        const by64 = wanted.filter(([path], i) => i % 5 === 0 || path === `${programs}-runs`);
        for (const args of by64) expect(ours.map(({ facts }) => facts.args)).toContainEqual(args);
        expect(ours.length).toBeGreaterThanOrEqual(wanted.length - rounds);
        expect(seen.collector.stats().undecodable).toBe(0);
      } finally {
        await seen.collector.stop();
      }
      await clean("the end");
    },
  );

  test.each([
    ["the console's ssh is killed", async () => void runner.clients.at(-1)?.kill("SIGKILL")],
    ["the console froze", async () => void runner.clients.at(-1)?.kill("SIGSTOP")],
    ["a signal to the collector", async (seen: Watched) => void (await vm.run(`kill -TERM ${seen.collector.hello.self}`))],
    ["the collector is killed, by its watcher", async (seen: Watched) => void (await vm.run(`kill -9 ${seen.collector.hello.self}`))],
  ])("%s: rules and auditing are as they were", async (what, end) => {
    const seen = await started();
    await end(seen);
    await clean(what);
    runner.clients.at(-1)?.kill("SIGKILL");
  });

  test("of two consoles the last one switches auditing off; what a killed pair left is swept by the next, whatever it watches by", async () => {
    const first = await started();
    const second = await watch(runner, "audit", 1000 * LONG); // an emulated kernel of before 6.6 is slow to make a trace instance under audit rules
    await first.collector.stop();
    expect((await auditing()).split("\n")).toHaveLength(4);
    expect(await auditing()).toMatch(/^1 0\n/);
    const { self } = second.collector.hello;
    await vm.run(`kill -9 $(pgrep -fP ${self} '^perl -e .n=shift') ${self}`);
    await second.collector.ended;
    expect((await auditing()).split("\n")).toHaveLength(4);
    const next = await watch(runner, "quiet");
    expect(next.of("problem").map(({ what }) => what)).toContainEqual(
      expect.stringMatching(/^removed the audit rules stakeout.* dead console/),
    );
    await next.collector.stop();
    await clean("the sweep");
  });

  test("somebody switches it off, takes the rules, does it again: told, set up anew, then left for the next way; later we climb back; locked, it is not taken", async () => {
    const seen = await started();
    await auditing(0);
    expect(await seen.see("tier")).toMatchObject({
      how: "tampered",
      tier: "audit",
      reason: expect.stringMatching(/switched auditing off/),
    });
    expect(await auditing()).toMatch(/^1 0\n/);
    await auditing("drop");
    await until(() => seen.of("tier").length === 2, "that the rules have gone is told", LONG);
    expect(seen.of("tier").at(-1)).toMatchObject({
      how: "tampered",
      tier: "audit",
      reason: expect.stringMatching(/took our audit rules away/),
    });
    expect((await auditing()).split("\n")).toHaveLength(4);
    await auditing(0);
    await until(() => seen.of("tier").length === 3, "the third time is told", LONG);
    expect(seen.of("tier").at(-1)).toMatchObject({
      how: "tampered",
      tier: "tracefs+proc",
      reason: expect.stringMatching(/in the place of audit/),
    });
    expect(await auditing()).toBe(OFF);
    await until(() => seen.of("tier").length === 4, "we climb back", LONG);
    expect(seen.of("tier").at(-1)).toMatchObject({ how: "recovered", tier: "audit" });
    await auditing(2);
    await seen.collector.stop();
    expect(seen.of("problem").at(-1)?.what).toMatch(/rules .* could not be taken away, since auditing was locked/);
    const { tiers } = await examine(runner, "audit");
    expect(tiers.find(({ id }) => id === "audit")).toMatchObject({ works: false, why: expect.stringMatching(/locked/) });
    expect(tiers.find(({ taken }) => taken)?.id).toBe("tracefs+proc");
    await vm.reboot();
    expect(await auditing()).toBe("0 0");
    await perl(OTHERS_RULE);
  });
});
