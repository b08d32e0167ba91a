import type { SensorReport } from "#model/event";
import type { HostString } from "#model/host-string";
import type { BootNs, Observation } from "#model/observation";
import type { SetUp } from "#model/past";
import { ClockMap } from "./clock-map.ts";
import { type Returned, tellReboot, tellReturn } from "./ingest-away.ts";
import { tellBaseline } from "./ingest-baseline.ts";
import { type Boot, type BootOptions, followBoot, lookAgain } from "./ingest-boot.ts";
import { Snapshot } from "./snapshot.ts";
import { Timeline } from "./timeline.ts";

type Of<K extends Observation["kind"]> = Extract<Observation, { kind: K }>;

const MOST_USERS = 100_000;
const MOST_CONTAINERS = 10_000;

export interface IngestOptions extends BootOptions {
  /** The host's identity, as soon as it is known and before the first event of it. */
  onHost: (host: { id: string; name: HostString }) => void;
  /** After a time away, once all that is there has been compared with what was there. */
  onReturned?: (returned: Returned) => void;
}

/**
 * Observations in, drafts of events out, in the order of the host's clock. It knows which process has a pid just now and where each
 * came from; it reads no clock and sets no timer, so the same observations give the same events.
 */
export class Ingest {
  readonly #options: IngestOptions;
  #clock = new ClockMap();
  #time = new Timeline();
  readonly #users = new Map<number, HostString>();
  /** What the host's files call its containers, by id. */
  readonly #containers = new Map<string, Of<"container">>();
  /** There from the first hello on: nothing counts before that. */
  #boot: Boot | undefined;
  #tampered = false;
  #snapshot: Snapshot | undefined;
  /** The first snapshot has been told. */
  #complete = false;
  /** The next hello is that of a sensor which takes the place of the one before. */
  #expected = false;
  /** What to tell once the snapshot after a time away is there. */
  #returning: { since: BootNs; rebooted: Returned | undefined } | undefined;

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  get report(): SensorReport {
    return this.#boot?.sensor.report ?? {};
  }

