import { visiblePath } from "#model/host-string";
import { containerWords } from "#state/cgroup";
import { flagsOf } from "#state/flags";
import type { BinaryState, ConnectionState, ProcessState, State } from "#state/state";
import { argumentsOf, processName } from "../rows/standing.ts";
import { address, age, clock, place, terminalName } from "../words.ts";
import { counted, type Fact, knownFact, loginFact, originFact, ownerFact, processText, some, uidText, unseenFact } from "./fact.ts";

const ORIGIN: Partial<Record<ProcessState["origin"], string>> = { unknown: "nobody saw what it came from" };

export function processFacts(state: State, id: string, now: number): Fact[] {
  const p = state.processes.get(id);
  if (!p) return [];
  const over = p.end === undefined ? `running ${age(p.start, now)}` : `ended ${clock(p.end)}`;
  const fresh = p.executable === undefined ? undefined : state.binaries.get(p.executable);
  return [
    { label: "command", text: p.args ? p.args.join(" ") : `${processName(p)} ${argumentsOf(p)}`.trim(), style: "strong" },
    { label: "pid", text: `${p.pid}${pidInside(p)}` },
    ...containerFact(state, p),
    {
      label: "file",
      text: `${visiblePath(p.executable ?? "not seen")}${fresh ? freshWords(fresh) : ""}`,
      ...(fresh ? { style: "warn" as const } : {}),
    },
    ...scriptFact(state, p),
    ...(p.container === undefined ? knownFact(state, p.executable) : []),
    ...(p.container === undefined
      ? ownerFact(state, p.executable, "no program was seen")
      : [{ label: "package", text: "not looked at: the packages of a container are its own" }]),
    { label: "since", text: `${clock(p.start)}${p.baseline ? " (before we came)" : ""}, ${over}` },
    ...loginFact(state, p.login, p.id),
    { label: "from", text: `${lineage(state, p)}${ORIGIN[p.origin] ? ` (${ORIGIN[p.origin]})` : ""}` },
    ...originFact(state, id),
    { label: "uid", text: p.uid === undefined ? "not seen" : uidText(state, p.uid) },
    { label: "cwd", text: p.cwd ?? "not seen" },
    ...environmentFact(state, p),
    ...(p.tty ? [{ label: "tty", text: terminalName(p.tty) }] : []),
    ...unseenFact(p.unseen),
    ...traces(state, (one) => one === id),
    ...below(state, p),
  ];
}

/** That it is new, how it is run, and where it lies that few programs do. */
const freshWords = (binary: BinaryState, how = ""): string => ` (${["a new binary", ...flagsOf(binary)].join(", ")}${how})`;

/** Ancestors that are asked for what matters of their environment. */
const MOST_ABOVE = 64;

/** What matters of its environment: its own, or that of the nearest process above it of which it was told. */
function environmentFact(state: State, process: ProcessState): Fact[] {
  let at: ProcessState | undefined = process;
  for (let i = 0; at && at.environment === undefined && i < MOST_ABOVE; i++)
    at = at.parent === undefined ? undefined : state.processes.get(at.parent);
  if (at?.environment === undefined || at.login !== process.login) return [{ label: "environ", text: "not looked at", style: "faint" }];
  const odd = at.environment.some((variable) => !/^(?:PATH|SSH_AUTH_SOCK)=/.test(variable));
  const text = at.environment.length === 0 ? "nothing of what matters" : at.environment.join("  ");
  return [
    { label: "environ", text: `${text}${at === process ? "" : ` (of ${processText(at)})`}`, ...(odd ? { style: "warn" as const } : {}) },
  ];
}

function scriptFact(state: State, { script, container }: ProcessState): Fact[] {
  if (script === undefined) return [];
  const binary = state.binaries.get(script);
  const text = `${script}${binary ? freshWords(binary, ", interpreted") : " (a new binary, interpreted)"}`;
  return [{ label: "script", text, style: "warn" }, ...(container === undefined ? knownFact(state, script) : [])];
}

/** Only the first process of a container, and what was there when we came, is looked at for it. */
function pidInside({ container, inside }: ProcessState): string {
  if (container === undefined) return "";
  return inside === undefined ? " (inside its container: not looked at)" : `, ${inside} inside its container`;
}

function containerFact(state: State, { container }: ProcessState): Fact[] {
  return container === undefined ? [] : [{ label: "container", text: containerWords(container, state.containers.get(container)) }];
}

/** What processes have left in the other panes: connections, files written. */
export function traces(state: State, isTheirs: (process: string | undefined) => boolean): Fact[] {
  const calls = [...state.connections.values()].filter(({ process }) => isTheirs(process));
  const wrote = [...state.binaries.values()].filter(({ writers, writer }) => isTheirs(writer) || writers.some(isTheirs));
  return [
    ...(calls.length > 0 ? [{ label: "network", text: counted(calls.map(callText)) }] : []),
    ...(wrote.length > 0 ? [{ label: "wrote", text: some(wrote.map(({ path }) => visiblePath(path))), style: "warn" as const }] : []),
  ];
}

function callText(c: ConnectionState): string {
  if (c.phase === "listening") return `listens on ${address(c.source)}`;
  const far = c.direction === "egress" ? c.destination : c.source;
  return `${c.direction === "egress" ? "to" : "from"} ${c.direction === "egress" ? address(far) : far.ip} ${place(far)}`;
}

function below(state: State, p: ProcessState): Fact[] {
  const children = [...p.children].flatMap((id) => state.processes.get(id) ?? []);
  const folded = Object.entries(p.folded ?? {}).sort((a, b) => b[1] - a[1]);
  return [
    ...(children.length > 0 ? [{ label: "started", text: some(children.map(processText), 24) }] : []),
    ...(folded.length > 0
      ? [{ label: "folded", text: `${some(folded.map(([name, n]) => `${name} ×${n}`))} (ended, in the log one by one)` }]
      : []),
  ];
}

function lineage(state: State, process: ProcessState): string {
  const names: string[] = [];
  let at: ProcessState | undefined = process;
  for (let i = 0; at && i < 8; i++) {
    names.unshift(processText(at));
    at = at.parent === undefined ? undefined : state.processes.get(at.parent);
  }
  return `${at ? "… › " : ""}${names.join(" › ")}`;
}
