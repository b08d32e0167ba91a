import type { BootNs } from "#model/observation";

/** Less than this is drift and the time between two reads, milliseconds. */
const JUMP_MS = 500;

/** The host's boot clock mapped to its wall clock, by the newest pair that a collector sent and that the next one did not contradict. */
export class ClockMap {
  #boot = 0;
  #wallUs = 0;
  #second = Number.NaN;
  #prefix = "";
  known = false;
  #doubted: number | undefined;

  /**
   * `boot` in nanoseconds on CLOCK_BOOTTIME, `wallNs` on CLOCK_REALTIME, read at one moment. A pair that leaps is believed once a second
   * one says the same: one forged or torn record must not move every time that follows. Gives the leap in milliseconds, or 0.
   */
  set(boot: BootNs, wallNs: bigint): number {
    const wallUs = Number(wallNs / 1000n);
    const leap = this.known ? (wallUs - this.#wallUs) / 1000 - (boot - this.#boot) / 1e6 : 0;
    if (Math.abs(leap) >= JUMP_MS) {
      const doubted = this.#doubted;
      this.#doubted = leap;
      if (doubted === undefined || Math.abs(doubted - leap) >= JUMP_MS) return 0;
    }
    this.#doubted = undefined;
    this.#boot = boot;
    this.#wallUs = wallUs;
    this.known = true;
    return Math.abs(leap) >= JUMP_MS ? leap : 0;
  }

  /** RFC 3339 with microseconds, UTC. */
  iso(boot: BootNs): string {
    const us = bounded(this.#wallUs + (boot - this.#boot) / 1000);
    const second = Math.floor(us / 1_000_000);
    if (second !== this.#second) {
      this.#prefix = secondOf(second);
      this.#second = second;
    }
    return this.#prefix + fractionOf(us, second);
  }
}

/** Microseconds since the epoch as RFC 3339 with microseconds, UTC. */
export function isoOfMicros(microseconds: number): string {
  const us = bounded(microseconds);
  const second = Math.floor(us / 1_000_000);
  return secondOf(second) + fractionOf(us, second);
}

/** A hostile clock can say anything; a date is between the years 1 and 9999. */
const bounded = (us: number): number => Math.min(Math.max(us || 0, -62_135_596_800e6), 253_402_300_799e6);
const secondOf = (second: number): string => new Date(second * 1000).toISOString().slice(0, 19);
const fractionOf = (us: number, second: number): string => `.${String(Math.floor(us - second * 1_000_000)).padStart(6, "0")}Z`;
