import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { observedRange } from "./testing/observed-range.ts";
import { runLoad } from "./testing/ssh-runner.ts";
import { until, watch } from "./testing/watched.ts";

/** Has the kernel ask it before /bin/true is executed, and is silent until /tmp/enough is there: an exec of it does not begin. */
const SILENT = `
  my ($at, $end) = ('/bin/true', time + 600);
  my $group = syscall 300, 0x4, 0x80000;   # fanotify_init: FAN_CLASS_CONTENT
  syscall(301, $group, 0x1, 0x40000, -100, $at) == 0 or die "$!";   # fanotify_mark: FAN_OPEN_EXEC_PERM
  until (-e '/tmp/enough' || time > $end) { select undef, undef, undef, 0.05 }
`;

/** Programs of our own must be shown to us: what is made of one that is not. */
describe.skipIf(rangeAvailable() !== undefined)("a program of ours that is not shown to us", () => {
  const host = observedRange();
  const { onHost } = host;
  const meanwhile = async (script: string, look: () => Promise<void>, ...args: string[]) => {
    await host.seen.collector.stop();
    host.seen = await watch(host.runner);
    await host.seen.see("canary", (o) => o.what === "program");
    const running = host.range.onHost(["perl", "-e", script, ...args]);
    try {
      await look();
    } finally {
      await onHost("touch /tmp/enough");
      const { code, stderr } = await running;
      expect(code, stderr).toBe(0);
    }
  };
  const fallen = () => host.seen.of("tier").map(({ how, reason }) => `${how}: ${reason}`);
  afterEach(() => onHost("rm -f /tmp/enough"));

  test("is no tampering while the host does not let it begin: that is told to the console, and it is looked for when it has begun", async () => {
    const about = (pid: number) => host.seen.of("canary").filter((o) => o.what === "program" && o.id === pid);
    let waits = 0;
    await meanwhile(SILENT, async () => {
      waits = (await host.seen.see("canary", (o) => o.what === "program" && about(o.id).length > 6)).id;
    });
    await host.seen.see("exec", (o) => o.pid === waits);
    await host.seen.see("canary", (o) => o.what === "program" && o.id !== waits && o.ts > (about(waits).at(-1)?.ts ?? 0));
    expect(fallen()).toEqual([]);
  });
});

/** Both ways to read it: by the host where pids need mapping, by the console where not. */
describe.skipIf(rangeAvailable() !== undefined).each([true, false])(
  "the kernel's buffer of what happened, with pids of its own: %s",
  (pidNamespace) => {
    const host = observedRange(undefined, { range: { pidNamespace } });
    const { onHost } = host;
    const fallen = () => host.seen.of("tier").map(({ how, reason }) => `${how}: ${reason}`);
    beforeEach(async () => {
      await host.seen.collector.stop();
      host.seen = await watch(host.runner);
      await until(() => host.seen.of("tick").length > 1, "two ticks");
    });

    // of a probe's records some are read while an exec is
    test.each(["standard", "tracefs+kprobe", "full"] as const)(
      "is ours alone however much happens, by %s: that nobody else has to do with it is counted exactly",
      async (collect) => {
        await host.seen.collector.stop();
        host.seen = await watch(host.runner, collect);
        await runLoad(host.runner, "exec perl -e 'for (1 .. 2000) { fork or exec q(/bin/true); wait if $_ % 3 } 1 while wait > 0'\n");
        const over = host.seen.of("tick").at(-1)?.ts ?? Number.POSITIVE_INFINITY;
        const end = await host.seen.see("tick", ({ ts }) => ts > over + 4e9); // looked at several times since
        expect(host.seen.of("exec").length + end.lost).toBeGreaterThan(1900);
        expect(fallen()).toEqual([]);
      },
    );

    test.each([
      ["emptied", "echo >$i/trace", /^tampered: somebody emptied the buffer/],
      ["emptied by a setting that stays what it is", "echo boot >$i/trace_clock", /^tampered: somebody emptied the buffer/],
      ["read by somebody else", "timeout 2 cat $i/trace_pipe >/dev/null || true", /^tampered: somebody reads from the buffer/],
      [
        "told of when it is full",
        "echo 100 >$i/buffer_percent",
        /^tampered: somebody changed .*\/buffer_percent of our tracing: it was 0, it is 100/,
      ],
      [
        "overwritten before it is read",
        "echo 1 >$i/options/overwrite",
        /^tampered: somebody changed .*options\/overwrite of our tracing: it was 0, it is 1/,
      ],
    ])("is told as tampered with when it is %s", async (_, change, told) => {
      const { self } = host.seen.collector.hello;
      await onHost(
        `cd /sys/kernel/tracing/instances; for i in stakeout.$(readlink /proc/self/ns/pid | tr -dc 0-9).${self}.*.x; do ${change}; done`,
      );
      await host.seen.see("tier");
      expect(fallen()[0]).toMatch(told);
    });
  },
);