  /** The host's clock minus ours in milliseconds, as the console finds it. */
  set clockOffset(milliseconds: number) {
    if (this.#boot) this.#boot.sensor.report.clock_offset = Math.round(milliseconds);
  }

  /** How the host is set up was read: what cron runs can be told by its entry. */
  readEntries(setUp: readonly SetUp[]): void {
    this.#boot?.origins.entries(setUp);
  }

  /** An analyst asked for the unix sockets: the next answer is his. */
  asksForSockets(analyst: string): void {
    this.#boot?.unix.asked(analyst);
  }

  /** A new sensor takes the place of the one before: its hello is to be believed, and what it finds compared with what we knew. */
  expectReturn(): void {
    this.#expected = true;
  }

  observe(told: Observation): void {
    const observation = this.#time.place(told);
    const { kind } = observation;
    if (kind === "hello") return this.#hello(observation);
    if (kind === "clock") return this.#clockTold(observation);
    if (kind === "user") {
      if (this.#users.size < MOST_USERS) this.#users.set(observation.uid, observation.name);
      return;
    }
    const boot = this.#boot;
    if (!boot || boot.sensor.isCanary(observation)) return;
    if (kind === "unix-socket" || kind === "unix-end") return boot.unix.observe(observation, this.#time.now);
    if (kind === "container") {
      if (this.#containers.size < MOST_CONTAINERS) this.#containers.set(observation.id, observation);
      return;
    }
    if (this.#snapshot) {
      if (this.#snapshot.take(observation)) return;
      if (kind === "snapshot-end") return this.#listed(boot, this.#snapshot, observation);
    }
    this.#happened(boot, observation);
  }

  /** What is no part of a list: it has just happened, or was just looked at. */
  #happened(boot: Boot, observation: Observation): void {
    const { kind } = observation;
    const { now } = this.#time;
    const { processes, network, files } = boot;
    if (kind === "fork") processes.fork(observation);
    else if (kind === "cgroup" || kind === "pid-inside") processes.placed(observation);
    else if (kind === "exec") processes.exec(observation, now);
    else if (kind === "exit") {
      if (!processes.exit(observation)) this.#snapshot?.exited(observation);
    } else if (kind === "socket") network.change(observation);
    else if (kind === "socket-found") network.found(observation, now);
    else if (kind === "socket-polled") network.polled(observation);
    else if (kind === "socket-carried") network.carried(observation);
    else if (kind === "datagram") network.datagram(observation);
    else if (kind === "login-peer") boot.logins.peer(observation, network);
    else if (kind === "file") {
      files.change(observation);
      boot.owners?.changed(observation, now);
    } else if (kind === "file-owner") boot.owners?.answer(observation, now);
    else if (kind === "file-info") files.info(observation, now);
    else if (kind === "file-open" || kind === "process-access" || kind === "environment") boot.hands.observe(observation);
    else if (kind === "secret") boot.hands.secret(observation, now);
    else if (kind === "process") processes.late(observation, now);
    else if (kind === "tick") this.#tick(boot, observation);
    else if (kind === "canary") {
      boot.sensor.sent(observation);
      if (observation.what === "program") processes.disown(observation.id, boot.hello.self, observation.ts); // its fork came first
    } else if (kind === "tier") {
      processes.listAgain(observation.ts);
      boot.sensor.tier(observation);
    } else if (kind === "snapshot-end") processes.listedAgain(now);
    else if (kind === "problem") boot.sensor.problem(observation, now);
  }

  #clockTold({ boot, wallNs }: Of<"clock">): void {
    if (this.#returning?.since === 0) this.#returning.since = boot;
    const jump = this.#clock.set(boot, wallNs);
    if (jump === 0) return;
    const [seconds, way] = [Math.abs(jump / 1000).toFixed(1), jump > 0 ? "forward" : "back"];
    this.#boot?.sensor.sense("sensor.clock", boot, { reason: `the host's clock was set ${way} by ${seconds} s` });
  }

  #hello(hello: Of<"hello">): void {
    if (!this.#boot) this.#follow(hello);
    else if (this.#expected) this.#comeBack(this.#boot, hello);
    else this.#helloAgain(this.#boot);
  }

  #follow(hello: Of<"hello">): void {
    this.#options.onHost({ id: hello.machineId || hello.bootId, name: hello.hostname });
    const known = { clock: this.#clock, users: this.#users, containers: this.#containers };
    this.#boot = followBoot(hello, this.#options, known, this.#boot);
    this.#snapshot = new Snapshot();
  }

  /** A collector says hello once. One more would give new names to everything, and take off what tags stand on. */
  #helloAgain({ sensor }: Boot): void {
    if (this.#tampered) return;
    this.#tampered = true;
    sensor.sense("sensor.tampered", this.#time.now, { reason: "the collector introduced itself a second time; it was not believed" });
  }

  #comeBack(boot: Boot, hello: Of<"hello">): void {
    this.#expected = false;
    const rebooted = hello.bootId === boot.hello.bootId ? undefined : tellReboot(boot, hello.bootId, this.#time.now);
    this.#time = new Timeline();
    this.#returning = { since: 0, rebooted };
    if (rebooted) {
      this.#clock = new ClockMap();
      this.#follow(hello);
    } else {
      lookAgain(boot, hello);
      this.#snapshot = new Snapshot();
    }
  }

  /** The snapshot is whole: the first one of a boot is the baseline, one after a time away is compared with what was known. */
  #listed(boot: Boot, snapshot: Snapshot, end: Of<"snapshot-end">): void {
    const [returning, { now }] = [this.#returning, this.#time];
    this.#snapshot = this.#returning = undefined;
    if (this.#complete && returning && !returning.rebooted) {
      this.#options.onReturned?.(tellReturn(boot, snapshot, returning.since, now));
      return;
    }
    const { processes, sockets } = tellBaseline(boot, snapshot, end, this.#users, now);
    this.#complete = true;
    if (!returning) return;
    const { rebooted } = returning;
    this.#options.onReturned?.({
      rebooted: rebooted !== undefined,
      ...(rebooted?.boots ? { boots: rebooted.boots } : {}),
      processes: { ended: rebooted?.processes.ended ?? 0, found: processes, changed: 0 },
      connections: { ended: rebooted?.connections.ended ?? 0, found: sockets },
    });
  }

  #tick({ processes, network, sensor }: Boot, tick: Of<"tick">): void {
    processes.settle(tick.ts);
    network.settle(tick.ts);
    processes.tick(tick.ts);
    sensor.tick(tick, this.#time.lastSeen);
  }
}
