import { printable } from "#model/host-string";
import type { Measure } from "#model/measure";
import type { ResponseKind } from "#model/response";
import { farEnd } from "#state/selectors";
import type { ProcessState, State } from "#state/state";
import type { Selection } from "./command.ts";

/** One thing that can be done to what is selected. */
export interface MeasureItem {
  /** What it does; may hold host text. */
  title: string;
  response: ResponseKind;
  measure: Measure;
}

/** Undos that are offered at once: the newest of them. */
const MOST_UNDOS = 20;

/** What can be done to the selected thing, the mildest first; below it, what was done and can be taken back. */
export function measuresFor(state: State, selection: Selection | undefined): MeasureItem[] {
  return [...(selection ? ofThing(state, selection) : []), ...undos(state)];
}

function ofThing(state: State, { kind, id }: Selection): MeasureItem[] {
  if (kind === "connection") {
    const connection = state.connections.get(id);
    if (!connection) return [];
    const { ip, port } = farEnd(connection);
    const process = connection.process === undefined ? undefined : state.processes.get(connection.process);
    const toPort = connection.direction === "egress" && port !== undefined && connection.phase !== "listening";
    return [
      ...(toPort ? [block(`Block ${at(ip, port)}, both ways`, { address: ip, port })] : []),
      ...(connection.phase === "listening" ? [] : [block(`Block all of ${ip}, both ways`, { address: ip })]),
      ...(process ? ofProcess(process) : []),
    ];
  }
  if (kind === "process") {
    const process = state.processes.get(id);
    return process ? ofProcess(process) : [];
  }
  if (kind !== "login") return [];
  const login = state.logins.get(id);
  if (!login) return [];
  const live = [...state.pids.values()].map((one) => state.processes.get(one)).filter((one) => one?.login === id);
  const first = live.find((one) => one?.id !== id) ?? live[0];
  const uid = login.user?.id === undefined ? undefined : Number(login.user.id);
  return [
    ...(login.source ? [block(`Block ${login.source.ip}, from where it comes, both ways`, { address: login.source.ip })] : []),
    ...(first ? [block("Block what its control group sends (with systemd: this login)", { group: first.id })] : []),
    ...account(uid),
    { title: "Suspend all of its processes", response: "suspend", measure: { response: "suspend", on: { login: id } } },
    { title: "End all of its processes", response: "kill", measure: { response: "kill", on: { login: id } } },
  ];
}

function ofProcess(process: ProcessState): MeasureItem[] {
  if (process.end !== undefined) return [];
  const { id, pid, uid } = process;
  const name = `${printable(process.name ?? "the process")} (${pid})`;
  return [
    block(`Block what the control group of ${name} sends`, { group: id }),
    ...account(uid),
    { title: `Suspend ${name} and all below it`, response: "suspend", measure: { response: "suspend", on: { process: id } } },
    { title: `Let ${name} and all below it go on`, response: "resume", measure: { response: "resume", on: { process: id } } },
    { title: `End ${name} and all below it`, response: "kill", measure: { response: "kill", on: { process: id } } },
  ];
}

const account = (uid: number | undefined): MeasureItem[] =>
  uid === undefined || !Number.isSafeInteger(uid)
    ? []
    : [block(`Block what account ${uid}${uid === 0 ? " (root)" : ""} sends`, { account: uid })];

const block = (title: string, on: (Measure & { response: "block" })["on"]): MeasureItem => ({
  title,
  response: "block",
  measure: { response: "block", on },
});

function undos(state: State): MeasureItem[] {
  const standing = [...state.responses.values()].filter(
    ({ kind, phase, undo, undone }) =>
      (kind === "block" || kind === "suspend") && phase === "succeeded" && undo !== undefined && undone === undefined,
  );
  return standing.slice(-MOST_UNDOS).map(({ id, kind, target }) => ({
    title:
      kind === "block"
        ? `Take back the block of ${printable(target ?? "?")} (${id})`
        : `Let go on what was suspended: ${printable(target ?? "?")} (${id})`,
    response: kind === "block" ? "unblock" : "resume",
    measure: { response: "unblock", undoes: id },
  }));
}

const at = (ip: string, port: number | undefined) => `${ip.includes(":") ? `[${ip}]` : ip}:${port}`;
