import type { CommandContext } from "#commands/command";
import { PANES, type PaneName } from "#commands/pane";
import { printable } from "#model/host-string";
import { flagsOf } from "#state/flags";
import { runningOf } from "#state/origins";
import { newBinaryOf } from "#state/program";
import type { LoginState, ProcessState, Standing, State } from "#state/state";
import { pastText } from "../panes/past-row.ts";
import type { ActivityRow } from "../rows/activity.ts";
import type { BinaryRow } from "../rows/binaries.ts";
import type { Lists } from "../rows/cache.ts";
import { type ConnectionRow, mostOf } from "../rows/connections.ts";
import type { LoginsRow } from "../rows/logins.ts";
import { originText } from "../rows/origin.ts";
import type { PastRow, SetUpRow } from "../rows/past.ts";
import type { PlaceRow } from "../rows/places.ts";
import { argumentsOf, processName } from "../rows/standing.ts";
import type { TreeRow } from "../rows/tree.ts";
import { address, age, bytes, clock, count, network, place, plural } from "../words.ts";

/** Longest host text in a sentence: a megabyte of arguments must not be read out. */
const LONGEST = 300;

const standingWord = (standing: Standing) => (standing === "known-good" ? "known good" : standing);
const brief = (text: string) => {
  const safe = printable(text.length > LONGEST * 4 ? text.slice(0, LONGEST * 4) : text);
  return safe.length > LONGEST ? `${safe.slice(0, LONGEST)}, cut here` : safe;
};

/** "login L 2, root from 203.0.113.5 Germany": the number as it is said on a call. */
export function loginWords(login: LoginState | undefined): string {
  if (!login) return "login not seen";
  const user = login.user?.name ?? (login.user?.id === undefined ? "somebody" : `uid ${login.user.id}`);
  const where = login.source ? `${login.source.ip} ${login.source.geo?.country_name ?? place(login.source)}` : login.type;
  return `login L ${login.number}, ${brief(user)} from ${where}${login.ours ? ", this console" : ""}`;
}

const folding = (row: { expandable: boolean; expanded: boolean }) => (row.expandable ? [row.expanded ? "open" : "folded"] : []);

/** One row as a sentence: what it is, who it is, how it is judged, where it belongs. */
export function rowSentence(lists: Lists, pane: PaneName, index: number, state: State, now: number): string {
  const row = lists[pane][index];
  if (!row) return "Nothing is here.";
  const parts = partsOf(lists, pane, index, state, now);
  return `${parts.filter((part) => part !== "").join(", ")}. Row ${count(index + 1)} of ${count(lists[pane].length)}.`;
}

function partsOf(lists: Lists, pane: PaneName, index: number, state: State, now: number): string[] {
  const parts = <Row>(row: Row | undefined, tell: (row: Row, state: State, now: number) => string[]) => (row ? tell(row, state, now) : []);
  switch (pane) {
    case "tree":
      return parts(lists.tree[index], treeParts);
    case "connections":
      return parts(lists.connections[index], connectionParts);
    case "binaries":
      return parts(lists.binaries[index], binaryParts);
    case "logins":
      return parts(lists.logins[index], loginParts);
    case "map":
      return parts(lists.map[index], placeParts);
    case "activity":
      return parts(lists.activity[index], activityParts);
    case "past":
      return parts(lists.past[index], pastParts);
    case "baseline":
      return parts(lists.baseline[index], setUpParts);
  }
}

const pastParts = ({ past }: PastRow, _state: State, now: number): string[] => [
  past.kind,
  brief(pastText(past)),
  past.count > 1 ? plural(past.count, "time") : "",
  past.last > 0 ? `${age(past.last, now)} ago` : "no time",
  `as ${past.from.map(brief).join(" and ")} says`,
];

const setUpParts = ({ thing }: SetUpRow, _state: State, now: number): string[] => [
  thing.status === "here" ? "" : `${thing.status} since ${age(thing.at, now)}`,
  `${thing.category} ${brief(thing.name)}`,
  brief(thing.detail),
];

const loginParts = (row: LoginsRow, state: State, now: number): string[] =>
  row.kind === "origin"
    ? [
        brief(originText(state, row.origin)),
        row.selection.standing === undefined || row.selection.standing === "unknown" ? "" : standingWord(row.selection.standing),
        `${age(row.origin.last, now)} ago`,
        row.origin.runs > 1 ? plural(row.origin.runs, "time") : "",
        goesOnWords(runningOf(state, row.origin)),
      ]
    : loginRowParts(row, now);

const goesOnWords = (running: readonly ProcessState[]): string =>
  running.length === 0
    ? "over"
    : `goes on: ${running
        .slice(0, 3)
        .map((one) => `${brief(processName(one))} pid ${one.pid}`)
        .join(", ")}`;

const loginRowParts = ({ login }: LoginsRow & { kind: "login" }, now: number): string[] => [
  loginWords(login),
  login.source ? network(login.source) : "",
  standingWord(login.standing),
  login.end === undefined ? `still in, since ${clock(login.start)}` : `left ${age(login.end, now)} ago`,
  plural(login.processes, "process", "processes"),
];

