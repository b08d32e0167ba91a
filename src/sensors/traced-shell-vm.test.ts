import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Range, startRange } from "#range/range";
import { vmAvailable } from "#range/vm/saved";
import { startVm, type Vm } from "#range/vm/vm";
import { runLoad, type SshRunner, sshRunner } from "./testing/ssh-runner.ts";
import { until, type Watched, watch } from "./testing/watched.ts";

/** Kernels whose reads of an empty trace block, unlike that of the machine that the other tests run on; and the shells of their hosts. */
const HOSTS = [
  ["5.10", "busybox"],
  ["6.1", "dash"],
] as const;
const reason = vmAvailable();

describe.skipIf(reason !== undefined).each(HOSTS)(
  `the kernel's own events without perl, by Debian's kernel %s and the shell of %s`,
  (kernel, system) => {
    let range: Range;
    let vm: Vm;
    let runner: SshRunner;
    let seen: Watched;
    let tiers = 0;
    beforeAll(async () => {
      range = await startRange();
      vm = await startVm(range, kernel);
      const prepare = ["mv /usr/bin/perl /usr/bin/perl.away", system === "busybox" ? "ln -sf /bin/busybox /bin/sh" : ":"];
      expect((await vm.run(prepare.join("; "))).code).toBe(0);
      runner = sshRunner(range, "root", { name: "vmbox", sshConfig: vm.sshConfig });
      seen = await watch(runner, "standard", 120_000);
      // an emulated machine is slow: it may begin after the hello
      if (seen.collector.hello.tier === "poll") await seen.see("tier", ({ tier }) => tier === "tracefs+shell");
      tiers = seen.of("tier").length;
    });
    afterAll(async () => {
      await seen?.collector.stop();
      await vm?.stop();
      await range?.stop();
    });

    test("every program is seen with its parent, what lives has its arguments, and nothing is lost or unreadable", async () => {
      const script = "i=0; while [ $i -lt 60 ]; do /usr/bin/id >/dev/null; i=$((i+1)); done; sleep 2.5; echo $$";
      const shell = Number((await runLoad(runner, script)).stdout.toString().trim().split("\n").at(-1));
      const children = () => new Set(seen.of("fork").flatMap(({ parent, pid }) => (parent === shell ? [pid] : [])));
      const mine = (path: RegExp) => seen.of("exec").filter((o) => children().has(o.pid) && path.test(o.path));
      await seen.see("exit", (o) => o.pid === shell);
      expect(mine(/^\/usr\/bin\/id$/)).toHaveLength(60);
      const [sleep] = mine(/sleep$|^\/proc\/self\/exe$/);
      if (sleep?.facts.args) expect(sleep.facts.args).toEqual(["sleep", "2.5"]);
      else expect(sleep?.facts.unseen).toMatchObject({ args: "raced" }); // the poll may be slower than that
      expect(seen.of("tick").at(-1)).toMatchObject({ lost: 0, undecodable: 0 });
      expect(seen.of("tier")).toHaveLength(tiers);
      const canary = await seen.see("canary");
      await seen.see("exec", (o) => o.pid === canary.id);
    });

    test("nothing is left", async () => {
      const instances = async () => (await vm.run("ls /sys/kernel/tracing/instances")).stdout.trim();
      expect(await instances()).toMatch(/^stakeout\.4026531836\./);
      await seen.collector.stop();
      await until(async () => (await instances()) === "", "no trace instance");
    });
  },
);
