import type { BootNs, Observation } from "#model/observation";

type Of<K extends Observation["kind"]> = Extract<Observation, { kind: K }>;

/** Of each kind: no host has more, and a hostile one must not fill our memory. */
const MOST_FOUND = 200_000;
/** No lineage is deeper; a forged one could be a loop. */
const DEEPEST = 4096;
const keep = <T>(found: T[], one: T): void => {
  if (found.length < MOST_FOUND) found.push(one);
};

/** What a collector lists before it tells what happens, in no order that can be relied on: kept until the list is complete. */
export class Snapshot {
  readonly processes: Of<"process">[] = [];
  readonly sockets: Of<"socket-found">[] = [];
  readonly peers: Of<"login-peer">[] = [];
  readonly secrets: Of<"secret">[] = [];
  readonly cgroups: (Of<"cgroup"> | Of<"pid-inside">)[] = [];
  /** Ends of what we did not know yet: it may be listed all the same. */
  readonly exits: { pid: number; ts: BootNs }[] = [];

  /** True where the observation is a part of the list; anything else has happened meanwhile. */
  take(observation: Observation): boolean {
    const { kind } = observation;
    if (kind === "process") keep(this.processes, observation);
    else if (kind === "socket-found") keep(this.sockets, observation);
    else if (kind === "cgroup" || kind === "pid-inside") keep(this.cgroups, observation);
    else if (kind === "login-peer") keep(this.peers, observation);
    else if (kind === "secret") keep(this.secrets, observation);
    else return false;
    return true;
  }

  /** A process that nobody knows yet has ended. */
  exited({ pid, ts }: Of<"exit">): void {
    keep(this.exits, { pid, ts });
  }

  /** The processes, each after the one that /proc names as its parent. */
  parentsFirst(): Of<"process">[] {
    const given = new Map(this.processes.map((process) => [process.pid, process]));
    const placed = new Set<number>();
    const order: Of<"process">[] = [];
    const place = (process: Of<"process">, depth: number): void => {
      if (placed.has(process.pid) || depth > DEEPEST) return;
      placed.add(process.pid);
      const parent = given.get(process.facts.ppid ?? 0);
      if (parent) place(parent, depth + 1);
      order.push(process);
    };
    for (const process of this.processes) place(process, 0);
    return order;
  }
}
