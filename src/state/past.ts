import type { StakeoutEvent } from "#model/event";
import type { LoginState, PastState, SetUpState, State } from "./state.ts";
import type { Millis } from "./time.ts";
import { parseTime } from "./time.ts";

/** Whatever a log says: a look back has no more rows than this. */
const MOST_ROWS = 4000;
const MOST_SET_UP = 12_000;

/** A thing that the host remembers. */
export function remembered(state: State, event: StakeoutEvent): void {
  const told = event.stakeout.lookback;
  if (!told || state.past.rows.length >= MOST_ROWS) return;
  const { forgeable_by: _, ...what } = told;
  const { start, end } = event.event;
  const first = start === undefined ? 0 : parseTime(start);
  const row: PastState = { ...what, id: `${what.kind}:${event.event.sequence}`, first, last: end === undefined ? first : parseTime(end) };
  const { user, source, file } = event;
  if (user?.name !== undefined) row.user = user.name;
  if (user?.effective?.name !== undefined) row.effective = user.effective.name;
  if (source) {
    row.source = source;
    row.ip = source.ip;
  }
  if (file) row.path = file.path;
  state.past.rows.push(row);
}

/**
 * The login that we see and that a line of the host's memory tells of: from the same address and port. Undefined for one of before, or where
 * the line has no port. Such a line can be forged: it tells whose line it claims to be.
 */
export function seenLogin(state: State, { kind, source }: PastState): LoginState | undefined {
  if (kind !== "login" || !source?.port) return undefined;
  for (const login of state.logins.values()) if (login.source?.port === source.port && login.source.ip === source.ip) return login;
  return undefined;
}

export function lookedBack(state: State, event: StakeoutEvent, at: Millis): void {
  state.past.at = at;
  state.past.more = event.stakeout.looked?.more ?? {};
  state.past.blind = event.stakeout.looked?.blind ?? [];
}

/** How the host was set up when we came. */
export function setUpFound(state: State, event: StakeoutEvent, at: Millis): void {
  const told = event.stakeout.inventory;
  for (const item of told?.items ?? []) put(state, { ...item, category: told?.category as SetUpState["category"], status: "here", at });
}

/** It has changed since: what came and went again is told as gone, what went and came again is as it was. */
export function setUpChanged(state: State, event: StakeoutEvent, at: Millis): void {
  const told = event.stakeout.inventory;
  const came = event.event.action === "baseline.added";
  for (const item of told?.items ?? []) {
    const known = state.setUp.get(item.id);
    const wasHere = known !== undefined && (known.status === "here" || known.here === true);
    const status = came ? (wasHere ? "here" : "new") : "gone";
    put(state, {
      ...item,
      category: told?.category as SetUpState["category"],
      status,
      at,
      ...(wasHere ? { here: true as const } : {}),
    });
  }
}

function put(state: State, thing: SetUpState): void {
  if (state.setUp.size < MOST_SET_UP || state.setUp.has(thing.id)) state.setUp.set(thing.id, thing);
}
