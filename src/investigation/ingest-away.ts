import type { BootNs, Observation } from "#model/observation";
import type { Entities, Entity } from "./entities.ts";

type Found = Extract<Observation, { kind: "process" }>;

/** What had changed on the host when we saw it again. */
export interface Returned {
  /** It was started anew meanwhile: everything of before has ended. */
  rebooted: boolean;
  /** Of a host that was started anew: its boot ids (/proc/sys/kernel/random/boot_id) before and now. */
  boots?: { before: string; now: string };
  processes: { ended: number; found: number; changed: number };
  connections: { ended: number; found: number };
}

/**
 * The processes that we knew beside those that are there now. `since`: when we began to see again (boot clock, ns), so that what has started
 * after it is not missed in a list that was begun before. `tick`: nanoseconds that a start time of /proc is exact to.
 */
export function compareProcesses(
  entities: Entities,
  there: readonly Found[],
  since: BootNs,
  tick: number,
): { ended: Entity[]; found: Found[]; changed: { entity: Entity; facts: Found["facts"] }[] } {
  const found: Found[] = [];
  const changed: { entity: Entity; facts: Found["facts"] }[] = [];
  const alive = new Set<Entity>();
  for (const process of there) {
    const { facts, pid } = process;
    const known = entities.get(pid);
    if (!known || (facts.startTicks !== undefined && Math.abs(facts.startTicks * tick - known.start) > 2 * tick)) {
      found.push(process);
      continue;
    }
    alive.add(known);
    // the same process, and another program in it
    if (known.image !== undefined && facts.executable !== undefined && known.image !== facts.executable)
      changed.push({ entity: known, facts });
  }
  const ended = [...entities.values()].filter((entity) => entity.start < since && !alive.has(entity));
  return { ended, found, changed };
}
