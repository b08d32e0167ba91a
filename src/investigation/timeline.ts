import type { BootNs, Observation } from "#model/observation";

/** Nothing that just happened lies further ahead of the collector's own last word. */
const AHEAD_NS = 60e9;

/**
 * How far the host's boot clock has come. The collector says its time once a second; an event far ahead of it is misread or forged, and is
 * placed where we are. A second that itself leaps (the host slept, or lies) counts once the next one agrees.
 */
export class Timeline {
  now: BootNs = 0;
  /** Time of the last thing that was seen, the collector's own word not counted. */
  lastSeen: BootNs = 0;
  /** Events that were placed elsewhere than they said. */
  displaced = 0;
  #said: BootNs | undefined;
  #doubted: BootNs | undefined;

  /** The observation with a time that can be. */
  place(observation: Observation): Observation {
    if (observation.kind === "clock") {
      if (this.now === 0) this.now = observation.boot;
      this.#say(observation.boot);
      return observation;
    }
    if (!("ts" in observation)) return observation;
    if (observation.kind === "tick") this.#say(observation.ts);
    const far = this.#said !== undefined && observation.ts > this.#said + AHEAD_NS;
    if (far) this.displaced += 1;
    const ts = far ? this.now : observation.ts;
    if (ts > this.now) this.now = ts;
    if (observation.kind !== "tick" && observation.kind !== "canary" && ts > this.lastSeen) this.lastSeen = ts;
    return far ? { ...observation, ts } : observation;
  }

  #say(ts: BootNs): void {
    const leaps = this.#said !== undefined && ts > this.#said + AHEAD_NS;
    if (leaps && !(this.#doubted !== undefined && ts >= this.#doubted && ts < this.#doubted + AHEAD_NS)) {
      this.#doubted = ts;
      return;
    }
    this.#doubted = undefined;
    if (this.#said === undefined || ts > this.#said) this.#said = ts;
  }
}
