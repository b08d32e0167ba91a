import { afterAll, beforeAll, expect } from "vitest";
import type { WeakDigest } from "#model/known-files";
import type { Observation } from "#model/observation";
import { type Range, type RangeOptions, startRange } from "#range/range";
import { type SshRunner, sshRunner } from "./ssh-runner.ts";
import { until, type Watched, watch } from "./watched.ts";

export interface ObservedRange {
  range: Range;
  runner: SshRunner;
  /** May be set to another one; the last is stopped at the end. */
  seen: Watched;
  /** Runs a script on the host, which must succeed, not by ssh; gives what it says, without blanks at its ends. */
  onHost(script: string, input?: string): Promise<string>;
  /** Asks for the facts of a file and waits for the next answer. */
  facts(path: string, pid?: number): Promise<Extract<Observation, { kind: "file-info" }>>;
}

/** A host and a collector that watches it, made before the tests of the describe block that calls this and gone after them. */
export function observedRange(
  digests?: readonly WeakDigest[],
  options?: { range?: RangeOptions; prepare?: (range: Range) => Promise<void> },
): ObservedRange {
  const host: ObservedRange = {
    range: undefined as unknown as Range, // until beforeAll: no test sees it
    runner: undefined as unknown as SshRunner,
    seen: undefined as unknown as Watched,
    onHost: async (script, input) => {
      const { code, stdout, stderr } = await host.range.onHost(["sh", "-ec", script], input);
      expect(code, stderr).toBe(0);
      return stdout.trim();
    },
    facts: async (path, pid = 0) => {
      const before = host.seen.of("file-info").length;
      expect(host.seen.collector.requestFileInfo(path, pid)).toBe(true);
      return until(() => host.seen.of("file-info")[before], `the facts of ${path}`);
    },
  };
  beforeAll(async () => {
    host.range = await startRange(options?.range);
    await options?.prepare?.(host.range);
    host.runner = sshRunner(host.range);
    host.seen = await watch(host.runner, undefined, undefined, digests);
  }); // a disk that is not in the cache is built first
  afterAll(async () => {
    await host.seen?.collector.stop();
    await host.range?.stop();
  });
  return host;
}
