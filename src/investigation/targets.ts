import type { HostString } from "#model/host-string";
import type { Measure, ProcessRef } from "#model/measure";
import type { ResponseKind } from "#model/response";
import type { ProcessState, State } from "#state/state";
import type { Particulars } from "./prepared.ts";

/** More suspects than these are not grabbed or suspended before a cut: it must not wait for them. */
const MOST_SUSPECTS = 64;
const MOST_PROCESSES = 256;

/** USER_HZ, the tick of /proc/PID/stat, is 100 on every architecture that we meet (include/asm-generic/param.h). */
const TICK_NS = 1e7;

/** A live process as a response names it: by the start that its id has. */
function refOf(process: ProcessState): ProcessRef | undefined {
  const start = Number(process.id.split(":").at(-1));
  if (!Number.isFinite(start) || process.end !== undefined) return undefined;
  return { pid: process.pid, startTicks: Math.floor(start / TICK_NS), ...(process.name === undefined ? {} : { name: process.name }) };
}

/** Live processes that are judged to be an intruder's or suspect, the newest first; never one of ours. */
export function suspects(state: State): ProcessRef[] {
  const judged = [...state.pids.values()].map((id) => state.processes.get(id));
  const found = judged.filter((process) => process?.standing === "intruder" || process?.standing === "suspect") as ProcessState[];
  return refs(found.toSorted((a, b) => b.start - a.start).filter((process) => !isSshd(process))).slice(0, MOST_SUSPECTS);
}

/** What the measure needs of the host, and its words; or why it cannot be done. */
export function particulars(state: State, measure: Measure): { kind: ResponseKind; more: Particulars } | string {
  if (measure.response === "unblock") return takenBack(state, measure.undoes);
  if (measure.response === "block") return blocked(state, measure.on);
  const found = processesOf(state, measure.on);
  if (typeof found === "string") return found;
  const { processes, words } = found;
  const kept = keepers(state);
  if (processes.some(({ id, standing }) => kept.has(id) || standing === "responder"))
    return "it is ours, or our way in comes from it: take what is below it, one by one";
  const named = refs(processes);
  if (named.length === 0) return "none of it is running any more";
  if (named.length > MOST_PROCESSES) return `these are ${named.length} processes: take what is below, one by one`;
  return { kind: measure.response, more: { processes: named, target: `${words} (${named.length})` as HostString } };
}

function takenBack(state: State, id: string): { kind: ResponseKind; more: Particulars } | string {
  const response = state.responses.get(id);
  if (response?.phase !== "succeeded" || response.undo === undefined) return "there is nothing to take back";
  if (response.undone !== undefined) return `it was taken back already (${response.undone})`;
  const target = response.target ?? ("a measure" as HostString);
  return { kind: response.kind === "suspend" ? "resume" : "unblock", more: { target, undoes: { id, undo: response.undo } } };
}

function blocked(state: State, on: (Measure & { response: "block" })["on"]): { kind: ResponseKind; more: Particulars } | string {
  if ("address" in on) {
    const { address: ip, port } = on;
    const target = `everything to and from ${ip}${port === undefined ? "" : `, port ${port}`}` as HostString;
    return { kind: "block", more: { block: { kind: "address", ip, ...(port === undefined ? {} : { port }) }, target } };
  }
  if ("account" in on)
    return { kind: "block", more: { block: { kind: "user", uid: on.account }, target: `what account ${on.account} sends` as HostString } };
  const process = state.processes.get(on.group);
  const ref = process && refOf(process);
  if (!ref) return "the process is not running any more";
  if (keepers(state).has(process.id) || process.standing === "responder") return "it is ours: nothing of it is blocked";
  const target = `what the control group of ${process.name ?? "a process"} (${ref.pid}) sends` as HostString;
  return { kind: "block", more: { block: { kind: "cgroup", pid: ref.pid, startTicks: ref.startTicks }, target } };
}

function processesOf(state: State, on: { process: string } | { login: string }): { processes: ProcessState[]; words: string } | string {
  if ("login" in on) {
    const login = state.logins.get(on.login);
    if (!login) return "that login is not known";
    if (login.ours) return "that is this console's own login";
    const processes = [...state.pids.values()].map((id) => state.processes.get(id)).filter((one) => one?.login === on.login);
    return {
      processes: processes as ProcessState[],
      words: `the processes of the login ${login.user?.name ?? "?"} from ${login.source?.ip ?? login.type}`,
    };
  }
  const root = state.processes.get(on.process);
  if (!root) return "that process is not known any more";
  if (root.end !== undefined) return "that process has ended";
  const found: ProcessState[] = [];
  const queue = [root];
  for (let next = queue.pop(); next && found.length <= MOST_PROCESSES; next = queue.pop()) {
    if (next.end === undefined) found.push(next);
    for (const id of next.children) {
      const child = state.processes.get(id);
      if (child) queue.push(child);
    }
  }
  return { processes: found, words: `${root.name ?? "a process"} (${root.pid})${found.length > 1 ? " and all below it" : ""}` };
}

/** What carries our own logins: their processes and whatever is above them, the listening sshd among it. */
function keepers(state: State): Set<string> {
  const kept = new Set<string>();
  for (const login of state.logins.values()) {
    if (!login.ours && login.standing !== "responder") continue;
    let id: string | undefined = login.id;
    while (id !== undefined && !kept.has(id)) {
      kept.add(id);
      id = state.processes.get(id)?.parent;
    }
  }
  return kept;
}

const isSshd = ({ name, executable }: ProcessState) => /(^|\/)(sshd|sshd-session|dropbear)$/.test(executable ?? name ?? "");
const refs = (processes: readonly ProcessState[]) => processes.map(refOf).filter((ref) => ref !== undefined);
