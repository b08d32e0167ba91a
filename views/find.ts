import type { PaneName } from "#commands/command";
import { isHidden } from "#state/lineage";
import { farEnd } from "#state/selectors";
import type { State } from "#state/state";
import { processName } from "./rows/standing.ts";
import { address, loginCalled, loginName, place } from "./words.ts";

/** Rows of a pane that would do, best first: by key of the row or by id of the thing. */
export interface Destination {
  pane: PaneName;
  ids: readonly string[];
}

/** A thing that was looked for. Both texts may hold host text. */
interface Found {
  name: string;
  what: string;
  goTo: Destination;
  rank: number;
}

/** Things whose pid, address, path or name fits what was typed, at most `most`: whole values first, then beginnings, then parts. */
export function findThings(state: State, typed: string, most: number): Found[] {
  const want = typed.toLowerCase();
  if (want.length < 2 && !/^\d$/.test(want)) return [];
  const found: Found[] = [];
  const add = (fit: number, weight: number, rest: Omit<Found, "rank">) => {
    if (fit < NOT) found.push({ ...rest, rank: fit + weight });
  };
  for (const process of state.processes.values()) {
    const name = processName(process);
    const gone = process.end === undefined ? 0 : 0.5;
    const hidden = isHidden(process.standing) ? 0.25 : 0;
    const best = Math.min(fits(String(process.pid), want, true), fits(process.executable, want), fits(name, want));
    add(best, gone + hidden, {
      name: `process ${process.pid} ${name}`,
      what: `${process.executable ?? "no path seen"}${process.end === undefined ? "" : " (ended)"}`,
      goTo: { pane: "tree", ids: [`p:${process.id}`] },
    });
  }
  for (const login of state.logins.values())
    add(Math.min(fits(loginName(login), want), fits(login.source?.ip, want, true), fits(`L${login.number}`, want, true)), -0.1, {
      name: `login ${loginCalled(login)}`,
      what: login.source ? place(login.source) : "",
      goTo: { pane: "tree", ids: [`l:${login.id}`] },
    });
  const seen = new Set<string>();
  for (const connection of [...state.connections.values()].reverse()) {
    const far = connection.phase === "listening" ? connection.source : farEnd(connection);
    const name = address(far);
    if (seen.has(name)) continue; // one of many to the same place is enough to get there
    seen.add(name);
    add(Math.min(fits(name, want, true), fits(far.port === undefined ? undefined : `:${far.port}`, want, true)), 0, {
      name: `connection ${name}`,
      what: place(far),
      goTo: { pane: "connections", ids: [connection.id] },
    });
  }
  for (const binary of state.binaries.values())
    add(Math.min(fits(binary.path, want), fits(`B${binary.number}`, want, true)), -0.1, {
      name: `new binary B${binary.number} ${binary.path}`,
      what: binary.sha256 ?? "",
      goTo: { pane: "binaries", ids: [`b:${binary.path}`] },
    });
  return found.toSorted((a, b) => a.rank - b.rank).slice(0, most);
}

const NOT = 9;

/** 0 whole, 1 its beginning, 2 the beginning of its last part, 3 somewhere in it, {@link NOT} not at all. `head`: a part in the middle is chance. */
function fits(value: string | undefined, want: string, head = false): number {
  if (value === undefined) return NOT;
  const small = value.toLowerCase();
  const at = small.indexOf(want);
  if (at < 0 || (head && at > 0)) return NOT;
  if (small === want) return 0;
  if (at === 0) return 1;
  return small.lastIndexOf("/") === at - 1 ? 2 : 3;
}
