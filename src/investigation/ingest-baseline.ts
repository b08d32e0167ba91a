import type { HostString } from "#model/host-string";
import type { BootNs, Observation } from "#model/observation";
import { cameFromLogin, isSshd } from "./entities.ts";
import type { Boot } from "./ingest-boot.ts";
import type { Snapshot } from "./snapshot.ts";

/** The first snapshot as a whole: parents before children, logins known before anything of theirs. */
export function tellBaseline(
  { ingesting, processes, network, hands, logins, origins, sensor }: Boot,
  snapshot: Snapshot,
  { milliseconds }: Extract<Observation, { kind: "snapshot-end" }>,
  users: ReadonlyMap<number, HostString>,
  now: BootNs,
): { processes: number; sockets: number } {
  const { entities, clock, emit } = ingesting;
  sensor.sense("sensor.start", now);
  const order = snapshot.parentsFirst();
  for (const found of order) {
    const entity = processes.found(found);
    origins.found(entity, found.facts);
    if (entity.parent?.pid === 1 && entity.leader?.entry_meta.type !== "console" && cameFromLogin(found.facts))
      entity.leader = { entity_id: entity.id, entry_meta: { type: "unknown" } };
  }
  for (const cgroup of snapshot.cgroups) processes.placed(cgroup);
  for (const peer of snapshot.peers) logins.mark(peer);
  // A leader that a peer gave comes down to those who were listed before it was known.
  for (const { pid } of order) {
    const entity = entities.get(pid);
    if (entity?.parent?.leader?.entry_meta.type === "sshd") entity.leader = entity.parent.leader;
  }
  for (const { pid, facts } of order) {
    const entity = entities.get(pid);
    if (entity) processes.start(entity, facts, "baseline.process", entity.start, now);
  }
  for (const { pid } of order) {
    const entity = entities.get(pid);
    if (entity && !isSshd(entity)) logins.of(entity, entity.start);
    if (entity) origins.tellFound(entity, entity.start);
  }
  for (const socket of snapshot.sockets.filter(({ state }) => state === "LISTEN")) network.found(socket, now);
  for (const socket of snapshot.sockets.filter(({ state }) => state !== "LISTEN")) network.found(socket, now);
  for (const secret of snapshot.secrets) hands.secret(secret, now);
  processes.endListed(snapshot.exits);
  processes.settle(now);
  const told = { processes: order.length, sockets: snapshot.sockets.length };
  emit({
    "@timestamp": clock.iso(now),
    event: { action: "baseline.complete", category: ["host"], type: ["info"], duration: Math.round(milliseconds * 1e6) },
    stakeout: { ...ingesting.sensor, baseline: { ...told, users: users.size } },
  });
  return told;
}
