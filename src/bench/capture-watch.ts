import type { Collect, Observation } from "#model/observation";
import type { Executed } from "#range/load";
import type { Range } from "#range/range";
import { type Collector, startCollector } from "#sensors/collector";
import { sshRunner } from "../sensors/testing/ssh-runner.ts";
import { until } from "../sensors/testing/watched.ts";

/** Programs a second. */
export const RATE = 200;
export const COUNT = 1000;
/** More than any machine starts: it goes as fast as it can. */
export const FLAT_OUT = 100_000;
/** Seconds of CLOCK_MONOTONIC, the clock of the loads. */
export const monotonic = () => Number(process.hrtime.bigint()) / 1e9;

type Exec = Extract<Observation, { kind: "exec" }>;
/** A collector at work, and what it has said. */
export interface Watching {
  collector: Collector;
  all: Observation[];
  /** When each exec came, by pid: seconds of CLOCK_MONOTONIC, the load's own clock. */
  execs: Map<number, { exec: Exec; at: number }>;
}

/** Over OpenSSH's own client, which compresses as ours would: not, unless the host is `far`. Resolves once the first snapshot has ended. */
export async function watching(range: Range, collect: Collect, far = false): Promise<Watching> {
  const all: Observation[] = [];
  const execs: Watching["execs"] = new Map();
  const collector = await startCollector(sshRunner(range, undefined, undefined, far), {
    collect,
    onObservations: (batch) => {
      const at = monotonic();
      for (const observation of batch) {
        all.push(observation);
        if (observation.kind === "exec") execs.set(observation.pid, { exec: observation, at });
      }
    },
  });
  await until(() => all.some(({ kind }) => kind === "snapshot-end"), "the first snapshot");
  return { collector, all, execs };
}

export const percent = (part: number, whole: number) => (whole === 0 ? Number.NaN : (100 * part) / whole);

/** Waits until the last of them has come, or until no program comes any more. */
export async function settled({ execs }: Watching, executed: readonly Executed[]): Promise<void> {
  let before = -1;
  for (let quiet = 0; quiet < 10 && executed.some(({ pid }) => !execs.has(pid)); quiet = execs.size === before ? quiet + 1 : 0) {
    before = execs.size;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}
