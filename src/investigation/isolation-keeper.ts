import type { EventDraft, Level, StakeoutEvent } from "#model/event";
import type { HostString } from "#model/host-string";
import type { IsolationReport, Response } from "#model/response";
import type { IsolationStatus, WatchFinding } from "#response/isolation/watch/status";
import type { WatchEnd } from "#response/isolation/watch/watch";
import type { State } from "#state/state";
import { isoOfMicros } from "./clock-map.ts";
import type { StartWatch } from "./prepared.ts";

interface KeeperOptions {
  state: State;
  append: (draft: EventDraft) => void;
  hostNow: () => string;
  /** The host's clock less ours, milliseconds. */
  offset: () => number;
  changed: () => void;
}

/** The sensor that the watch over an isolation is. */
const ISOLATION_SENSOR = "isolation";

/** MITRE ATT&CK: Impair Defenses, Disable or Modify System Firewall. */
const TAMPERING = "T1562.004";

const LEVELS: Record<WatchFinding["kind"], Level> = {
  "isolation-removed": "critical",
  "isolation-changed": "critical",
  "not-put-back": "critical",
  "guard-ended": "high",
  "boot-changed": "high",
  "boot-lost": "critical",
  "watch-ended": "high",
  interface: "medium",
  address: "medium",
  route: "medium",
};

interface Running {
  response: string;
  analyst: string;
  start: StartWatch;
  stop?: () => void;
  tier: string;
}

/** Keeps an isolation that stands: the watch runs for as long as it does, and all that it says becomes events. */
export class IsolationKeeper {
  readonly #options: KeeperOptions;
  #running: Running | undefined;
  /** What was kept last: its watch may have been lost with the connection. */
  #kept: Running | undefined;
  #findings = 0;
  #last: IsolationReport | undefined;
  /** What was counted before the rules were made anew, and their counters with them. */
  #before = { out: 0, dropped: 0, putBack: 0 };

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  begin(response: string, analyst: string, start: StartWatch, restarted = false): void {
    this.stop();
    const tier = this.#options.state.responses.get(response)?.method ?? "unknown";
    const running: Running = { response, analyst, start, tier };
    this.#running = running;
    this.#kept = running;
    const mine = () => this.#running === running;
    const ears = {
      status: (status: IsolationStatus) => mine() && this.#status(status),
      finding: (finding: WatchFinding) => mine() && this.#find(finding),
      renewed: (made: Omit<Response, "id">, because: string) => mine() && this.#renewed(made, because),
      ended: (why: WatchEnd) => mine() && this.#ended(why),
    };
    start(ears, restarted).then(
      (watch) => {
        if (mine()) running.stop = watch.stop;
        else watch.stop();
      },
      (error: Error) => mine() && this.#lost(`the watch over the isolation could not be started: ${error.message}`),
    );
  }

  /** It is being released: if that fails, the watch begins anew. */
  releasing(over: Promise<boolean>): void {
    const running = this.#running;
    if (!running) return;
    void over.then((released) => {
      if (released) this.stop();
      else this.begin(running.response, running.analyst, running.start);
    });
  }

  /** The connection is there again: what it kept is kept again. `restarted`: the host was started anew meanwhile, and came up isolated. */
  again(restarted = false): void {
    const kept = this.#kept;
    if (kept && !this.#running && this.#options.state.isolated?.response === kept.response)
      this.begin(kept.response, kept.analyst, kept.start, restarted);
  }

  stop(): void {
    this.#running?.stop?.();
    this.#running = undefined;
    this.#last = undefined;
    this.#before = { out: 0, dropped: 0, putBack: 0 };
  }

  #status(status: IsolationStatus): void {
    const { holds, wrong, verifiedAt, out, dropped, guard, boot, putBack } = status;
    const report: IsolationReport = {
      holds,
      ...(wrong.length > 0 ? { wrong: wrong.slice(0, 20) } : {}),
      ...(verifiedAt === undefined ? {} : { verified: isoOfMicros((verifiedAt + this.#options.offset()) * 1000) }),
      ...(out === undefined ? {} : { out: out + this.#before.out }),
      ...(dropped === undefined ? {} : { dropped: dropped + this.#before.dropped }),
      guard,
      ...(boot === undefined ? {} : { boot }),
      put_back: putBack + this.#before.putBack,
    };
    const before = this.#last;
    this.#last = report;
    const action = !before
      ? "sensor.start"
      : before.holds && !holds
        ? "sensor.degraded"
        : !before.holds && holds
          ? "sensor.recovered"
          : "sensor.report";
    this.#sense(action, report, holds ? undefined : wrong.join("; "));
    this.#options.changed();
  }

  #find(finding: WatchFinding): void {
    const { state, append, hostNow } = this.#options;
    const { kind, title, by } = finding;
    const process = by && processOf(state, by);
    append({
      "@timestamp": hostNow(),
      event: { action: "finding.create", kind: "alert", category: ["configuration"], type: ["info"] },
      ...(process ? { process } : {}),
      stakeout: {
        sensor: ISOLATION_SENSOR,
        tier: this.#running?.tier ?? "unknown",
        finding: {
          id: `isolation-${++this.#findings}`,
          rule: kind,
          title,
          level: LEVELS[kind],
          technique: /^(isolation|guard|boot|not-put)/.test(kind) ? [TAMPERING] : [],
          entities: process ? [process.entity_id] : [],
          ...(by ? { by } : {}),
        },
      },
    });
    this.#options.changed();
  }

  /** The same isolation, made anew: in the log it is the same response, with what runs now. */
  #renewed(made: Omit<Response, "id">, because: string): void {
    const running = this.#running;
    if (!running) return;
    const { out = 0, dropped = 0, put_back: putBack = 0 } = this.#last ?? {};
    this.#before = { out, dropped, putBack };
    this.#options.append({
      "@timestamp": this.#options.hostNow(),
      event: { action: "response.succeeded", category: ["configuration"], type: ["change"], outcome: "success", reason: because },
      stakeout: { sensor: ISOLATION_SENSOR, tier: running.tier, response: { ...made, id: running.response } },
    });
    this.#options.changed();
  }

  #ended(why: WatchEnd): void {
    const running = this.#running;
    this.stop();
    if (why === "lost") return this.#lost("the watch over the isolation has ended: whether it stands is not known", running?.tier);
    const by = why === "released" ? "a release" : "another console, which isolates the host anew and watches that itself,";
    this.#sense("sensor.stop", undefined, `${by} ended the watch`, running?.tier);
    this.#options.changed();
  }

  #lost(reason: string, tier?: string): void {
    this.#sense("sensor.lost", undefined, reason, tier);
    this.#options.changed();
  }

  #sense(
    action: StakeoutEvent["event"]["action"],
    isolation: IsolationReport | undefined,
    reason?: string,
    tier = this.#running?.tier,
  ): void {
    this.#options.append({
      "@timestamp": this.#options.hostNow(),
      event: { action, category: ["configuration"], type: ["info"], ...(reason === undefined ? {} : { reason }) },
      stakeout: { sensor: ISOLATION_SENSOR, tier: tier ?? "unknown", ...(isolation ? { isolation } : {}) },
    });
  }
}

/** The process in the picture that the kernel named: by pid and name, since its pid may be one of another namespace. */
function processOf(state: State, { pid, name }: { pid: number; name: HostString }): { entity_id: string; pid: number } | undefined {
  const found = state.processes.get(state.pids.get(pid) ?? "");
  return found && found.name !== undefined && found.name.slice(0, 15) === name.slice(0, 15) ? { entity_id: found.id, pid } : undefined;
}
