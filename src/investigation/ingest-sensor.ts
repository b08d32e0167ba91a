import type { EventDraft, SensorReport } from "#model/event";
import type { BootNs, Observation } from "#model/observation";
import type { ClockMap } from "./clock-map.ts";

type Of<K extends Observation["kind"]> = Extract<Observation, { kind: K }>;
type SensorAction = Extract<EventDraft["event"]["action"], `sensor.${string}`>;

/** A canary that has not come back after this long is missed. */
const CANARY_PATIENCE_NS = 5e9;
/** Host time between two reports when nothing else is told. */
const REPORT_EACH_NS = 10e9;

export interface Sensing {
  clock: ClockMap;
  /** Shared with everything that is emitted: its tier is the one that watches now. */
  sensor: { sensor: string; tier: string };
  emit: (draft: EventDraft) => void;
}

/** A tier that reads the link of a program sees where it leads (/usr/bin for /bin), or nothing of what is gone; the pid is ours alone. */
const same = (seen: string, ran: string) => seen === "" || seen.slice(seen.lastIndexOf("/") + 1) === ran.slice(ran.lastIndexOf("/") + 1);

/**
 * What is known of our own sight, as events of the log: the tier and its changes, what was lost, raced or not decoded, the host's clock,
 * and the canaries, which are programs and connections of our own that must come back by the way of everything else.
 */
export class SensorIngest {
  report: SensorReport = {};
  readonly #with: Sensing;
  readonly #self: number;
  /** Canaries on their way, by what they are: a pid of a program, a port of a connection. */
  readonly #programs = new Map<number, Of<"canary">>();
  readonly #ports = new Map<number, Of<"canary">>();
  /** Pids of canary programs that were seen and have not ended. */
  readonly #ours = new Set<number>();
  #missing = false;
  #reportedAt = 0;
  #lostAtCanary = 0;
  /** What sensors before this one in the same session had counted: the sums go on. */
  readonly #before: { lost: number; outside: number; undecodable: number };

  constructor(sensing: Sensing, hello: Of<"hello">, before: SensorReport = {}) {
    this.#with = sensing;
    this.#self = hello.self;
    const { lost = 0, raced = 0, outside = 0, undecodable = 0, canaries = { sent: 0, returned: 0 } } = before;
    this.#before = { lost, outside, undecodable };
    this.#lostAtCanary = lost;
    this.report = {
      kernel_buffer: hello.kernelBufferBytes,
      pids: hello.pids,
      blind: hello.blind,
      lost,
      raced,
      outside,
      undecodable,
      canaries: { ...canaries, sent: canaries.returned }, // what was under way went with the sensor before
    };
  }

  sense(action: SensorAction, now: BootNs, report: SensorReport = {}): void {
    const { reason, ...lasting } = report;
    this.report = { ...this.report, ...lasting };
    this.#reportedAt = now;
    this.#with.emit({
      "@timestamp": this.#with.clock.iso(now),
      event: { action, category: ["configuration"], type: ["info"], ...(reason === undefined ? {} : { reason }) },
      stakeout: { ...this.#with.sensor, report: { ...this.report, ...(reason === undefined ? {} : { reason }) } },
    });
  }

  raced(): void {
    this.report.raced = (this.report.raced ?? 0) + 1;
  }

  tier({ ts, tier, how, reason, kernelBufferBytes, blind }: Of<"tier">): void {
    this.#with.sensor.tier = tier;
    this.#programs.clear(); // what was under way went with the tier before
    this.#ports.clear();
    this.sense(`sensor.${how}`, ts, { reason, kernel_buffer: kernelBufferBytes, blind });
  }

  sent(canary: Of<"canary">): void {
    const canaries = this.report.canaries ?? { sent: 0, returned: 0 };
    this.report.canaries = { ...canaries, sent: canaries.sent + 1 };
    if (canary.what === "program") this.#programs.set(canary.id, canary);
    else this.#ports.set(canary.id, canary);
  }

  /** True for what a canary of ours caused: it is counted here and is nobody's activity. */
  isCanary(observation: Observation): boolean {
    if (observation.kind === "fork") return observation.parent === this.#self && this.#programs.has(observation.pid);
    if (observation.kind === "exec") {
      const canary = this.#programs.get(observation.pid);
      if (!canary || !same(observation.path, canary.path ?? "") || observation.ts < canary.ts - CANARY_PATIENCE_NS) return false;
      this.#programs.delete(observation.pid);
      this.#ours.add(observation.pid);
      this.#returned(observation.ts);
      return true;
    }
    if (observation.kind === "exit") return this.#ours.delete(observation.pid);
    if (observation.kind !== "socket" || observation.to !== "SYN_SENT" || observation.pid !== this.#self) return false;
    if (observation.remote.ip !== "127.0.0.1" || !this.#ports.delete(observation.remote.port)) return false;
    this.#returned(observation.ts);
    return true;
  }

  #returned(ts: BootNs): void {
    const canaries = this.report.canaries ?? { sent: 0, returned: 0 };
    this.report.canaries = { ...canaries, returned: canaries.returned + 1, last: this.#with.clock.iso(ts) };
    if (!this.#missing || this.#programs.size > 0 || this.#ports.size > 0) return;
    this.#missing = false;
    this.sense("sensor.recovered", ts, { reason: "what we do on the host to test the sensor is seen again" });
  }

  tick(tick: Of<"tick">, lastSeen: BootNs): void {
    const all = tick.lost + this.#before.lost;
    const lost = all - (this.report.lost ?? 0);
    const { queue = 0 } = tick;
    const outside = tick.outside + this.#before.outside;
    const undecodable = (tick.undecodable ?? 0) + this.#before.undecodable;
    this.report = { ...this.report, lost: all, outside, queue, undecodable };
    if (lastSeen > 0) this.report.last_seen = this.#with.clock.iso(lastSeen);
    if (lost > 0) this.sense("sensor.degraded", tick.ts, { reason: `the kernel dropped ${lost} events: its buffer was full` });
    this.#look({ ts: tick.ts, lost: all });
    if (this.#reportedAt > 0 && tick.ts - this.#reportedAt >= REPORT_EACH_NS) this.sense("sensor.report", tick.ts);
  }

  /** Canaries that did not come back: by a full buffer, or by somebody's hand. */
  #look({ ts, lost }: { ts: BootNs; lost: number }): void {
    const late = (all: Map<number, Of<"canary">>) => [...all.values()].filter((canary) => ts - canary.ts > CANARY_PATIENCE_NS);
    const [programs, ports] = [late(this.#programs), late(this.#ports)];
    if (programs.length + ports.length === 0) return;
    for (const { id } of programs) this.#programs.delete(id);
    for (const { id } of ports) this.#ports.delete(id);
    const full = lost > this.#lostAtCanary;
    this.#lostAtCanary = lost;
    if (this.#missing) return;
    this.#missing = true;
    const what = programs.length > 0 ? "a program that we ran" : "a connection that we made";
    this.sense(full ? "sensor.degraded" : "sensor.tampered", ts, {
      reason: `${what} to test the sensor was not seen within 5 s${full ? ": events were lost" : ": somebody may be blinding it"}`,
    });
  }
}
