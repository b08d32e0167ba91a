import type { Subject } from "#model/presence";
import type { AnalystState } from "#state/decided-state";
import type { State } from "#state/state";
import type { Clock } from "./clock.ts";
import { code, prose, table } from "./escape.ts";
import { commandLine, loginName } from "./names.ts";
import { capital, count } from "./words.ts";

/** The last acts of one analyst that are shown; the log has all. */
const MOST_SHOWN = 100;

/** Who did what: each analyst's own acts, in their order. */
export function peopleSection(state: State, clock: Clock): string[] {
  const people = [...state.analysts.values()].toSorted((a, b) => a.first - b.first);
  if (people.length === 0) return ["No analyst is named in the log.", ""];
  const rule = state.twoPeople ? ["At the end, two analysts had to confirm what changes the host.", ""] : [];
  return [...rule, ...people.flatMap((analyst) => one(state, analyst, clock))];
}

function one(state: State, analyst: AnalystState, clock: Clock): string[] {
  const shown = analyst.acts.slice(-MOST_SHOWN);
  const leftOut = analyst.more + analyst.acts.length - shown.length;
  const rows = shown.map(({ at, what, on, sequence }) => [
    clock(at),
    `${prose(capital(what), 400)}${on ? `, on ${thing(state, on)}` : ""}`,
    String(Number(sequence)),
  ]);
  return [
    `### ${prose(analyst.name)}`,
    "",
    `${capital(count(leftOut + shown.length, "act"))} between ${clock(analyst.first)} and ${clock(analyst.last)}${leftOut ? `; the last ${shown.length} are shown` : ""}.`,
    "",
    ...table(["When", "What", "Line of the log"], rows),
    "",
  ];
}

function thing(state: State, { kind, id }: Subject): string {
  if (kind === "binary") return code(id, 100);
  if (kind === "connection") {
    const connection = state.connections.get(id);
    return connection
      ? `a connection with ${code((connection.direction === "egress" ? connection.destination : connection.source).ip)}`
      : "a connection that is no longer in the picture";
  }
  const login = kind === "login" ? state.logins.get(id) : undefined;
  if (login) return `the login of ${loginName(login)}`;
  const process = state.processes.get(id);
  if (process) return `pid ${process.pid} ${code(commandLine(process) ?? "name not seen", 80)}`;
  return kind === "finding" ? `the finding ${code(id, 60)}` : `a ${prose(kind)} that is no longer in the picture`;
}
