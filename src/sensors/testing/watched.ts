import type { HostRunner } from "#host/runner";
import type { WeakDigest } from "#model/known-files";
import type { Collect, Observation } from "#model/observation";
import { PATIENCE } from "#testing/patience";
import { type Collector, startCollector } from "../collector.ts";

type Of<K extends Observation["kind"]> = Extract<Observation, { kind: K }>;

/** A collector and all that it has said so far. */
export interface Watched {
  collector: Collector;
  all: Observation[];
  of<K extends Observation["kind"]>(kind: K): Of<K>[];
  /** Waits until an observation of this kind is so. @throws after a minute, with what there was */
  see<K extends Observation["kind"]>(kind: K, is?: (o: Of<K>) => boolean): Promise<Of<K>>;
}

export async function until<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  what: string | (() => string),
  seconds = PATIENCE / 1000,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited ${seconds} s in vain: ${typeof what === "string" ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Starts a collector and waits for the end of its first snapshot. */
export async function watch(
  runner: HostRunner,
  collect?: Collect,
  startTimeoutMs?: number,
  digests?: readonly WeakDigest[],
): Promise<Watched> {
  const all: Observation[] = [];
  const collector = await startCollector(runner, {
    collect,
    digests,
    onObservations: (batch) => void all.push(...batch),
    ...(startTimeoutMs === undefined ? {} : { startTimeoutMs }),
  });
  const of = <K extends Observation["kind"]>(kind: K) => all.filter((o): o is Of<K> => o.kind === kind);
  const see = <K extends Observation["kind"]>(kind: K, is: (o: Of<K>) => boolean = () => true) =>
    until(
      () => of(kind).find(is),
      () =>
        `${kind} among ${all.length} observations: ${JSON.stringify(of(kind).slice(-5), (_k, v) => (typeof v === "bigint" ? `${v}` : v))}`,
    );
  await see("snapshot-end");
  return { collector, all, of, see };
}
