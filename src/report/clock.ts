import type { Millis } from "#state/time";

/** How times are written: "23:52:36", with the day before it when the session went over midnight. UTC. */
export type Clock = (at: Millis) => string;

export function clockOf(from: Millis, to: Millis): Clock {
  const day = (at: Millis) => iso(at).slice(0, 10);
  const oneDay = day(from) === day(to);
  return (at) => (oneDay && day(at) === day(from) ? iso(at).slice(11, 19) : iso(at).slice(0, 19).replace("T", " "));
}

/** A forged log can hold times that no calendar has. */
const iso = (at: Millis): string => (Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : "0000-00-00T00:00:00.000Z");

export const fullTime = (at: Millis): string => `${iso(at).slice(0, 19).replace("T", " ")} UTC`;
