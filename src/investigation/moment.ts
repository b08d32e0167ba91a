import { isValid, milliseconds, parseISO } from "date-fns";
import type { StakeoutEvent } from "#model/event";
import type { Millis } from "#state/time";

/** A moment of a session: a time on the host's clock, or a line of its log. */
export type Moment = { at: Millis } | { sequence: number };

/**
 * The moment that `text` names: RFC 3339, a time of the session's first day ("21:04:11.5", UTC), a distance from its start ("+90s",
 * "+5m"), or a line of the log ("#123"). Undefined when it is none of these.
 */
export function momentOf(text: string, startMs: Millis): Moment | undefined {
  const line = /^#(\d+)$/.exec(text);
  if (line) return { sequence: Number(line[1]) };
  const distance = /^\+(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text);
  if (distance) {
    const unit = distance[2] === "h" ? "hours" : distance[2] === "m" ? "minutes" : "seconds";
    return { at: startMs + milliseconds({ [unit]: Number(distance[1]) }) };
  }
  if (/^\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(text)) {
    const day = new Date(startMs).toISOString().slice(0, 10);
    const at = Date.parse(`${day}T${text.indexOf(":") === 1 ? "0" : ""}${text}Z`);
    // A night goes over midnight: a time before the start is the next day's.
    return Number.isNaN(at) ? undefined : { at: at + 1000 < startMs ? at + milliseconds({ days: 1 }) : at };
  }
  const at = parseISO(text);
  return isValid(at) ? { at: at.getTime() } : undefined;
}

/** Whether the event belongs to what was known at the moment. */
export const within = (event: StakeoutEvent, moment: Moment): boolean =>
  "at" in moment ? Date.parse(event["@timestamp"]) <= moment.at : event.event.sequence <= moment.sequence;
