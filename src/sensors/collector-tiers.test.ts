import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { type Range, startRange } from "#range/range";
import { runLoad, type SshRunner, sshRunner } from "./testing/ssh-runner.ts";
import { until, type Watched, watch } from "./testing/watched.ts";

/** Programs that end at once, each with a number of arguments of its own; prints how many there were. */
const INSTANT = `exec perl -e '
  for my $i (1 .. 200) {
    my $p = fork; if (!$p) { exec "/bin/true", map { "i$i-$_" } 1 .. 1 + $i % 30 }
    waitpid $p, 0 if $i % 2;
    select undef, undef, undef, 0.004;
  }
  1 while wait > 0; print 200;
'
`;
const wanted = (i: number) => ["/bin/true", ...Array.from({ length: 1 + (i % 30) }, (_, n) => `i${i}-${n + 1}`)];

describe.skipIf(rangeAvailable() !== undefined)("the ways to watch, on a real host", () => {
  let range: Range;
  let runner: SshRunner;
  let namespace: string;
  beforeAll(async () => {
    range = await startRange();
    runner = sshRunner(range);
    [namespace] = (await onHost("readlink /proc/self/ns/pid")).match(/\d+/) as RegExpMatchArray as unknown as [string];
  });
  afterAll(() => range?.stop());
  const onHost = async (script: string) => (await range.onHost(["sh", "-c", script])).stdout.toString();
  /** Changes a file of the running collector's first instance, as root on the host can. */
  const meddle = (file: string, value: string) =>
    onHost(`cd /sys/kernel/tracing/instances && for i in stakeout.${namespace}.*.x; do echo '${value}' >"$i/${file}"; done`);
  const tiers = (at: Watched) => at.of("tier").map(({ how, tier }) => `${how} ${tier}`);
  /** Waits until a program that a login runs is seen; one that is brought in from outside need not be (it ends before it is found asleep). */
  const seesAgain = async (at: Watched, name: string) => {
    const path = `/tmp/${name}`;
    await onHost(`ln -sf /bin/true ${path}`);
    await until(async () => {
      await runLoad(runner, `${path}\n`);
      return at.of("exec").some((o) => o.path === path);
    }, `a program is seen after ${name}`);
  };

  test("with a probe in the kernel, programs that end at once have every argument: none is gone, none is another's", async () => {
    const seen = await watch(runner, "full");
    try {
      const { tier } = seen.collector.hello;
      if (!["tracefs+bpf", "tracefs+kprobe", "tracefs+eprobe"].includes(tier))
        return expect(seen.collector.hello.blind.join()).toMatch(/bpf/);
      expect((await runLoad(runner, INSTANT)).stdout.toString()).toBe("200");
      const ours = () => seen.of("exec").filter((o) => o.facts.args?.[1]?.startsWith("i"));
      await until(
        () => ours().length === 200,
        () => `${ours().length} of 200 have arguments`,
      );
      for (const { facts } of ours()) {
        const i = Number(/^i(\d+)-1$/.exec(facts.args?.[1] ?? "")?.[1]);
        if (facts.argsCut) expect(facts.args?.slice(0, 24)).toEqual(wanted(i).slice(0, 24));
        else expect(facts.args).toEqual(wanted(i));
      }
      expect(seen.of("tick").at(-1)?.lost).toBe(0);
    } finally {
      await seen.collector.stop();
    }
  });

  test("what root changes at our tracing is told, set up anew, and at the third time left for the next way; later we climb back", async () => {
    const seen = await watch(runner);
    try {
      expect(seen.collector.hello.tier).toBe("tracefs+proc");
      await meddle("tracing_on", "0");
      const first = await seen.see("tier");
      expect(first).toMatchObject({ how: "tampered", tier: "tracefs+proc", reason: expect.stringMatching(/tracing_on.*was 1, it is 0/) });
      await seesAgain(seen, "once");
      await meddle("events/sched/sched_process_exec/filter", "pid == 1");
      expect((await seen.see("tier", (o) => o !== first)).reason).toMatch(/sched_process_exec\/filter.*pid == 1/);
      await seesAgain(seen, "twice");
      await meddle("set_event_pid", "1");
      await until(() => seen.of("tier").length === 3, "the third change is told");
      expect(seen.of("tier").at(-1)).toMatchObject({ how: "tampered", tier: "poll" });
      await until(
        () => tiers(seen).at(-1) === "recovered tracefs+proc",
        () => `climbs back: ${tiers(seen)}`,
        150,
      );
      await seesAgain(seen, "thrice");
      expect(seen.collector.stats().undecodable).toBe(0);
    } finally {
      await seen.collector.stop();
    }
    expect(await onHost("ls /sys/kernel/tracing/instances | grep stakeout.$(readlink /proc/self/ns/pid | tr -dc 0-9)")).toBe("");
  });

  test("canaries go by the way of everything else, a program and a connection", async () => {
    const seen = await watch(runner);
    try {
      const program = await seen.see("canary", (o) => o.what === "program");
      await seen.see("exec", (o) => o.pid === program.id && o.path === program.path);
      const connection = await seen.see("canary", (o) => o.what === "connection");
      const attempt = await seen.see("socket", (o) => o.to === "SYN_SENT" && o.remote.port === connection.id);
      expect(attempt.pid).toBe(seen.collector.hello.self);
    } finally {
      await seen.collector.stop();
    }
  });
});
