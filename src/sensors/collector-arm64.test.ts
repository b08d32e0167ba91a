import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TierId } from "#model/observation";
import { type C2, startC2 } from "#range/c2";
import { type Range, startRange } from "#range/range";
import { startPrograms } from "#range/vm/arguments";
import { type Arm64, arm64Available, startArm64 } from "#range/vm/arm64";
import { examine } from "./doctor.ts";
import { type SshRunner, sshRunner } from "./testing/ssh-runner.ts";
import { until, watch } from "./testing/watched.ts";

const reason = arm64Available();
if (reason !== undefined && process.env["CI"]) throw new Error(`no arm64 machine can be made here: ${reason}`);
/** On an emulated machine that may be five times slower than ours; in seconds for `until`. */
const LONG = 120;
const TIERS: readonly TierId[] = ["tracefs+bpf", "tracefs+kprobe", "tracefs+eprobe", "audit", "tracefs+proc", "cn_proc", "poll"];
/** These hold all arguments of what ends at once; the others say that they came too late. */
const WHOLE: readonly TierId[] = ["tracefs+bpf", "tracefs+kprobe", "tracefs+eprobe", "audit"];

/** Other numbers of system calls, other registers, other flags: the collector as it is, on Debian's arm64 kernel and perl. */
describe.skipIf(reason !== undefined)(`on arm64${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let range: Range;
  let vm: Arm64;
  let c2: C2;
  let runner: SshRunner;
  const guest = async (script: string) => {
    const { code, stdout, stderr } = await vm.run(script, { timeoutMs: 1000 * LONG });
    expect(code, `${script}: ${stderr}`).toBe(0);
    return stdout.trim();
  };
  /** What a collector could leave in the kernel: trace instances, probes, audit rules and the switch of auditing. */
  const left = () =>
    guest(
      "cd /sys/kernel/tracing && ls instances && cat dynamic_events && ls -d events/stakeout* 2>/dev/null; /sbin/auditctl -l && /sbin/auditctl -s | head -n 1",
    );
  const NOTHING = "No rules\nenabled 0";

  beforeAll(async () => {
    range = await startRange();
    vm = await startArm64(range, { say: (line) => process.stdout.write(`stakeout: ${line}\n`) });
    c2 = await startC2(range);
    runner = sshRunner(range, "root", { ...vm.host, sshConfig: vm.sshConfig });
  }, 900_000);
  afterAll(async () => {
    await c2?.stop();
    await vm?.stop();
    await range?.stop();
  });

  test("doctor finds every way to watch", async () => {
    const found = await examine(runner, "full");
    expect(found.host).toMatchObject({ arch: "aarch64", kernel: expect.stringMatching(/^6\.1\..*cloud-arm64$/), uid: 0 });
    expect(found.tiers.filter(({ works }) => works).map(({ id }) => id)).toEqual(TIERS);
    expect(found.tiers.find(({ taken }) => taken)?.id).toBe("tracefs+bpf");
  });

  test.each(TIERS.filter((tier) => tier !== "poll"))(
    "%s: programs, their arguments, connections and files are seen; nothing stays",
    async (tier) => {
      const seen = await watch(runner, tier, 1000 * LONG);
      try {
        expect(seen.collector.hello).toMatchObject({ arch: "aarch64", tier, pids: "init", uid: 0 });
        const { self } = seen.collector.hello;
        // an emulated program is slow to end: the collector may look only when all have, so that /proc can be of no help
        await guest(`kill -STOP ${self}`);
        const started = await startPrograms(vm, 3, [1, 2, 3, 12, 24]).finally(() => guest(`kill -CONT ${self}`));
        const dropped = `/tmp/${tier.replace("+", "-")}`;
        await guest(`echo dropped >${dropped}; cat /etc/shadow; /usr/bin/id -u`);
        const last = await seen.see("exec", ({ path, facts }) => path === "/usr/bin/id" || facts.args?.[0] === "/usr/bin/id");
        const told = seen.of("exec");
        const whole = started.filter(({ pid, args }) =>
          told.some((one) => one.pid === pid && JSON.stringify(one.facts.args) === JSON.stringify(args)),
        );
        const wrong = started.filter((program) => {
          const of = told.filter(({ pid }) => pid === program.pid);
          const begins = (args: readonly string[]) => JSON.stringify(args) === JSON.stringify(program.args.slice(0, args.length));
          if (whole.includes(program)) return false;
          // an empty argument ends what a probe can tell, and a machine that stood still between a record and its twin has them counted as two
          if (tier.endsWith("probe"))
            return !of.some(({ facts }) => facts.argsCut && facts.args && facts.args.length > 0 && begins(facts.args));
          return WHOLE.includes(tier) || !of.some(({ facts }) => facts.unseen?.["args"] === "raced");
        });
        expect(whole.length > started.length / 2, `${whole.length} of ${started.length} are whole`).toBe(WHOLE.includes(tier));
        expect(wrong.map((program) => ({ program, told: told.filter(({ pid }) => pid === program.pid) }))).toEqual([]);
        expect(last.facts).toMatchObject({ uid: 0, startTicks: expect.any(Number) });
        const forks = new Set(seen.of("fork").map(({ pid }) => pid));
        expect(started.filter(({ pid }) => !forks.has(pid))).toEqual([]);
        await seen.see("file", ({ path }) => path === dropped);
        await seen.see("file-open", ({ path }) => path === "/etc/shadow");
        if (tier !== "cn_proc")
          for (const ip of [range.c2.address, range.c2.address6]) {
            const pid = Number(await guest(`exec bash -c 'exec 3<>/dev/tcp/${ip}/${range.c2.port} && echo $$'`));
            const called = await seen.see("socket", ({ to, remote }) => to === "SYN_SENT" && remote.ip === ip);
            expect(called).toMatchObject({ pid, remote: { ip, port: range.c2.port } });
            await seen.see("socket", ({ sk, to }) => sk === called.sk && to === "ESTABLISHED");
          }
        await until(() => seen.of("canary").length > 2, "tests of its own", LONG);
        expect(seen.collector.stats().undecodable).toBe(0);
        expect(seen.of("tier")).toEqual([]);
        expect(seen.of("tick").at(-1)?.lost).toBe(0);
      } finally {
        await seen.collector.stop();
      }
      let found = "";
      const clean = async () => {
        found = await left();
        return found === NOTHING;
      };
      await until(clean, () => `nothing of ours to be left but: ${found}`, LONG);
    },
  );
});
