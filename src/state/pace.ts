import type { StakeoutEvent } from "#model/event";
import type { State } from "./state.ts";
import { type Millis, parseTime } from "./time.ts";

/** As far as the host's clock may go ahead of ours between two events before that is its being set, and not time that passed. */
const SET_AHEAD: Millis = 86_400_000;

/**
 * When what is counted over time happened: at the event's own time, but not where somebody set the host's clock far ahead: a count there would
 * make the picture so coarse that all before and after it is one column. Then it goes on where it was, by as much as passed on our clock.
 */
export function pace(state: State, event: StakeoutEvent, at: Millis): Millis {
  const created = parseTime(event.event.created);
  const { pace: before } = state;
  const passed = before && Number.isFinite(created) ? Math.max(0, created - before.created) : 0;
  const on = before && at - before.on > SET_AHEAD + 2 * passed ? before.on + passed : at;
  if (Number.isFinite(on)) state.pace = { at, on, created: Number.isFinite(created) ? created : (before?.created ?? 0) };
  return on;
}

/** The same for what handles that event. */
export const onPace = (state: State, at: Millis): Millis => (state.pace?.at === at ? state.pace.on : at);
