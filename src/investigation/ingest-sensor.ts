import type { EventDraft, SensorReport } from "#model/event";
import type { BootNs, CanaryKind, Observation } from "#model/observation";
import type { ClockMap } from "./clock-map.ts";

type Of<K extends Observation["kind"]> = Extract<Observation, { kind: K }>;
type SensorAction = Extract<EventDraft["event"]["action"], `sensor.${string}`>;

/** A canary that has not come back after this long is missed. */
const CANARY_PATIENCE_NS = 5e9;
/** A program that the host gives no time, or that somebody holds up, proves nothing: after this long that is told. */
const BEGIN_PATIENCE_NS = 30e9;
/** Bytes that wait for the line from which on the collector reads no more of the kernel (`$backlog` of its text): nothing can come back then. */
const STUCK_BYTES = 4 << 20;
/** Ticks come once a second. A sensor without one for longer than the first was not running: a test of it may come as much later. For longer
 * than the second is told. */
const LATE_TICK_NS = 2e9;
const STOOD_STILL_NS = 5e9;
const TICK_NS = 1e9;
/**
 * Whoever stops it for less than that, again and again, keeps it as blind. Short ones are summed up, what it worked meanwhile not counted (to
 * look at thousands of processes takes long), and a fifth of the time since is forgiven.
 */
const SHORT_STILLS_NS = 4e9;
const FORGIVEN = 0.2;
/** What passes by itself, a full buffer or a stand-still, is over when it has not come again for so long. */
const PASSED_NS = 10e9;
/** After the kernel had more to tell of files than it keeps, a test that is missing is taken for lost so long. */
const FILES_LOST_NS = 10e9;
/** Host time between two reports when nothing else is told. */
const REPORT_EACH_NS = 10e9;

const CANARIES: readonly [CanaryKind, string][] = [
  ["program", "a program that we ran"],
  ["connection", "a connection that we made"],
  ["file", "a file that we made in memory"],
  ["opening", "a file that we opened"],
];

export interface Sensing {
  clock: ClockMap;
  /** Shared with everything that is emitted: its tier is the one that watches now. */
  sensor: { sensor: string; tier: string };
  emit: (draft: EventDraft) => void;
}

