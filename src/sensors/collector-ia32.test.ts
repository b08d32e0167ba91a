import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import type { Collect } from "#model/observation";
import { rangeAvailable } from "#range/available";
import { dropElf32, executedElf32, loadElf32 } from "#range/ia32";
import { type Range, startRange } from "#range/range";
import { runLoad, type SshRunner, sshRunner } from "./testing/ssh-runner.ts";
import { until, type Watched, watch } from "./testing/watched.ts";

const ROUNDS = 40;
const PROGRAMS = "/tmp/p32";
const LOAD = loadElf32(PROGRAMS, ROUNDS);

describe.skipIf(rangeAvailable() !== undefined)("32-bit programs on a real host", () => {
  let range: Range;
  let runner: SshRunner;
  /** Why this machine can run none. */
  let refused: string | undefined;
  beforeAll(async () => {
    range = await startRange();
    runner = sshRunner(range);
    const made = await range.onHost(["sh", "-ec", `${dropElf32(PROGRAMS)}\n/tmp/p32-runs /tmp/p32-ends && /tmp/p32-lives`]);
    if (made.code === 0) return;
    refused = `this kernel runs no 32-bit programs (${made.stderr.trim()}): the decoders' tests are all that is looked at`;
  });
  afterAll(() => range?.stop());
  const watched = async (collect: Collect, context: TestContext, look: (seen: Watched) => Promise<void>) => {
    if (refused !== undefined) context.skip(refused);
    const seen = await watch(runner, collect);
    try {
      await look(seen);
      expect(seen.collector.stats().undecodable).toBe(0);
    } finally {
      await seen.collector.stop();
    }
  };
  /** Without those of the sensor's own tests. */
  const execs = (seen: Watched, path: string) =>
    seen.of("exec").filter((o) => o.path === path && !seen.of("canary").some(({ id }) => id === o.pid));

  test("a way that keeps every argument keeps theirs, whoever starts them and however short they live", (context) =>
    watched("full", context, async (seen) => {
      const { tier } = seen.collector.hello;
      if (tier !== "tracefs+bpf") return context.skip(`this kernel's best way is ${tier}: the virtual machines show the ways with probes`);
      expect((await runLoad(runner, LOAD)).stdout.toString()).toBe("done");
      await until(
        () => execs(seen, "/tmp/p32-ends").length === 2 * ROUNDS && execs(seen, "/bin/true").length >= ROUNDS,
        () => `${execs(seen, "/tmp/p32-ends").length} of ${2 * ROUNDS}`,
      );
      const told = seen.of("exec").filter(({ facts }) => facts.args?.at(-2) === "two words");
      expect(told.map(({ facts }) => facts.args)).toEqual(executedElf32(PROGRAMS, ROUNDS));
      expect(told.every(({ facts }) => !facts.argsCut && !facts.argsVanished)).toBe(true);
    }));

  test("the way by /proc sees each of them, and has their arguments where they live long enough to be read, else says raced", (context) =>
    watched("standard", context, async (seen) => {
      expect(seen.collector.hello.tier).toBe("tracefs+proc");
      const lives = "/tmp/p32-lives one 'two words' ''; /tmp/p32-runs /tmp/p32-lives by-32";
      expect((await runLoad(runner, `${lives}\n${LOAD}`)).stdout.toString()).toBe("done");
      await until(
        () => execs(seen, "/tmp/p32-ends").length === 2 * ROUNDS,
        () => `${execs(seen, "/tmp/p32-ends").length} of ${2 * ROUNDS}`,
      );
      expect(execs(seen, "/tmp/p32-lives").map(({ facts }) => facts.args)).toEqual([
        ["/tmp/p32-lives", "one", "two words", ""],
        ["/tmp/p32-lives", "by-32"],
      ]);
      expect(execs(seen, "/tmp/p32-runs")).toHaveLength(1 + 2 * ROUNDS);
      for (const { facts } of execs(seen, "/tmp/p32-ends")) {
        if (facts.args === undefined) expect(facts.unseen).toMatchObject({ args: "raced" });
        else expect(facts.args).toEqual(["/tmp/p32-ends", expect.stringMatching(/^i\d+$/), "two words", "last"]);
      }
      seen.collector.requestFileInfo("/tmp/p32-ends");
      const { program } = await seen.see("file-info", (o) => o.path === "/tmp/p32-ends");
      expect(program).toMatchObject({ bits: 32, linked: "static", stripped: true });
    }));
});
