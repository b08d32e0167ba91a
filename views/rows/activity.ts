import { MOST_BUCKETS, standingOf } from "#state/activity";
import { isHidden } from "#state/lineage";
import type { ActivitySource, Standing, State } from "#state/state";
import type { Millis } from "#state/time";
import type { Activity, Doer } from "../charts/activity.ts";
import { loginCalled } from "../words.ts";
import { flaggedLogins } from "./flagged.ts";
import { type BaseRow, byText, type Sort } from "./list.ts";
import { processName, rankOf } from "./standing.ts";

/** Somebody who did something: a login, a tagged part of one, the services. */
export interface ActivityRow extends BaseRow {
  title: string;
  doer: Doer;
  /** Of all its time. */
  total: number;
  /** A count for each stretch of time of the whole chart. */
  counts: readonly number[];
}

export interface ActivityTimes {
  from: Millis;
  to: Millis;
  /** Milliseconds of one count. */
  width: Millis;
  /** The first of them, in units of `width`. */
  first: number;
  length: number;
}
const LEAST_BUCKETS = 60;

const NOBODY: Record<ActivitySource["kind"], string> = {
  login: "a login",
  services: "services",
  unseen: "origin not seen",
  others: "further logins",
};

/** Services are nobody's doing until somebody is tagged for them: they are told apart from logins that nobody has judged. */
const doerOf = (state: State, source: ActivitySource): Doer => {
  const standing = standingOf(state, source);
  return standing === "unknown" && source.kind === "services" ? "service" : standing;
};

/** What the whole chart spans: from the first thing that was counted until now. */
export function activityTimes({ activity, now }: State): ActivityTimes {
  const { width, first, sources } = activity;
  let last = first;
  for (const source of sources.values()) last = Math.max(last, source.first + source.counts.length - 1);
  if (sources.size > 0) last = Math.max(last, Math.min(Math.floor(now / width), first + 4 * MOST_BUCKETS)); // a clock that jumps makes no endless chart
  if (sources.size === 0) return { from: now, to: now, width, first, length: 0 };
  const start = Math.min(first, last - LEAST_BUCKETS + 1); // the first seconds do not fill the whole chart
  return { from: start * width, to: (last + 1) * width, width, first: start, length: last - start + 1 };
}

const known = new WeakMap<State, { key: string; buckets: readonly Activity[] }>();

/** All activity, a bucket for each stretch of time, by who is held to have done it now; what tags hide is in it. */
export function activityBuckets(state: State): readonly Activity[] {
  const key = `${state.session}.${state.sequence}.${state.structure}`;
  const before = known.get(state);
  if (before?.key === key) return before.buckets;
  const buckets = gathered(state);
  known.set(state, { key, buckets });
  return buckets;
}

function gathered(state: State): Activity[] {
  const { sources } = state.activity;
  const { first, length } = activityTimes(state);
  const buckets: Activity[] = Array.from({ length }, () => ({}));
  for (const source of sources.values()) {
    const doer = doerOf(state, source);
    for (const [i, times] of source.counts.entries()) {
      const bucket = buckets[source.first - first + i];
      if (bucket && times > 0) bucket[doer] = (bucket[doer] ?? 0) + times;
    }
  }
  return buckets;
}

type Order = (a: ActivityRow, b: ActivityRow) => number;
const count: Order = (a, b) => b.total - a.total;
const newest: Order = (a, b) => b.at - a.at;
const ORDERS: Partial<Record<Sort, Order>> = { newest, count, name: (a, b) => byText(a.title, b.title) };
/** Worst standing first, as in the logins: of those that nobody judged, whoever brought something with a flag. */
const storyOf = (flagged: ReadonlySet<string>): Order => {
  const rank = ({ doer, selection: { id } }: ActivityRow) => (doer === "service" ? 3 : rankOf({ id, standing: doer }, flagged));
  return (a, b) => rank(a) - rank(b) || newest(a, b) || count(a, b);
};

/** A row for each of those who did something; the chart above them counts all. */
export function buildActivity(state: State, showHidden: boolean, sort: Sort = "story"): ActivityRow[] {
  const { activity } = state;
  const { first, length } = activityTimes(state);
  const rows: ActivityRow[] = [];
  for (const [key, source] of activity.sources) {
    const doer = doerOf(state, source);
    if (!showHidden && doer !== "service" && isHidden(doer)) continue;
    const counts = Array.from({ length }, (_, i) => source.counts[i - (source.first - first)] ?? 0);
    const last = source.first + source.counts.length - 1;
    const at = last * activity.width;
    rows.push({
      key: `a:${key}`,
      title: titleOf(state, source),
      doer,
      at,
      total: counts.reduce((sum, n) => sum + n, 0),
      counts,
      selection: selectionOf(state, key, source),
    });
  }
  return rows.sort(ORDERS[sort] ?? storyOf(flaggedLogins(state)));
}

function titleOf(state: State, source: ActivitySource): string {
  const login = source.login === undefined ? undefined : state.logins.get(source.login);
  const whole = login ? loginCalled(login) : source.login !== undefined ? "a login not seen to begin" : NOBODY[source.kind];
  const tag = source.tag === undefined ? undefined : state.tags.get(source.tag);
  if (!tag || !("process" in tag.selector)) return whole;
  const process = state.processes.get(tag.selector.process);
  return `${process ? `${processName(process)} ${process.pid}` : "a tagged process"} in ${whole}`;
}

function selectionOf(state: State, key: string, source: ActivitySource): ActivityRow["selection"] {
  const login = source.login === undefined ? undefined : state.logins.get(source.login);
  const tag = source.tag === undefined ? undefined : state.tags.get(source.tag);
  const process = tag && "process" in tag.selector ? state.processes.get(tag.selector.process) : undefined;
  if (process) return { kind: "process", id: process.id, selector: { process: process.id }, ...judged(process) };
  if (!login) return { kind: "group", id: `a:${key}` };
  return { kind: "login", id: login.id, selector: { login: login.id }, ...judged(login) };
}

const judged = ({ standing, tag }: { standing: Standing; tag?: string | undefined }) => ({ standing, ...(tag ? { tag } : {}) });
