import type { BootNs, Observation } from "#model/observation";
import { type Entities, type Entity, isSshd } from "./entities.ts";
import type { Boot } from "./ingest-boot.ts";
import { FOUND_AGAIN, WHILE_AWAY } from "./ingest-network.ts";
import type { Snapshot } from "./snapshot.ts";

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

/** The host was started anew: all that we knew of has ended, at a time that nobody saw. `next`: the id of the boot that goes on now. */
export function tellReboot({ hello, processes, network }: Boot, next: string, now: BootNs): Returned {
  const reason = "the host was started anew while we were away";
  const connections = network.rebooted(now, reason);
  return {
    rebooted: true,
    boots: { before: hello.bootId, now: next },
    processes: { ended: processes.endAll(now, reason), found: 0, changed: 0 },
    connections: { ended: connections, found: 0 },
  };
}

/** The snapshot after a time away: what is missing has ended meanwhile, what is new is told with the time at which it began. */
export function tellReturn(
  { ingesting, processes, network, logins, origins, sensor }: Boot,
  snapshot: Snapshot,
  since: BootNs,
  now: BootNs,
): Returned {
  const { entities } = ingesting;
  sensor.sense("sensor.start", now);
  const { ended, found, changed } = compareProcesses(entities, snapshot.parentsFirst(), since, processes.tickNs);
  for (const entity of ended) processes.end(entity, now, { "@timestamp": "lost" }, WHILE_AWAY);
  for (const process of found) origins.found(processes.found(process), process.facts);
  for (const cgroup of snapshot.cgroups) processes.placed(cgroup);
  for (const peer of snapshot.peers) logins.mark(peer);
  for (const { pid, facts } of found) {
    const entity = entities.get(pid);
    if (!entity) continue;
    const above = entity.parent?.leader;
    if (above?.entry_meta.type === "sshd" && entity.leader?.entry_meta.type !== "sshd") entity.leader = above;
    if (!isSshd(entity)) logins.of(entity, entity.start);
    processes.start(entity, facts, "process.start", entity.start, now, FOUND_AGAIN);
    origins.tellFound(entity, entity.start);
  }
  for (const { entity, facts } of changed) {
    const before = entity.executable;
    processes.learn(entity, facts);
    origins.exec(entity, before, facts, now);
    if (!isSshd(entity)) logins.of(entity, now);
    processes.start(entity, facts, "process.start", now, now, "it began to run another program while we were away");
  }
  const connections = network.cameBack(snapshot.sockets, now);
  processes.endListed(snapshot.exits);
  return { rebooted: false, processes: { ended: ended.length, found: found.length, changed: changed.length }, connections };
}

/**
 * The processes that we knew beside those that are there now. `since`: when we began to see again (boot clock, ns), so that what has started
 * after it is not missed in a list that was begun before. `tick`: nanoseconds that a start time of /proc is exact to.
 */
function compareProcesses(
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