const placeParts = (row: PlaceRow): string[] => [
  brief(row.title),
  row.goes && row.comes ? "goes there and comes from there" : row.goes ? "goes there" : "comes from there",
  standingWord(row.standing),
  plural(row.ends, "address", "addresses"),
  plural(row.attempts, "attempt"),
  row.live > 0 ? `${count(row.live)} open or being tried` : "",
  row.networks.slice(0, 3).map(brief).join(" and "),
];

const activityParts = (row: ActivityRow, _state: State, now: number): string[] => [
  brief(row.title),
  row.doer === "service" ? "not judged" : standingWord(row.doer),
  `${count(row.total)} programs started, calls out and files written`,
  `last ${age(row.at, now)} ago`,
];

function treeParts(row: TreeRow, state: State, now: number): string[] {
  if (row.kind === "group") return [brief(row.title), plural(row.processes, "process", "processes"), ...folding(row)];
  if (row.kind === "repeat")
    return [
      `${brief(row.name)}, ${count(row.count)} times, ended`,
      ...row.kept.slice(0, 3).map((one) => brief(argumentsOf(one))),
      ...folding(row),
    ];
  if (row.kind === "login") {
    const { login } = row;
    return [
      loginWords(login),
      login.source ? network(login.source) : "",
      standingWord(login.standing),
      login.end === undefined ? `since ${clock(login.start)}` : `left ${age(login.end, now)} ago`,
      plural(login.processes, "process", "processes"),
      ...folding(row),
    ];
  }
  return [...processParts(row.process, state, now), row.below > 0 ? `${plural(row.below, "child", "children")}` : "", ...folding(row)];
}

function processParts(process: ProcessState, state: State, now: number): string[] {
  const args = argumentsOf(process);
  const isNew = newBinaryOf(state, process);
  return [
    `process ${brief(processName(process))}`,
    `pid ${process.pid}`,
    standingWord(process.standing),
    args ? (process.args ? `arguments ${brief(args)}` : brief(args)) : "",
    isNew ? `new binary ${brief(isNew.path)}` : "",
    process.end === undefined ? `running ${age(process.start, now)}` : `ended ${age(process.end, now)} ago`,
    process.login === undefined ? "a service" : loginWords(state.logins.get(process.login)),
  ];
}

const PHASES = { attempt: "trying", established: "open", ended: "closed", listening: "listening" } as const;

function connectionParts(row: ConnectionRow, state: State, now: number): string[] {
  const { latest, far } = row;
  const process = latest.process === undefined ? undefined : state.processes.get(latest.process);
  const failed = latest.phase === "ended" && latest.outcome === "failure";
  const way = latest.phase === "listening" ? "on" : latest.direction === "egress" ? "to" : "from";
  return [
    `connection ${failed ? "failed" : PHASES[latest.phase]}`,
    `${way} ${address(far)} ${far.geo?.country_name ?? place(far)}${far.geo?.city_name ? ` ${far.geo.city_name}` : ""}`,
    network(far),
    process ? `by process ${brief(processName(process))} pid ${process.pid}` : "by a process that was not seen",
    standingWord(latest.standing),
    mostOf(row) > 1 ? `${count(mostOf(row))} times${row.tried?.shared ? " at most, with others that are not told apart" : ""}` : "",
    `${age(latest.end ?? latest.start, now)} ago`,
    latest.login === undefined ? "" : loginWords(state.logins.get(latest.login)),
  ];
}

function binaryParts({ binary }: BinaryRow, state: State, now: number): string[] {
  const writer = binary.writer === undefined ? undefined : state.processes.get(binary.writer);
  return [
    `new binary ${brief(binary.path)}`,
    standingWord(binary.standing),
    (binary.random ?? 0) >= 0.6 ? "the name looks random" : "",
    binary.nameless ? "without a name" : "",
    ...flagsOf(binary).filter((flag) => flag !== "deleted" || !binary.nameless),
    binary.runs > 0 ? `run ${plural(binary.runs, "time")}` : "not seen running",
    binary.size === undefined ? "" : bytes(binary.size),
    binary.sha256 ? `sha256 begins ${binary.sha256.slice(0, 12)}` : "",
    writer ? `written by ${brief(processName(writer))} pid ${writer.pid}` : "nobody was seen to write it",
    `first seen ${age(binary.first, now)} ago`,
    binary.login === undefined ? "" : loginWords(state.logins.get(binary.login)),
  ];
}

/** The pane that has the keys, and what is in it. */
export function paneSentence({ pane, filtered, showHidden }: CommandContext, lists: Lists): string {
  const rows = plural(lists[pane].length, "row");
  return `${PANES.find(({ name }) => name === pane)?.title ?? pane}, ${rows}${filtered ? ", filtered" : ""}${showHidden ? ", with what tags hide" : ""}.`;
}
