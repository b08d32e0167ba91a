import type { Endpoint } from "#model/event";
import { printable } from "#model/host-string";
import { flagsOf } from "#state/flags";
import { newBinariesOf } from "#state/program";
import { type LoginState, type ProcessState, RANDOM_LOOKING, type State } from "#state/state";
import { pastText } from "../panes/past-row.ts";
import type { ActivityRow } from "../rows/activity.ts";
import type { BinaryRow } from "../rows/binaries.ts";
import type { ConnectionRow } from "../rows/connections.ts";
import type { LoginsRow } from "../rows/logins.ts";
import { originText } from "../rows/origin.ts";
import type { PastRow, SetUpRow } from "../rows/past.ts";
import type { PlaceRow } from "../rows/places.ts";
import { processName } from "../rows/standing.ts";
import type { TreeRow } from "../rows/tree.ts";
import { address, loginName, network, place, terminalName } from "../words.ts";
import { calledBy } from "./called.ts";
import type { Field, Subject } from "./parse.ts";

type Known = readonly (string | number | undefined)[];
/** Of one value; arguments can be megabytes, and nobody looks for what stands behind this. */
const LONGEST_VALUE = 8192;

const small = (value: string | number) => printable(String(value).slice(0, LONGEST_VALUE)).toLowerCase();

function subject(text: Known, fields: Partial<Record<Field, Known | undefined>>): Subject {
  const defined = (values: Known) => values.filter((value) => value !== undefined && value !== "").map((value) => small(value as string));
  return {
    text: defined(text).join(" "),
    fields: Object.fromEntries(Object.entries(fields).map(([field, values = []]) => [field, defined(values)])),
  };
}

const ends = (...found: (Endpoint | undefined)[]) => ({
  ip: found.map((end) => end?.ip),
  country: found.flatMap((end) => [end?.geo?.country_iso_code, end?.geo?.country_name]),
  as: found.flatMap((end) => (end?.as ? [`as${end.as.number}`, end.as.organization?.name] : [])),
});

/** Where a process called, or was called from. */
const called = (state: State, id: string): readonly Endpoint[] => calledBy(state).get(id) ?? [];

const loginOf = (state: State, id: string | undefined): LoginState | undefined => (id === undefined ? undefined : state.logins.get(id));
const user = (login: LoginState | undefined) => [login?.user?.name];

/** Of what it runs, the script that it interprets included. */
const flagsOfProcess = (p: ProcessState, state: State) => newBinariesOf(state, p).flatMap(flagsOf);

function process(p: ProcessState, state: State): Subject {
  const login = loginOf(state, p.login);
  const gone = p.end === undefined ? undefined : "ended";
  return subject([p.pid, processName(p), p.args?.join(" "), gone], {
    ...ends(login?.source, ...called(state, p.id)),
    user: [...user(login), p.uid],
    pid: [p.pid],
    exe: [p.executable],
    path: [p.executable, p.cwd],
    flag: flagsOfProcess(p, state),
    standing: [p.standing],
  });
}

export function ofTree(row: TreeRow, state: State): Subject {
  if (row.kind === "process") return process(row.process, state);
  if (row.kind === "group") return subject([row.title], {});
  if (row.kind === "repeat") return subject([row.name], {});
  const { login } = row;
  const source = login.source ? [place(login.source), network(login.source)] : [];
  return subject([loginName(login), ...source, ...login.ttys.map(terminalName), login.standing, login.ours ? "this console" : undefined], {
    ...ends(login.source),
    user: user(login),
    standing: [login.standing],
  });
}

const PHASE = { established: "open", attempt: "trying", listening: "listens", ended: "closed" } as const;

export function ofConnection({ latest, far, owner }: ConnectionRow, state: State): Subject {
  const p = latest.process === undefined ? undefined : state.processes.get(latest.process);
  const phase = latest.phase === "ended" && latest.outcome === "failure" ? "failed" : PHASE[latest.phase];
  return subject([phase, address(far), place(far), network(far), owner], {
    ...ends(latest.source, latest.destination),
    user: user(loginOf(state, latest.login)),
    pid: [p?.pid],
    exe: [p?.executable],
    path: [p?.executable],
    flag: p && flagsOfProcess(p, state),
    standing: [latest.standing],
  });
}

export function ofPast({ past }: PastRow): Subject {
  return subject([past.kind, pastText(past), ...past.from], { ...ends(past.source), user: [past.user, past.effective], path: [past.path] });
}

const STATUS = { new: "new", gone: "gone", here: "" } as const;

export function ofSetUp({ thing }: SetUpRow): Subject {
  return subject([STATUS[thing.status], thing.category, thing.name, thing.detail], { path: [thing.name] });
}

export function ofLogin(row: LoginsRow, state: State): Subject {
  if (row.kind === "origin") {
    const { origin } = row;
    const login = loginOf(state, origin.login);
    return subject([originText(state, origin)], { ...ends(login?.source), user: [origin.user?.name, origin.user?.effective?.name] });
  }
  const { login, number } = row;
  const source = login.source ? [place(login.source), network(login.source)] : [];
  const words = [`L${number}`, loginName(login), ...source, ...login.ttys.map(terminalName), login.standing];
  return subject([...words, login.ours ? "this console" : undefined, login.end === undefined ? "in" : "left"], {
    ...ends(login.source),
    user: user(login),
    standing: [login.standing],
  });
}

export function ofPlace({ code, title, cities, networks, standing }: PlaceRow): Subject {
  return subject([code, title, ...cities, ...networks, standing], { country: [code, title], as: networks, standing: [standing] });
}

export function ofActivity({ title, doer, selection }: ActivityRow, state: State): Subject {
  const login = selection.kind === "login" ? loginOf(state, selection.id) : undefined;
  return subject([title, doer], { ...ends(login?.source), user: user(login), standing: [doer] });
}

export function ofBinary({ binary, number }: BinaryRow, state: State): Subject {
  const login = loginOf(state, binary.login);
  const by = [binary.writer, ...binary.runners].flatMap((id) => (id === undefined ? [] : (state.processes.get(id) ?? [])));
  const flags = flagsOf(binary);
  const words = [
    (binary.random ?? 0) >= RANDOM_LOOKING ? "random" : "",
    ...flags,
    binary.deleted ? "deleted" : "",
    binary.runs > 0 ? "ran" : "not run",
    binary.sha256 ?? "no hash yet",
  ];
  return subject([`B${number}`, binary.path, ...words, login ? loginName(login) : by[0] && processName(by[0])], {
    ...ends(login?.source, ...binary.runners.flatMap((id) => called(state, id))),
    user: user(login),
    pid: by.map(({ pid }) => pid),
    exe: by.map(({ executable }) => executable),
    path: [binary.path],
    flag: flags,
    standing: [binary.standing],
  });
}
