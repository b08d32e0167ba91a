import { isHidden } from "#state/lineage";
import { rootOf } from "#state/origins";
import type { LoginState, OriginState, Standing, State } from "#state/state";
import { flaggedLogins } from "./flagged.ts";
import { type BaseRow, byText, type Sort } from "./list.ts";
import { rankOf } from "./standing.ts";

/** A login, or what began below it or beside it. */
export type LoginsRow = LoginRow | OriginRow;
export interface LoginRow extends BaseRow {
  kind: "login";
  login: LoginState;
  /** Its number in this session, from 1 on: short enough to be said on a call. */
  number: number;
}

export interface OriginRow extends BaseRow {
  kind: "origin";
  origin: OriginState;
  /** It hangs under the row of its login. */
  below: boolean;
}

type Order = (a: LoginRow, b: LoginRow) => number;
const newest: Order = (a, b) => b.login.start - a.login.start;
const ORDERS: Partial<Record<Sort, Order>> = {
  newest,
  name: (a, b) => byText(a.login.user?.name ?? "", b.login.user?.name ?? "") || newest(a, b),
  place: (a, b) => byText(countryOf(a), countryOf(b)) || newest(a, b),
  count: (a, b) => b.login.processes - a.login.processes,
};
const countryOf = ({ login }: LoginRow) => login.source?.geo?.country_iso_code ?? "~";
/** Worst standing first, among those that nobody judged whoever brought something with a flag; who is in before who is gone, then newest. */
const storyOf =
  (flagged: ReadonlySet<string>): Order =>
  (a, b) =>
    rankOf(a.login, flagged) - rankOf(b.login, flagged) ||
    Number(a.login.end !== undefined) - Number(b.login.end !== undefined) ||
    newest(a, b);

export function buildLogins(state: State, showHidden: boolean, sort: Sort = "story"): LoginsRow[] {
  const rows: LoginRow[] = [];
  for (const login of state.logins.values()) {
    if (isHidden(login.standing) && !showHidden) continue;
    const { id, number, standing, tag, start } = login;
    const selection = { kind: "login" as const, id, selector: { login: id }, standing, ...(tag ? { tag } : {}) };
    rows.push({ kind: "login", key: `l:${id}`, login, number, at: start, selection });
  }
  rows.sort(ORDERS[sort] ?? storyOf(flaggedLogins(state)));
  return withOrigins(state, rows, showHidden);
}

/** Of one of which no process is kept any more: as the login is judged that is behind it, where that is bad; what hides a login hides no job of its. */
function standingOf(state: State, { login }: OriginState): Standing {
  const standing = login === undefined ? undefined : state.logins.get(login)?.standing;
  return standing === "intruder" || standing === "suspect" ? standing : "unknown";
}

/** Each login with what began below it; what belongs to none stands last, the newest on top. */
function withOrigins(state: State, logins: readonly LoginRow[], showHidden: boolean): LoginsRow[] {
  if (state.origins.size === 0) return [...logins];
  const shown = new Set(logins.map(({ login }) => login.id));
  const below = new Map<string, OriginRow[]>();
  const alone: OriginRow[] = [];
  for (const origin of state.origins.values()) {
    const process = rootOf(state, origin);
    const standing = process?.standing ?? standingOf(state, origin);
    if (isHidden(standing) && !showHidden) continue;
    const { tag } = process ?? {};
    const selection =
      process === undefined
        ? { kind: "process" as const, id: origin.roots.at(-1) ?? "", origin: origin.id, standing }
        : {
            kind: "process" as const,
            id: process.id,
            origin: origin.id,
            selector: { process: process.id },
            standing,
            ...(tag ? { tag } : {}),
          };
    const under = origin.login !== undefined && shown.has(origin.login);
    const row: OriginRow = { kind: "origin", key: `o:${origin.id}`, origin, below: under, at: origin.last, selection };
    if (!under) alone.push(row);
    else below.set(origin.login as string, [...(below.get(origin.login as string) ?? []), row]);
  }
  const newestFirst = (rows: OriginRow[]) => rows.sort((a, b) => b.at - a.at);
  return [...logins.flatMap((row) => [row, ...newestFirst(below.get(row.login.id) ?? [])]), ...newestFirst(alone)];
}
