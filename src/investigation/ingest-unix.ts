import type { UnixSockets } from "#model/event";
import type { BootNs, Observation } from "#model/observation";
import type { Ingesting } from "./ingest-network.ts";

type UnixSocket = Extract<Observation, { kind: "unix-socket" }>;
type UnixEnd = Extract<Observation, { kind: "unix-end" }>;

/** Names that one answer may have: the collector says no more. */
const MOST_NAMES = 1000;

/** The answer to an analyst's question for unix sockets, as one event. What comes unasked is not told. */
export class UnixIngest {
  readonly #with: Ingesting;
  #found: UnixSocket[] = [];
  #analyst: string | undefined;

  constructor(ingesting: Ingesting) {
    this.#with = ingesting;
  }

  asked(analyst: string): void {
    this.#found = [];
    this.#analyst = analyst;
  }

  observe(told: UnixSocket | UnixEnd, now: BootNs): void {
    if (this.#analyst === undefined) return;
    if (told.kind === "unix-socket") {
      if (this.#found.length < MOST_NAMES) this.#found.push(told);
      return;
    }
    const { kind: _, ...rest } = told;
    const items = this.#found.map(({ kind: _kind, pids, ...socket }) => ({ ...socket, processes: pids.map((pid) => this.#holder(pid)) }));
    this.#with.emit({
      "@timestamp": this.#with.clock.iso(now),
      event: { action: "network.sockets", category: ["network"], type: ["info"] },
      stakeout: { ...this.#with.sensor, analyst: this.#analyst, sockets: { items, ...rest } },
    });
    this.#found = [];
    this.#analyst = undefined;
  }

  #holder(pid: number): UnixSockets["items"][number]["processes"][number] {
    const entity = this.#with.entities.get(pid);
    if (!entity) return { pid };
    this.#with.tell(entity);
    return { pid, entity_id: entity.id, ...(entity.name === undefined ? {} : { name: entity.name }) };
  }
}
