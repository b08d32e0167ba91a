import { nameRandomness } from "#analysis/naming";
import type { ContainerFacts, EventDraft, Process, User } from "#model/event";
import { fileFlags } from "#model/file-flags";
import type { HostString } from "#model/host-string";
import type { BootNs, Observation, ProcFacts, Unseen } from "#model/observation";
import { scriptOf } from "#model/script";
import { placeIn } from "#state/cgroup";
import { type Entity, processRef } from "./entities.ts";
import { flagged, isPackagedPath } from "./ingest-files.ts";
import type { Ingesting } from "./ingest-network.ts";

export type Containers = ReadonlyMap<string, Extract<Observation, { kind: "container" }>>;

/** What a program's start, or its place in the first snapshot, is in the log: whatever could not be read is named. */
export function startDraft(
  { clock, sensor }: Pick<Ingesting, "clock" | "sensor">,
  entity: Entity,
  facts: ProcFacts,
  told: {
    action: "process.start" | "baseline.process";
    ts: BootNs;
    user: User | undefined;
    reason?: string | undefined;
    containers: Containers;
  },
): EventDraft {
  const { action, ts, user, reason, containers } = told;
  const unseen: Record<string, Unseen> = {};
  for (const [field, why] of Object.entries(facts.unseen ?? {})) unseen[`process.${field}`] = why;
  if (facts.argsCut) unseen["process.args[rest]"] = "lost";
  const process: Process = { ...processRef(entity), start: clock.iso(entity.start) };
  if (facts.args !== undefined) process.args = facts.args;
  if (facts.argc !== undefined) process.args_count = facts.argc;
  if (facts.cwd !== undefined) process.working_directory = facts.cwd;
  if (entity.parent) process.parent = { entity_id: entity.parent.id, pid: entity.parent.pid };
  else if (facts.ppid !== 0) unseen["process.parent"] ??= "raced"; // 0 is the kernel, or outside of the host's namespace
  if (entity.cgroup !== undefined) process.cgroup = entity.cgroup;
  if (entity.inside !== undefined) process.vpid = entity.inside;
  const container = entity.cgroup === undefined ? undefined : containerFacts(entity.cgroup, containers);
  if (entity.tty) process.tty = { char_device: device(entity.tty) };
  const { executable = "" } = entity;
  const outside = executable.startsWith("/") && !isPackagedPath(executable);
  const random = outside ? nameRandomness(executable) : undefined;
  const script = scriptRun(entity, facts);
  const scriptRandom = script === undefined ? undefined : nameRandomness(script);
  const resolved = facts.executable !== undefined && facts.executable !== entity.executable ? facts.executable : undefined;
  return {
    "@timestamp": clock.iso(ts),
    event: {
      action,
      category: ["process"],
      type: [action === "process.start" ? "start" : "info"],
      ...(reason === undefined ? {} : { reason }),
    },
    process,
    ...(user ? { user } : {}),
    ...(container ? { container } : {}),
    stakeout: {
      ...sensor,
      ...(Object.keys(unseen).length ? { unseen } : {}),
      ...(resolved === undefined ? {} : { resolved }),
      ...(facts.argsVanished ? { args_record: "vanished" } : {}),
      ...(outside
        ? {
            binary: {
              origin: "exec",
              ...(random === undefined ? {} : { random }),
              ...(facts.deleted ? { deleted: true } : {}),
              ...flagged(fileFlags(executable, facts)),
            },
          }
        : {}),
      ...(script === undefined
        ? {}
        : { script: { path: script, ...(scriptRandom === undefined ? {} : { random: scriptRandom }), ...flagged(fileFlags(script)) } }),
    },
  };
}

/** What an interpreter runs counts as a binary like any other; what packages ship, and what was executed itself, do not count anew. */
export function scriptRun({ executable, image }: Pick<Entity, "executable" | "image">, facts: ProcFacts): HostString | undefined {
  const script = scriptOf(image ?? executable, facts.args, facts.cwd) as HostString | undefined;
  return script === undefined || script === executable || isPackagedPath(script) ? undefined : script;
}

/** The container that a cgroup's path names, with what the host's files call it. */
function containerFacts(cgroup: string, containers: Containers): ContainerFacts | undefined {
  const { container: id, runtime } = placeIn(cgroup);
  if (id === undefined) return undefined;
  const { name, image } = containers.get(id) ?? {};
  return {
    id,
    ...(name === undefined ? {} : { name }),
    ...(image === undefined ? {} : { image: { name: image } }),
    ...(runtime === undefined ? {} : { runtime }),
  };
}

/** The kernel's dev_t as /proc/PID/stat gives it (proc(5), tty_nr): minor in bits 31-20 and 7-0, major in 15-8. */
export const device = (tty: number) => ({ major: (tty >> 8) & 0xff, minor: (tty & 0xff) | ((tty >>> 12) & 0xfff00) });

/** Ways to a file by a descriptor or a link of whoever asks: fexecve(3) and execveat(2) are told as /dev/fd/N. */
const BY_DESCRIPTOR = /^\/(?:dev\/fd\/|proc\/[^/]+\/(?:fd\/|exe$|root\/|cwd\/|task\/))/;

/**
 * A path as it was asked for, made absolute where the working directory is known. One that means something else to each process is
 * what it led to, where that was seen: a program in memory alone has no other name.
 */
export function absolute(path: HostString, facts: ProcFacts): HostString {
  if (BY_DESCRIPTOR.test(path)) return facts.executable ?? path;
  if (path.startsWith("/") || path === "") return path === "" && facts.executable !== undefined ? facts.executable : path;
  if (path.startsWith("memfd:") || facts.cwd === undefined) return facts.executable ?? path;
  return `${facts.cwd}/${path.replace(/^(?:\.\/)+/, "")}` as HostString;
}
