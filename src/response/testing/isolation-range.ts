import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { Ran } from "#range/machine";
import { type Range, type RangeOptions, startRange } from "#range/range";
import type { IsolationPlan } from "../isolation/plan.ts";
import { type Outcome, type Prepared, type PrepareOptions, prepareIsolation } from "../isolation/prepare.ts";
import { type Beacon, startBeacon } from "./beacon.ts";
import { clear } from "./clear.ts";
import { connectRange, type RangeHost, type RangeHostOptions } from "./range-host.ts";

export interface IsolationRange {
  range: Range;
  /** A new connection to the host. */
  connect(options?: RangeHostOptions): Promise<RangeHost>;
  /** An implant at work, from now to the end of the test. */
  beacon(): Promise<Beacon>;
  /** An isolation, or what `options` say, for `host`. */
  prepare(host: RangeHost, options?: Partial<PrepareOptions>): Promise<Prepared>;
  /** Prepares and carries out. */
  carryOut(host: RangeHost, options?: Partial<PrepareOptions>): Promise<Outcome>;
  /** Isolates, which must succeed. */
  isolate(host: RangeHost, options?: Partial<PrepareOptions>): Promise<{ plan: IsolationPlan; prepared: Prepared; done: Outcome }>;
  /** Runs a script on the host as root, not by ssh. */
  root(script: string, input?: string): Promise<Ran>;
  /** What a script says that must succeed, without blanks at its ends. */
  said(script: string): Promise<string>;
  /** Is run at the end of the test, before its connections go. */
  atEnd(end: () => unknown): void;
}

/**
 * A suspect host, made before the tests of the describe block that calls this and gone after them. What a test opens here is closed at its
 * end, and the host's network has no rule then.
 */
export function isolationRange(options: RangeOptions = {}): IsolationRange {
  const ends: (() => unknown)[] = [];
  const stage: IsolationRange = {
    range: undefined as unknown as Range, // until beforeAll: no test sees it
    async connect(more) {
      const host = await connectRange(stage.range, more);
      ends.push(() => host.vanish());
      return host;
    },
    async beacon() {
      const beacon = await startBeacon(stage.range);
      ends.push(() => beacon.stop());
      return beacon;
    },
    async prepare(host, more) {
      const prepared = await prepareIsolation(host.runner, { analyst: "jm", session: "s-1", want: "isolate", ...more });
      ends.push(() => prepared.dispose());
      return prepared;
    },
    async carryOut(host, more) {
      return (await stage.prepare(host, more)).execute({ probeAccess: host.probeAccess });
    },
    async isolate(host, more) {
      const prepared = await stage.prepare(host, more);
      const done = await prepared.execute({ probeAccess: host.probeAccess });
      expect(done.error).toBeUndefined();
      expect(done).toMatchObject({ ok: true, verified: { access: true, cut: true } });
      return { plan: prepared.isolation as IsolationPlan, prepared, done };
    },
    root: (script, input) => stage.range.onHost(["sh", "-c", script], input),
    async said(script) {
      const { code, stdout, stderr } = await stage.root(script);
      expect(code, stderr).toBe(0);
      return stdout.trim();
    },
    atEnd: (end) => ends.push(end),
  };
  beforeAll(async () => {
    stage.range = await startRange(options);
  });
  afterAll(() => stage.range?.stop());
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    await clear(stage.range);
  });
  return stage;
}
