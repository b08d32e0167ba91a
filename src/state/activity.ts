import type { StakeoutEvent } from "#model/event";
import type { ActivitySource, ActivityState, ProcessState, Series, Standing, State, Tries } from "./state.ts";
import type { Millis } from "./time.ts";

/** Of all activity: a column each on a wide screen. */
export const MOST_BUCKETS = 240;
/** Of the attempts at one far end. */
const MOST_TRIES = 24;
/** Sources that are told apart; a tool that logs in a thousand times must not fill our memory. */
export const MOST_SOURCES = 64;
const FINEST: Millis = 1000;

export const noActivity = (): ActivityState => ({ width: FINEST, first: 0, sources: new Map() });

export const COUNTED: ReadonlySet<string> = new Set(["process.start", "network.start", "file.creation", "file.change"]);

/** Counts the event for whoever did it. To be called after the state has taken it in. */
export function countActivity(state: State, event: StakeoutEvent, at: Millis): void {
  if (!COUNTED.has(event.event.action) || !Number.isFinite(at)) return;
  const { activity } = state;
  let index = Math.floor(at / activity.width);
  if (activity.sources.size === 0) activity.first = index;
  while (index - activity.first >= MOST_BUCKETS) {
    activity.width *= 2;
    activity.first = Math.floor(activity.first / 2);
    for (const source of activity.sources.values()) halve(source);
    index = Math.floor(at / activity.width);
  }
  // what came out of order before everything else counts as the first: the picture does not begin anew for it
  add(sourceOf(state, doer(state, event), Math.max(index, activity.first)), Math.max(index, activity.first));
}

function doer(state: State, event: StakeoutEvent): ProcessState | undefined {
  const connection = event.stakeout["connection"];
  const id = event.process?.entity_id ?? (typeof connection === "string" ? state.connections.get(connection)?.process : undefined);
  return id === undefined ? undefined : state.processes.get(id);
}

function sourceOf(state: State, process: ProcessState | undefined, index: number): ActivitySource {
  const { sources } = state.activity;
  const kind = process?.login !== undefined ? "login" : !process || process.origin === "unknown" ? "unseen" : "services";
  const tag = process?.tag === undefined ? undefined : state.tags.get(process.tag);
  // the tag of a whole login is found again at the login; one on a part of it is this part's own
  const own =
    tag && process?.tag !== (process?.login === undefined ? undefined : state.logins.get(process.login)?.tag) ? tag.id : undefined;
  const key = `${kind} ${process?.login ?? ""} ${own ?? ""}`;
  const known = sources.get(key);
  if (known) return known;
  if (sources.size >= MOST_SOURCES) letGo(state);
  const source: ActivitySource = {
    kind,
    ...(process?.login === undefined ? {} : { login: process.login }),
    ...(own === undefined ? {} : { tag: own }),
    first: index,
    counts: [],
  };
  sources.set(key, source);
  return source;
}

/** The source that was quiet for longest is no longer told apart: it goes to the others of its standing. */
function letGo(state: State): void {
  const { sources } = state.activity;
  let oldest: [string, ActivitySource] | undefined;
  for (const [key, source] of sources) {
    if (source.kind === "others" || (source.kind !== "login" && source.tag === undefined)) continue;
    if (!oldest || lastOf(source) < lastOf(oldest[1])) oldest = [key, source];
  }
  if (!oldest) return;
  const [key, gone] = oldest;
  const standing = standingOf(state, gone);
  const others = sources.get(`others ${standing}`) ?? { kind: "others" as const, standing, first: gone.first, counts: [] };
  sources.delete(key);
  for (const [i, times] of gone.counts.entries()) if (times > 0) add(others, gone.first + i, times);
  sources.set(`others ${standing}`, others);
}

const lastOf = ({ first, counts }: Series) => first + counts.length - 1;

/** How a source is judged now. */
export function standingOf(state: State, source: Pick<ActivitySource, "kind" | "login" | "tag" | "standing">): Standing {
  const tag = source.tag === undefined ? undefined : state.tags.get(source.tag);
  if (tag && tag.removed === undefined) return tag.verdict;
  if (source.standing !== undefined) return source.standing;
  if (source.login === undefined) return "unknown";
  return (state.logins.get(source.login) ?? state.processes.get(source.login))?.standing ?? "unknown";
}

function add(series: Series, index: number, times = 1): void {
  if (index < series.first) {
    series.counts.unshift(...Array.from({ length: series.first - index }, () => 0));
    series.first = index;
  }
  const at = index - series.first;
  while (series.counts.length <= at) series.counts.push(0);
  series.counts[at] = (series.counts[at] as number) + times;
}

/** The same counts in stretches of twice the length. */
function halve(series: Series): void {
  const first = Math.floor(series.first / 2);
  const counts: number[] = [];
  for (const [i, times] of series.counts.entries()) {
    const at = Math.floor((series.first + i) / 2) - first;
    counts[at] = (counts[at] ?? 0) + times;
  }
  series.first = first;
  series.counts = counts;
}

export function countTry(tries: Tries | undefined, at: Millis): Tries {
  const series = tries ?? { width: FINEST, first: Number.isFinite(at) ? Math.floor(at / FINEST) : 0, counts: [] };
  let index = Math.floor(at / series.width);
  while (index - series.first >= MOST_TRIES && Number.isFinite(index)) {
    series.width *= 2;
    halve(series);
    index = Math.floor(at / series.width);
  }
  if (Number.isFinite(index)) add(series, Math.max(index, series.first));
  return series;
}

/**
 * Several series of attempts as one, in stretches that are long enough for all of them: whoever sets the host's clock puts years between two,
 * and who asks is a row on the screen. Changes none of them.
 */
export function joinTries(all: readonly Tries[]): Tries {
  if (all.length === 0) return { width: FINEST, first: 0, counts: [] };
  let width = Math.max(...all.map((tries) => tries.width));
  const began = Math.min(...all.map((tries) => tries.first * tries.width));
  const last = Math.max(...all.map((tries) => lastOf(tries) * tries.width));
  while (Math.floor(last / width) - Math.floor(began / width) >= MOST_TRIES) width *= 2;
  const joined: Tries = { width, first: Math.floor(began / width), counts: [] };
  for (const tries of all)
    for (const [i, times] of tries.counts.entries())
      if (times > 0) add(joined, Math.floor(((tries.first + i) * tries.width) / width), times);
  return joined;
}
