import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { StakeoutEvent } from "#model/event";
import { runLocal, until } from "#range/machine";
import { type Range, startRange } from "#range/range";
import { type Started, startPrograms } from "#range/vm/arguments";
import { KERNELS, type Kernel, KernelUnavailable } from "#range/vm/kernels";
import { prepareVm, vmAvailable } from "#range/vm/saved";
import { startVm, type Vm } from "#range/vm/vm";
import { PATIENCE } from "#testing/patience";
import { type InShell, inShell } from "#testing/shell";
import { confirm, PROGRAM, sessionsFolder } from "#testing/story";

const reason = vmAvailable();
if (reason !== undefined && process.env["CI"]) throw new Error(`no virtual machine can be made here: ${reason}`);
/** Patience for one thing on an emulated machine that may be five times slower than ours. */
/** The same for what holds a boot, and for a whole story. */
const BOOT = 400_000;
/** As many arguments as every way that keeps them holds. */
const FEW = Array.from({ length: 24 }, (_, index) => index + 1);

/** A bad line, each way: what comes to the guest goes through a device that only holds it up (tc-netem(8), ifb). */
const NETEM = "netem delay 100ms loss 1% rate 400kbit";
const BAD_LINE = `set -e; modprobe ifb numifbs=1; ip link set ifb0 up; tc qdisc add dev ifb0 root ${NETEM}; tc qdisc add dev eth0 root ${NETEM}
tc qdisc add dev eth0 ingress; tc filter add dev eth0 parent ffff: matchall action mirred egress redirect dev ifb0`;
const GOOD_LINE = "tc qdisc del dev eth0 ingress; tc qdisc del dev eth0 root; ip link del ifb0";
/** Packets that were lost, a line each way. */
const DROPPED = "for d in eth0 ifb0; do tc -s qdisc show dev $d root | sed -n 's/.*(dropped \\([0-9]*\\),.*/\\1/p'; done";

