import { afterEach, describe, expect, test } from "vitest";
import { rangeAvailable } from "#range/available";
import { observedRange } from "./testing/observed-range.ts";
import { until, watch } from "./testing/watched.ts";

/** Reads our own trace away until a line comes, without a setting that is changed: what is shown to us is what it leaves. */
const THIEF = String.raw`
  my @f = map { sysopen(my $f, $_, 0x800) or die "$_: $!"; $f } glob "/sys/kernel/tracing/instances/stakeout.$ARGV[0].*/per_cpu/cpu*/trace_pipe_raw";
  $| = 1; my ($end, $page) = time + 600;
  until (-e '/tmp/enough' || time > $end) { for (1 .. 1000) { for (@f) { sysread $_, $page, 4096 } } }
`;
/** Has the kernel ask it before /bin/true is executed, and is silent until /tmp/enough is there: an exec of it does not begin. */
const SILENT = String.raw`
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

  test("is told as tampering, also where somebody stops the sensor again and again so that no five seconds of it are whole", async () => {
    const namespace = (await onHost("readlink /proc/self/ns/pid")).replace(/\D/g, "");
    const stolen = async () => {
      const { self } = host.seen.collector.hello;
      await onHost(`renice -n 19 -p ${self}`); // it is second to read
      await until(
        async () => {
          await onHost(`kill -STOP ${self}; sleep 2.4; kill -CONT ${self}; sleep 0.3`);
          return host.seen.of("tier").length > 0;
        },
        () => `tampering is told; ${host.seen.of("tick").length} ticks`,
      );
    };
    await meanwhile(THIEF, stolen, namespace);
    expect(fallen()[0]).toMatch(/^tampered: a program of ours was not shown to us within 5 s/);
  });

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
