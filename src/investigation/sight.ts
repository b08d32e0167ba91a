import type { EventDraft, SensorReport } from "#model/event";
import type { State } from "#state/state";
import { awayWords } from "./away-words.ts";
import { isoOfMicros } from "./clock-map.ts";
import type { Returned } from "./ingest-away.ts";

interface SightOptions {
  state: State;
  append: (draft: EventDraft) => void;
  /** RFC 3339: the host's time now. */
  hostNow: () => string;
  /** The same in milliseconds since the epoch. */
  hostMillis: () => number;
  changed: () => void;
  /** All that was recorded is on the disk when this returns. */
  flushNow: () => void;
  /** Whose session it is. */
  analyst: () => string;
  /** What the sensor counted so far. */
  report: () => SensorReport;
  /** The next sensor takes the place of the one before. */
  expectReturn: () => void;
  /** Called with a sentence once the host is seen again after a time away, and all of it has been compared. */
  onReturned: ((words: string, rebooted: boolean) => void) | undefined;
}

/** From when to when the host is seen: each time at which it is not is in the log, with its length and why. */
export class Sight {
  readonly #options: SightOptions;
  /** When the sensor last said something: milliseconds on the host's clock. */
  #heardAt = 0;
  /** Since when nothing is seen, and how the host was reached again. */
  #away: { since: number; connection: object | undefined } | undefined;
  #ended = false;

  constructor(options: SightOptions) {
    this.#options = options;
  }

  /** The sensor has said something. */
  heard(): void {
    this.#heardAt = this.#options.hostMillis();
  }

  /** The connection or the sensor is gone: what was recorded stays, and the log says since when nothing is seen. */
  lost(what: string): void {
    if (this.#ended) return;
    this.#away ??= { since: this.#heardAt || this.#options.hostMillis(), connection: undefined };
    this.#sensor("sensor.lost", what);
    this.#session("session.gap", "info", `nothing is seen since ${isoOfMicros(this.#away.since * 1000).slice(11, 19)}: ${what}`);
    this.#options.flushNow();
    this.#options.changed();
  }

  /** A new sensor is about to begin: what it finds is compared with what was there. `connection`: how the host was reached again, if it was. */
  comesBack(connection?: object): void {
    if (this.#away && connection) this.#away.connection = connection;
    this.#options.expectReturn();
  }

  /** It has begun, and all has been compared. */
  returned({ rebooted, boots, processes, connections }: Returned): void {
    const { since, connection } = this.#away ?? { since: this.#heardAt, connection: undefined };
    this.#away = undefined;
    const duration = Math.max(0, Math.round((this.#options.hostMillis() - since) * 1e6)); // the host's clock: ours may have slept
    const away = { rebooted, processes, connections };
    this.#session(
      "session.resume",
      "info",
      awayWords(duration / 1e9, away),
      { duration },
      { away: { ...away, ...(boots ? { boot_id: boots } : {}) }, ...(connection ? { connection_made: connection } : {}) },
    );
    this.#options.onReturned?.(awayWords(duration / 1e9, away), rebooted);
    this.#options.changed();
  }

  /** For so many milliseconds nothing was read from the host, since too much waited for our disk. */
  stoodStill(milliseconds: number): void {
    this.#session(
      "session.gap",
      "info",
      `the disk was slow: for ${(milliseconds / 1000).toFixed(1)} s nothing was read from the host; what its buffers could not hold is counted as lost by the sensor`,
      { duration: Math.round(milliseconds * 1e6) },
    );
  }

  /** The program is about to be stopped (Ctrl-Z): until it goes on, nothing is taken in. On the disk when this returns. */
  paused(reason: string): void {
    this.#session("session.gap", "info", reason);
    this.#options.flushNow();
  }

  /** It goes on after `milliseconds`; `reason` says what is known of the time between. */
  goesOn(milliseconds: number, reason: string): void {
    this.#session("session.resume", "info", reason, { duration: Math.round(milliseconds * 1e6) });
    this.#options.changed();
  }

  /** The session ends: nobody looks any more. */
  end(reason: string): void {
    const { state } = this.#options;
    if (state.sensors.get("collector")?.status === "running") this.#sensor("sensor.stop", reason);
    this.#session("session.end", "end", reason, {}, { left_isolated: state.isolated !== undefined });
    this.#ended = true;
  }

  #sensor(action: "sensor.lost" | "sensor.stop", reason: string): void {
    const { state, append, hostNow, report } = this.#options;
    append({
      "@timestamp": hostNow(),
      event: { action, category: ["configuration"], type: ["info"], reason },
      stakeout: { sensor: "collector", tier: state.sensors.get("collector")?.tier ?? "none", report: { ...report(), reason } },
    });
  }

  #session(
    action: "session.gap" | "session.resume" | "session.end",
    type: string,
    reason: string,
    more: { duration?: number } = {},
    about: Record<string, unknown> = {},
  ): void {
    const { append, hostNow, analyst } = this.#options;
    append({
      "@timestamp": hostNow(),
      event: { action, category: ["session"], type: [type], reason, ...more },
      stakeout: { sensor: "console", tier: "analyst", analyst: analyst(), ...about },
    });
  }
}
