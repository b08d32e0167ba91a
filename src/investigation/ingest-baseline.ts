import type { Observation } from "#model/observation";

type Found = Extract<Observation, { kind: "process" }>;

/** No lineage is deeper; a forged one could be a loop. */
const DEEPEST = 4096;

/** The processes of a snapshot, each after the one that /proc names as its parent. */
export function parentsFirst(processes: readonly Found[]): Found[] {
  const given = new Map(processes.map((process) => [process.pid, process]));
  const placed = new Set<number>();
  const order: Found[] = [];
  const place = (process: Found, depth: number): void => {
    if (placed.has(process.pid) || depth > DEEPEST) return;
    placed.add(process.pid);
    const parent = given.get(process.facts.ppid ?? 0);
    if (parent) place(parent, depth + 1);
    order.push(process);
  };
  for (const process of processes) place(process, 0);
  return order;
}