/** A canary on its way, until when it is waited for, and until when it may take to begin. */
type Sent = Of<"canary"> & { due: BootNs; begun: BootNs };

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
  /** Canaries on their way, by what they are: a pid of a program, a port of a connection, a path of a file or of an opening. */
  readonly #programs = new Map<number, Sent>();
  readonly #ports = new Map<number, Sent>();
  readonly #files = new Map<string, Sent>();
  readonly #openings = new Map<string, Sent>();
  #filesLostAt = Number.NEGATIVE_INFINITY;
  /** Pids of canary programs that were seen and have not ended. */
  readonly #ours = new Set<number>();
  /** Kinds of which the last one did not come back, and whether that was told. */
  readonly #missing = new Set<CanaryKind>();
  #told = false;
  #reportedAt = 0;
  #ticked = { ts: 0, cpuMs: 0 };
  /** How long it stood still lately, a little at a time. */
  #shortStills = 0;
  /** When what passes by itself came last, and whether something keeps us from seeing that does not. */
  #passing: BootNs | undefined;
  #lasting = false;
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
    if (action === "sensor.recovered") this.#passing = undefined;
    if (action !== "sensor.report" && action !== "sensor.clock") this.#lasting = action !== "sensor.recovered" && action !== "sensor.start";
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

  sent(told: Of<"canary">): void {
    const due = told.ts + CANARY_PATIENCE_NS;
    const waits = told.what === "program" ? this.#programs.get(told.id) : undefined;
    if (waits) waits.due = due;
    if (waits) return;
    const canary = { ...told, due, begun: told.ts + BEGIN_PATIENCE_NS };
    const canaries = this.report.canaries ?? { sent: 0, returned: 0 };
    this.report.canaries = { ...canaries, sent: canaries.sent + 1 };
    if (canary.what === "program") this.#programs.set(canary.id, canary);
    else if (canary.what === "connection") this.#ports.set(canary.id, canary);
    else (canary.what === "file" ? this.#files : this.#openings).set(canary.path ?? "", canary);
  }

  problem({ what, fatal, about }: Of<"problem">, now: BootNs): void {
    if (about === "files-lost") this.#filesLostAt = now;
    if (about === "files-lost" || about === "passing") return this.#passes(now, what);
    this.sense(fatal ? "sensor.lost" : about === "tampered" ? "sensor.tampered" : "sensor.degraded", now, { reason: what });
  }

  /** True for what a canary of ours caused: it is counted here and is nobody's activity. */
  isCanary(observation: Observation): boolean {
    if (observation.kind === "fork") return observation.parent === this.#self && this.#programs.has(observation.pid);
    if (observation.kind === "exec") {
      const canary = this.#programs.get(observation.pid);
      if (!canary || !same(observation.path, canary.path ?? "") || observation.ts < canary.ts - CANARY_PATIENCE_NS) return false;
      this.#programs.delete(observation.pid);
      this.#ours.add(observation.pid);
      this.#returned("program", observation.ts);
      return true;
    }
    if (observation.kind === "exit") return this.#ours.delete(observation.pid);
    if (observation.kind === "file" || observation.kind === "file-open") {
      const opened = observation.kind === "file-open";
      if ((observation.pid ?? this.#self) !== this.#self) return false; // inotify tells no pid
      if (!(opened ? this.#openings : this.#files).delete(observation.path)) return false;
      this.#returned(opened ? "opening" : "file", observation.ts);
      return true;
    }
    if (observation.kind !== "socket" || observation.to !== "SYN_SENT" || observation.pid !== this.#self) return false;
    if (observation.remote.ip !== "127.0.0.1" || !this.#ports.delete(observation.remote.port)) return false;
    this.#returned("connection", observation.ts);
    return true;
  }

  #returned(what: CanaryKind, ts: BootNs): void {
    const canaries = this.report.canaries ?? { sent: 0, returned: 0 };
    const last = this.#with.clock.iso(ts);
    this.report.canaries = { ...canaries, returned: canaries.returned + 1, last };
    this.report.proven = { ...this.report.proven, [what]: last };
    this.#missing.delete(what);
    if (!this.#told || this.#missing.size > 0) return;
    this.#told = false;
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
    this.#stoodStill(tick, queue);
    if (lost > 0) this.#passes(tick.ts, `the kernel dropped ${lost} events: its buffer was full`);
    this.#look({ ts: tick.ts, lost: all });
    this.#looksForBegun(tick.ts);
    if (this.#passing !== undefined && tick.ts - this.#passing >= PASSED_NS) this.#passed(tick.ts);
    if (this.#reportedAt > 0 && tick.ts - this.#reportedAt >= REPORT_EACH_NS) this.sense("sensor.report", tick.ts);
  }

  /** The host, or what we run there, was stopped or had no time: what the kernel kept meanwhile comes late, what we read of a process is gone. */
  #stoodStill({ ts, cpuMs }: Of<"tick">, queue: number): void {
    const still = this.#ticked.ts === 0 ? 0 : ts - this.#ticked.ts;
    const idle = still - TICK_NS - (cpuMs - this.#ticked.cpuMs) * 1e6;
    this.#ticked = { ts, cpuMs };
    this.#shortStills = Math.max(0, this.#shortStills - still * FORGIVEN);
    const owed = queue > STUCK_BYTES ? still : still > LATE_TICK_NS ? still - TICK_NS : 0;
    for (const all of this.#all()) for (const canary of all.values()) canary.due += owed;
    if (still <= LATE_TICK_NS) return;
    const long = still > STOOD_STILL_NS;
    if (!long) this.#shortStills = Math.min(2 * SHORT_STILLS_NS, this.#shortStills + Math.max(0, idle));
    if (!long && this.#shortStills <= SHORT_STILLS_NS) return;
    const how = `for ${Math.round(still / 1e9)} s${long ? "" : ", again and again"}`;
    this.#passes(
      ts,
      `the sensor stood still ${how}: what began and ended meanwhile came late, and without what only a living process shows`,
    );
  }

  /** Something was not seen, or not whole, and what comes after it is. */
  #passes(ts: BootNs, reason: string): void {
    const lasting = this.#lasting;
    this.sense("sensor.degraded", ts, { reason });
    this.#lasting = lasting;
    this.#passing = ts;
  }

  #passed(ts: BootNs): void {
    this.#passing = undefined;
    if (this.#lasting || this.#missing.size > 0) return;
    const seconds = PASSED_NS / 1e9;
    this.sense("sensor.recovered", ts, { reason: `for ${seconds} s nothing more was lost or late; what was lost before stays counted` });
  }

  #all(): Map<unknown, Sent>[] {
    return [this.#programs, this.#ports, this.#files, this.#openings];
  }

  /** A program of ours that has not begun. While it waits there is no other, and nothing is proven. */
  #looksForBegun(ts: BootNs): void {
    const waits = [...this.#programs.values()].some(({ begun }) => ts > begun);
    if (!waits || this.#missing.has("program")) return;
    this.#misses("program");
    const reason = `a program of ours that tests the sensor has not begun for ${BEGIN_PATIENCE_NS / 1e9} s: the host has no time for it, or somebody holds it up; that programs are still shown to us is not proven`;
    this.#told = true;
    this.sense("sensor.degraded", ts, { reason });
  }

  #misses(kind: CanaryKind): void {
    this.#missing.add(kind);
    const { [kind]: _, ...proven } = this.report.proven ?? {};
    this.report.proven = proven;
  }

  /** Canaries that did not come back: by a full buffer, or by somebody's hand. */
  #look({ ts, lost }: { ts: BootNs; lost: number }): void {
    const late = new Set<CanaryKind>();
    for (const all of this.#all())
      for (const [id, canary] of all) {
        if (ts <= canary.due) continue;
        all.delete(id);
        late.add(canary.what);
      }
    const [what] = CANARIES.filter(([kind]) => late.has(kind) && !this.#missing.has(kind));
    const traced = late.has("program") || late.has("connection");
    const full = traced ? lost > this.#lostAtCanary : ts - this.#filesLostAt < FILES_LOST_NS;
    if (traced) this.#lostAtCanary = lost;
    for (const kind of late) this.#misses(kind);
    if (what === undefined) return;
    this.#told = true;
    this.sense(full ? "sensor.degraded" : "sensor.tampered", ts, {
      reason: `${what[1]} to test the sensor was not seen within 5 s${full ? ": events were lost" : ": somebody may be blinding it"}`,
    });
  }
}
