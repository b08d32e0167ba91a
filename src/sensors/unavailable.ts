/** The host cannot carry the sensor at all. `reason` says what was found, `remedy` what the analyst can do. */
export class SensorUnavailable extends Error {
  readonly reason: string;
  readonly remedy: string;
  constructor(reason: string, remedy: string) {
    super(`Nothing can be watched on this host: ${reason}. ${remedy}`);
    this.name = "SensorUnavailable";
    this.reason = reason;
    this.remedy = remedy;
  }
}