/** The kernels for which a guest could be made, with the others' reasons: made by the first who asks, or found in the cache. */
const made = new Map<Kernel, Promise<string | undefined>>();
const whyNot = (kernel: Kernel): Promise<string | undefined> => {
  const known =
    made.get(kernel) ??
    prepareVm(kernel, { say: tell }).then(
      () => undefined,
      (error: unknown) => {
        // what Debian's mirror does not have any more is no fault of ours, except for the kernel of the guest's own release
        if (error instanceof KernelUnavailable && kernel !== "6.1") return error.message;
        throw error;
      },
    );
  made.set(kernel, known);
  return known;
};
const began = performance.now();
function tell(line: string): void {
  process.stdout.write(`stakeout: vm +${((performance.now() - began) / 1000).toFixed(1)} s: ${line}\n`);
}
/** One step with its deadline; says how long it took. */
async function step<T>(what: string, work: () => Promise<T>, deadline = PATIENCE): Promise<T> {
  const started = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`'${what}' was not done after ${deadline / 1000} s`)), deadline);
  });
  try {
    return await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
    tell(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
}

/** Suspect hosts with kernels of their own: what no namespace can show. Figures from them say 'works', never 'fast'. */
describe.skipIf(reason !== undefined)(`virtual machines${reason ? ` (skipped: ${reason})` : ""}`, () => {
  const sessions = sessionsFolder();
  let range: Range;
  let vm: Vm | undefined;
  const guest = (): Vm => {
    if (vm === undefined) throw new Error("no virtual machine runs");
    return vm;
  };
  const program = (...argv: string[]) => range.inNetns(range.netns.analyst, [...PROGRAM, ...argv, "--config", guest().sshConfig]);
  const { events: recorded } = sessions;
  const of = (action: string) => recorded().filter(({ event }) => event.action === action);
  const waitFor = (what: string, condition: () => unknown, timeoutMs = PATIENCE) =>
    until(what, async () => Boolean(await condition()), { timeoutMs, everyMs: 200 });
  const verify = async () =>
    expect((await runLocal([...PROGRAM, "verify", sessions.newest()])).stdout).toMatch(/the chain is whole, sealed/);
  const begin = async (kernel: Kernel) => {
    await vm?.stop();
    vm = undefined;
    vm = await step(`${kernel} goes on from its saved state`, () => startVm(range, kernel, { say: tell }), BOOT);
  };
  /** What `doctor` says of the guest. */
  const examined = async (collect: string) => {
    const { code, stdout, stderr } = await runLocal(program("doctor", "vmbox", "--collect", collect, "--json"));
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as {
      host: { kernel: string; uid: number };
      tiers: { id: string; works: boolean; taken: boolean; why?: string; arguments: string }[];
      sights: { what: string; seen: string }[];
    };
  };
  /** A recording by the real program while `work` goes on; ended by a signal. */
  const recording = async (collect: string, work: () => Promise<void>) => {
    const known = new Set(readdirSync(sessions.path));
    const agreed = collect === "audit" ? ["--yes-audit"] : [];
    const options = ["--sessions", sessions.path, "--collect", collect, ...agreed];
    const [file, ...argv] = program("record", "vmbox", ...options) as [string, ...string[]];
    const child = spawn(file, argv, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk;
    });
    const code = new Promise<number | null>((resolve) => child.on("close", resolve));
    try {
      await waitFor(
        `the first snapshot (${said})`,
        () => readdirSync(sessions.path).some((name) => !known.has(name)) && of("baseline.complete")[0],
      );
      await work();
      child.kill("SIGTERM");
      expect(await code, said).toBe(130);
    } finally {
      child.kill("SIGKILL");
    }
    await verify();
  };
  /** What was told wrongly of these programs, by the load's own record: each is whole; or, where a probe cannot hold it, said to be cut. */
  const verdicts = (started: readonly Started[], tier: string) => {
    const starts = new Map<number | undefined, StakeoutEvent[]>();
    for (const event of of("process.start")) starts.set(event.process?.pid, [...(starts.get(event.process?.pid) ?? []), event]);
    const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
    let cut = 0;
    const wrong = started.filter(({ pid, args }) => {
      const told = starts.get(pid) ?? [];
      if (told.some(({ process }) => same(process?.args, args))) return false;
      if (tier === "tracefs+bpf" || tier === "audit" || (args.length <= 24 && !args.includes(""))) return true;
      const saidSo = told.filter(({ stakeout }) => unseenOf(stakeout)["process.args[rest]"] !== undefined);
      cut += 1;
      return !saidSo.some(({ process }) => process?.args && same(process.args, args.slice(0, process.args.length)));
    });
    tell(`${tier}: ${started.length - wrong.length} of ${started.length} programs told rightly, ${cut} of them as cut`);
    return wrong.map((program) => ({ program, told: starts.get(program.pid) }));
  };
  /** A recording of programs that end at once, held against the load's own record. */
  const argumentsBy = (tier: string, rounds: number, counts: readonly number[]) =>
    step(
      `arguments by ${tier}`,
      () =>
        recording(tier, async () => {
          await waitFor("the sensor", () => of("sensor.start").some(({ stakeout }) => stakeout.tier === tier));
          const started = await startPrograms(guest(), rounds, counts);
          await guest().run("/usr/bin/printf that-was-all"); // nobody else says that, as a profile says `id -u`
          const last = () => of("process.start").some(({ process }) => process?.args?.at(-1) === "that-was-all");
          await waitFor("what came last to be seen", last, BOOT);
          expect(verdicts(started, tier)).toEqual([]);
          expect(of("sensor.tampered").map(({ event }) => event.reason)).toEqual([]); // by nobody: what is counted is the same on each kernel
        }),
      2 * BOOT,
    );
  const unseenOf = (stakeout: StakeoutEvent["stakeout"]) => (stakeout["unseen"] ?? {}) as Record<string, string>;

  beforeAll(async () => {
    await step("6.1 is there", () => whyNot("6.1"), 2 * BOOT);
    range = await startRange({ say: tell });
  }, 3 * BOOT);
  afterAll(async () => {
    await vm?.stop();
    await range?.stop();
    sessions.remove();
  });

  describe("with Debian's kernel 6.1", () => {
    let console_: InShell | undefined;
    beforeAll(() => begin("6.1"), BOOT);
    afterEach(({ task }) => {
      if (task.result?.state !== "fail" || !console_) return; // one that goes on is the next test's
      tell(console_.screen.text());
      end(); // it would come back to the guest, in the next test
    });
    afterAll(() => end());
    const end = () => {
      console_?.kill("SIGKILL");
      console_?.remove();
      console_ = undefined;
    };

    test("doctor finds every tier, and says of each what it sees", async () => {
      const found = await step("doctor", () => examined("full"));
      expect(found.host).toMatchObject({ kernel: expect.stringMatching(/^6\.1\..*cloud-amd64$/), uid: 0 });
      const works = found.tiers.filter((tier) => tier.works).map(({ id }) => id);
      expect(works).toEqual(["tracefs+bpf", "tracefs+kprobe", "tracefs+eprobe", "audit", "tracefs+proc", "cn_proc", "poll"]);
      expect(found.tiers.find(({ taken }) => taken)?.id).toBe("tracefs+bpf");
      const kprobe = await step("doctor of the kprobe tier", () => examined("tracefs+kprobe"));
      expect(kprobe.tiers.find(({ taken }) => taken)).toMatchObject({
        id: "tracefs+kprobe",
        arguments: expect.stringMatching(/^24 of them/),
      });
      expect(kprobe.sights.find(({ what }) => what === "the machine around it")?.seen).toBe("yes");
    });

    test.each(["tracefs+kprobe", "tracefs+bpf", "audit"] as const)(
      "%s: programs that end at once are seen with all their arguments, or said to be cut",
      async (tier) => {
        await argumentsBy(tier, 5, [...FEW, 25, 26, 40, 64]);
      },
      BOOT,
    );

    test(
      "auditing is asked about before anything is set up: where nobody can say yes, or says no, nothing is; a yes is in the record",
      async () => {
        const argv = program("record", "vmbox", "--sessions", sessions.path, "--collect", "audit");
        const left = async () => (await guest().run("journalctl -q -g 'stakeout[.][0-9]' -o cat; ls /sys/kernel/tracing/instances")).stdout;
        const before = await left(); // of the recordings before this one
        const unasked = await step("nobody to ask", () => runLocal(argv));
        expect(unasked).toMatchObject({ code: 2, stdout: "" });
        expect(unasked.stderr).toMatch(/is off: it is switched on, and off again at the end[\s\S]*2 rules are added behind the 0/);
        expect(unasked.stderr).toMatch(/-a always,exit -F arch=b64 -S execve,execveat -F success=1 -F key=stakeout[\s\S]*--yes-audit/);
        const answered = async (answer: string) => {
          const shown = inShell(argv, 200, 50);
          console_ = shown;
          await step("asked", () => shown.screen.until(/-F arch=b32[\s\S]*18 % more CPU[\s\S]*Agree to that\? \(yes\/no\)/));
          shown.press(`${answer}\r`);
          return shown;
        };
        const doctor = await step("doctor", () => runLocal(program("doctor", "vmbox", "--collect", "audit")));
        expect(doctor.stdout).toMatch(/\* audit +taken[\s\S]*WHAT IT WOULD CHANGE\n[\s\S]*-F arch=b64/);
        const known = sessions.newest();
        expect((await (await answered("y")).over()).code).toBe(1); // the whole word counts
        expect(sessions.newest()).toBe(known);
        expect(await left()).toBe(before);
        const agreed = await answered("yes");
        await waitFor("a session of its own", () => sessions.newest() !== known);
        await waitFor("the sensor", () => of("sensor.start").some(({ stakeout }) => stakeout.tier === "audit"));
        expect(of("note.add").map(({ stakeout }) => stakeout.note)).toContainEqual(expect.stringMatching(/^Agreed that .* -F arch=b32 .*/));
        await waitFor("the first snapshot", () => of("baseline.complete")[0]);
        expect((await guest().run("cd /var/tmp && /usr/bin/id -u")).code).toBe(0);
        const ran = () => of("process.start").find(({ process }) => process?.executable === "/usr/bin/id");
        await waitFor("a program", ran);
        expect(ran()?.process).toMatchObject({ args: ["/usr/bin/id", "-u"], working_directory: "/var/tmp" });
        process.kill(await agreed.programPid(), "SIGTERM");
        expect((await agreed.over()).code).toBe(130);
        await verify();
        expect((await left()).slice(before.length)).toMatch(/op=remove_rule[\s\S]*op=remove_rule/); // the host's own journal says it as well
        const ticket = await runLocal([...PROGRAM, "report", sessions.newest(), "--changes"]);
        expect(ticket.stdout).toMatch(/watching by audit set up the kernel's auditing/);
      },
      BOOT,
    );

    /** Whether the guest can send: its own word, by the way that is neither ssh nor the network. */
    const reaches = async () => (await guest().run(`busybox ping -c 1 -W 3 ${range.c2.address}`)).code === 0;

    test(
      "on a bad line the session lives: programs are seen whole or said to be lost, and the host is isolated and released, verified",
      async () => {
        const argv = program("vmbox", "--sessions", sessions.path, "--no-card", "--analyst", "jm", "--collect", "full");
        const shown = inShell(argv, 160, 50);
        console_ = shown;
        await step("the console", () => shown.screen.until(/● tracefs\+bpf[\s\S]*sshd/));
        await waitFor("the first snapshot", () => of("baseline.complete").length === 1);
        const line = await guest().run(BAD_LINE);
        expect(line.code, line.stderr).toBe(0);
        const from = recorded().length;
        const started = await step("programs on a bad line", () => startPrograms(guest(), 5, FEW), BOOT);
        const dropped = async () => (await guest().run(DROPPED)).stdout.trim().split("\n").map(Number);
        // what is lost must have been lost: as long as it takes, each way
        await waitFor("packets to be lost each way", async () => (await dropped()).every((packets) => packets > 0), BOOT);
        await guest().run("/usr/bin/id -u");
        const last = () => of("process.start").some(({ process }) => process?.executable === "/usr/bin/id");
        await step("what came last", () => waitFor("what came last to be seen", last, BOOT), BOOT);
        const wrong = verdicts(started, "tracefs+bpf");
        const reports = () =>
          recorded()
            .slice(from)
            .flatMap(({ event, stakeout }) => (event.action === "sensor.report" && stakeout.report ? [stakeout.report] : []));
        await waitFor("reports of the sensor", () => reports().length > 1);
        const lost = reports().at(-1)?.lost ?? 0;
        tell(
          `lost and said: ${lost}; clock offsets: ${reports()
            .map(({ clock_offset: ms }) => ms)
            .join(", ")} ms; packets dropped: ${await dropped()}`,
        );
        expect(wrong.slice(lost)).toEqual([]);
        // the host's clock is ours, and what is measured is the line's delay: the screen does not warn of it
        for (const { clock_offset: offset } of reports()) expect(Math.abs(offset ?? Number.NaN)).toBeLessThan(5000);
        expect(await reaches()).toBe(true);
        shown.press("I");
        await step("isolated and verified", () => confirm(shown, /verified ✓ \d+\.\d s ago · 0 packets out/, PATIENCE), 2 * PATIENCE);
        shown.press("escape");
        expect(await reaches()).toBe(false);
        shown.press("I");
        await step("released", () => confirm(shown, /we are still in/, PATIENCE), 2 * PATIENCE);
        shown.press("enter");
        expect(await reaches()).toBe(true);
        expect((await guest().run(GOOD_LINE)).code).toBe(0);
        expect(of("response.succeeded").map(({ stakeout }) => stakeout.response?.kind)).toEqual(["isolate", "release"]);
        for (const action of ["session.gap", "sensor.tampered", "sensor.clock", "response.failed"] as const)
          expect(of(action), action).toEqual([]);
        await shown.screen.until(/● tracefs\+bpf/);
        shown.press("q");
        expect((await shown.over()).code).toBe(0);
        await verify();
      },
      3 * BOOT,
    );

    test(
      "rebooted while it is isolated, it comes back in the same session, which says that the isolation ended with that",
      async () => {
        expect(await reaches()).toBe(true);
        const argv = program("vmbox", "--sessions", sessions.path, "--no-card", "--analyst", "jm", "--collect", "full");
        const shown = inShell(argv, 160, 50);
        console_ = shown;
        await step("the console", () => shown.screen.until(/● tracefs\+bpf[\s\S]*sshd/));
        await waitFor("the first snapshot", () => of("baseline.complete").length === 1);
        shown.press("I");
        await step("isolated and verified", () => confirm(shown, /verified ✓ \d+\.\d s ago · 0 packets out/, PATIENCE), 2 * PATIENCE);
        shown.press("escape");
        expect(await reaches()).toBe(false);
        const before = guest().bootId;
        const session = sessions.newest();
        await step("rebooted", () => guest().reboot(), BOOT);
        await step("the session goes on", () => waitFor("the session to go on", () => of("session.resume").length === 1, BOOT), BOOT);
        expect(await reaches()).toBe(true);
        await step("the end of the isolation", () => waitFor("it to be told", () => of("baseline.isolation").length > 0));
        expect(await reaches(), "nobody isolated it again unasked").toBe(true);
        expect(sessions.newest()).toBe(session);
        const [gap] = of("session.gap");
        const [resume] = of("session.resume");
        expect(gap?.event.reason).toMatch(/^nothing is seen since \d\d:\d\d:\d\d: /);
        expect(resume?.event.reason).toMatch(/the host was started anew meanwhile/);
        expect(resume?.stakeout["away"]).toMatchObject({ rebooted: true, boot_id: { before, now: guest().bootId } });
        expect(of("baseline.isolation").at(-1)).toMatchObject({
          event: { reason: expect.stringMatching(/started anew/) },
          stakeout: { response: { kind: "release" } },
        });
        const finding = of("finding.create").find(({ stakeout }) => stakeout.finding?.rule === "isolation-ended");
        expect(finding?.stakeout.finding).toMatchObject({ level: "critical", title: expect.stringMatching(/started anew.*not isolated/) });
        expect(of("finding.create").some(({ stakeout }) => /^Somebody removed/.test(stakeout.finding?.title ?? ""))).toBe(false);
        const text = await shown.screen.until(/● tracefs\+bpf/);
        expect(text).not.toMatch(/ISOLATED since/);
        // entity ids are of the new boot, and what is run now is told
        await guest().run("/usr/bin/id -u");
        await waitFor("what is run now", () =>
          of("process.start").some(({ process }) => process?.executable === "/usr/bin/id" && process.entity_id.startsWith(guest().bootId)),
        );
      },
      3 * BOOT,
    );

    test(
      "shut down, it is told as lost and not as quiet, until somebody stops trying",
      async () => {
        const shown = console_ as InShell;
        await step("shut down", () => guest().shutDown(), BOOT);
        await step(
          "told as lost",
          () => shown.screen.until(/LOST +reconnecting, attempt \d+.*last seen \d+ s ago/, 2 * PATIENCE),
          2 * PATIENCE,
        );
        await waitFor("the gap in the log", () => of("session.gap").length === 2);
        await shown.screen.until(/LOST +reconnecting, attempt [2-9]/);
        expect(shown.screen.text()).not.toMatch(/● tracefs\+bpf/);
        shown.press("S");
        await shown.screen.until(/LOST +not tried any more/);
        shown.press("q");
        expect((await shown.over()).code).toBe(3); // the host could not be reached
        expect(of("session.resume")).toHaveLength(1);
        await verify();
      },
      3 * BOOT,
    );
  });

  describe.each(Object.keys(KERNELS).filter((kernel) => kernel !== "6.1") as Kernel[])("with Debian's kernel %s", (kernel) => {
    test(
      "its best tier is found, and a program is seen with its arguments by each way that keeps them",
      async (context) => {
        const missing = await step(`${kernel} is there`, () => whyNot(kernel), 2 * BOOT);
        if (missing !== undefined) {
          tell(missing);
          return context.skip(missing);
        }
        await begin(kernel);
        const found = await step("doctor", () => examined("full"));
        expect(found.host.kernel.startsWith(`${kernel}.`)).toBe(true);
        const best = kernel === "5.10" ? "tracefs+kprobe" : "tracefs+bpf";
        expect(found.tiers.find(({ taken }) => taken)?.id).toBe(best);
        for (const tier of new Set([best, "tracefs+kprobe", "audit"])) await argumentsBy(tier, 2, FEW);
      },
      4 * BOOT,
    );
  });
});
