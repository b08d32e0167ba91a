import type { StakeoutEvent } from "#model/event";
import type { HostString } from "#model/host-string";
import { placeIn } from "./cgroup.ts";
import { judgeBinary, ranBinary } from "./files.ts";
import { endedProcess } from "./folding.ts";
import { letLoginsGo } from "./let-go.ts";
import { descend, judge, judgeLogin, setJudgement } from "./lineage.ts";
import { originEnded } from "./origins.ts";
import { newBinariesOf } from "./program.ts";
import { settleOne } from "./settle.ts";
import type { LoginState, ProcessState, State } from "./state.ts";
import type { Millis } from "./time.ts";
import { parseTime } from "./time.ts";

/** The children of who has none yet, most processes: a set of their own would be half of what they take. Never added to. */
const NONE: Set<string> = new Set();

/** A process of which nothing is known. */
const NEW: ProcessState = {
  id: "",
  pid: 0,
  parent: undefined,
  children: NONE,
  login: undefined,
  origin: "unknown",
  name: undefined,
  executable: undefined,
  script: undefined,
  environment: undefined,
  args: undefined,
  cwd: undefined,
  uid: undefined,
  unit: undefined,
  container: undefined,
  inside: undefined,
  cron: undefined,
  planter: undefined,
  tty: undefined,
  start: 0,
  end: undefined,
  active: 0,
  baseline: false,
  unseen: undefined,
  noted: undefined,
  folded: undefined,
  overdue: undefined,
  standing: "unknown",
  tag: undefined,
  finding: undefined,
};

function ensure(state: State, event: StakeoutEvent, at: Millis): ProcessState | undefined {
  const given = event.process;
  if (!given) return undefined;
  const known = state.processes.get(given.entity_id);
  if (known) return known;
  // A parent that nobody saw: then it hangs at what its origin is known to be, so that a tag on the login reaches it.
  const above = given.parent && state.processes.has(given.parent.entity_id) ? given.parent.entity_id : given.entry_leader?.entity_id;
  const parent = above === undefined || above === given.entity_id ? undefined : state.processes.get(above);
  const process: ProcessState = {
    ...NEW,
    id: given.entity_id,
    pid: given.pid ?? Number(given.entity_id.split(":").at(-2)),
    start: given.start ? parseTime(given.start) : at,
    active: at,
    origin: given.entry_leader?.entry_meta.type ?? parent?.origin ?? "unknown",
    baseline: event.event.action === "baseline.process",
  };
  if (parent) process.parent = parent.id;
  else state.orphans.add(process.id);
  state.processes.set(process.id, process);
  state.pids.set(process.pid, process.id);
  state.structure += 1;
  if (parent) {
    if (parent.children.size === 0) parent.children = new Set([process.id]);
    else parent.children.add(process.id);
    if (parent.login !== undefined) process.login = parent.login;
    // one by one: this runs for every process that a host starts, and a loop over the names costs three times as much
    if (parent.name !== undefined) process.name = parent.name;
    if (parent.executable !== undefined) process.executable = parent.executable;
    if (parent.script !== undefined) process.script = parent.script;
    if (parent.cwd !== undefined) process.cwd = parent.cwd;
    if (parent.tty !== undefined) process.tty = parent.tty;
    if (parent.uid !== undefined) process.uid = parent.uid;
    // the service manager puts its children elsewhere: where, is told with them or not known
    if (parent.pid !== 1 && parent.unit !== undefined) process.unit = parent.unit;
    if (parent.container !== undefined) process.container = parent.container;
    if (parent.cron !== undefined) process.cron = parent.cron;
  }
  setJudgement(process, judge(state, process));
  return process;
}

/** Ancestors that are marked with a process: whoever nests thousands must not have each of his events go through all of them. */
const MOST_TOUCHED = 256;

/** Marks the process, its ancestors and its login as active: what is sorted newest first. */
function touch(state: State, process: ProcessState, at: Millis): void {
  if (at > process.active) process.active = at;
  for (let above = process.parent, climbed = 0; above !== undefined && climbed < MOST_TOUCHED; climbed++) {
    const ancestor = state.processes.get(above);
    if (!ancestor || !(ancestor.active < at)) break; // everything above was touched by whoever touched this; so ends a forged loop, too
    ancestor.active = at;
    above = ancestor.parent;
  }
  const login = process.login === undefined ? undefined : state.logins.get(process.login);
  if (login && at > login.active) login.active = at;
}

export function processStart(state: State, event: StakeoutEvent, at: Millis): void {
  const existed = event.process !== undefined && state.processes.has(event.process.entity_id);
  const process = ensure(state, event, at);
  const given = event.process;
  if (!process || !given) return;
  if (existed) state.structure += 1; // an exec in place: the row reads differently
  if (given.name !== undefined) process.name = given.name;
  if (given.executable !== undefined) process.executable = given.executable;
  if (given.args !== undefined) process.args = given.args;
  else process.args = undefined; // the arguments of the image before this one are not its own
  process.script = event.stakeout.script?.path;
  if (given.working_directory !== undefined) process.cwd = given.working_directory;
  if (given.tty) process.tty = `${given.tty.char_device.major}:${given.tty.char_device.minor}`;
  if (event.user?.id !== undefined) {
    process.uid = Number(event.user.id);
    learnUser(state, process.uid, event.user.name);
  }
  if (given.cgroup !== undefined) placed(state, process, event, given.cgroup);
  if (given.vpid !== undefined) process.inside = given.vpid;
  if (process.cron === undefined && process.origin === "cron") learnEntry(state, process);
  if (event.stakeout.unseen) {
    process.unseen = event.stakeout.unseen;
    const report = state.sensors.get(event.stakeout.sensor)?.report;
    const args = event.stakeout.unseen["process.args"];
    if (report && (args === "raced" || args === "lost")) report.raced = (report.raced ?? 0) + 1;
  } else process.unseen = undefined; // what was not seen of the image before this one is no lack of this one
  if (given.entry_leader) process.origin = given.entry_leader.entry_meta.type;
  if (given.entry_leader && isLogin(given.entry_leader.entry_meta.type)) process.login = given.entry_leader.entity_id;
  if (event.event.action === "process.start") state.counts.execs += 1;
  const login = process.login === undefined ? undefined : state.logins.get(process.login);
  if (login) {
    login.processes += 1;
    if (process.tty && !login.ttys.includes(process.tty)) login.ttys.push(process.tty);
  }
  touch(state, process, at);
  ranBinary(state, process, event.stakeout, at);
  // what it is may decide: which program, which account, what speaks against it
  if (state.tags.size > 0) settleOne(state, process);
  for (const binary of newBinariesOf(state, process)) judgeBinary(state, binary);
}

/** Variables that are kept of a process, and of each its first letters; the log has all. */
const MOST_VARIABLES = 16;
const MOST_LETTERS = 256;

/** What matters of its environment is other than of its session until then. */
export function environmentTold(state: State, event: StakeoutEvent): void {
  const process = event.process && state.processes.get(event.process.entity_id);
  const variables = event.process?.env_vars;
  if (process && variables)
    process.environment = variables.slice(0, MOST_VARIABLES).map((variable) => variable.slice(0, MOST_LETTERS) as HostString);
}

const MOST_CONTAINERS = 10_000;
function placed(state: State, process: ProcessState, { container }: StakeoutEvent, cgroup: string): void {
  const { runtime, pod, ...place } = placeIn(cgroup);
  Object.assign(process, { unit: undefined, container: undefined }, place);
  if (place.container === undefined || (!state.containers.has(place.container) && state.containers.size >= MOST_CONTAINERS)) return;
  state.containers.set(place.container, {
    ...state.containers.get(place.container),
    id: place.container,
    ...(container?.name === undefined ? {} : { name: container.name }),
    ...(container?.image === undefined ? {} : { image: container.image.name }),
    ...(runtime === undefined ? {} : { runtime }),
    ...(pod === undefined ? {} : { pod }),
  });
}

const MOST_USERS = 100_000;
function learnUser(state: State, uid: number, name: HostString | undefined): void {
  if (name !== undefined && !state.users.has(uid) && state.users.size < MOST_USERS) state.users.set(uid, name);
}

/** Daemons that run crontabs; each job is a fork of theirs that runs `sh -c COMMAND` (crontab(5); vixie-cron, cronie, busybox). */
const CRON = /\/(?:cron|crond|busybox)$/;
function learnEntry(state: State, process: ProcessState): void {
  const [, dash, command] = process.args ?? [];
  const parent = process.parent === undefined ? undefined : state.processes.get(process.parent);
  if (dash === "-c" && command !== undefined && process.args?.length === 3 && CRON.test(parent?.executable ?? "")) process.cron = command;
}

export function processFork(state: State, event: StakeoutEvent, at: Millis): void {
  const process = ensure(state, event, at);
  if (!process) return;
  state.counts.forks += 1;
  touch(state, process, at);
}

export function processEnd(state: State, event: StakeoutEvent, at: Millis): void {
  const process = event.process ? state.processes.get(event.process.entity_id) : undefined;
  state.counts.ends += 1;
  if (!process || process.end !== undefined) return;
  process.end = at;
  if (state.pids.get(process.pid) === process.id) state.pids.delete(process.pid);
  state.structure += 1;
  touch(state, process, at);
  endedProcess(state, process);
  originEnded(state, process.id, at);
}

/** Somebody came in: by sshd, or at the machine's own terminal. */
const isLogin = (type: string | undefined) => type === "sshd" || type === "console";

export function loginStart(state: State, event: StakeoutEvent, at: Millis): void {
  const id = event.process?.entity_id;
  if (id === undefined || event.event.outcome === "failure") return;
  const known = state.logins.get(id);
  if (!known) {
    state.counts.logins += 1;
    letLoginsGo(state);
  }
  const login: LoginState = known ?? {
    id,
    number: state.counts.logins,
    type: event.process?.entry_leader?.entry_meta.type ?? "sshd",
    ttys: [],
    start: event.process?.start ? Date.parse(event.process.start) : at,
    active: at,
    standing: "unknown",
    ours: event.stakeout["ours"] === true,
    processes: 0,
    ended: { count: 0, latest: [] },
  };
  if (event.user) login.user = { ...login.user, ...event.user };
  if (event.source) login.source = event.source;
  const tty = event.process?.tty?.char_device;
  if (tty && !login.ttys.includes(`${tty.major}:${tty.minor}`)) login.ttys.push(`${tty.major}:${tty.minor}`);
  state.logins.set(id, login);
  state.structure += 1;
  const root = state.processes.get(id);
  setJudgement(login, judgeLogin(state, login));
  if (!root) return;
  // What was seen under it before we knew that it is a login, or whose.
  descend(state, [id], (process) => {
    if (!known) {
      login.processes += 1;
      process.login ??= id;
    }
    setJudgement(process, judge(state, process));
    return undefined;
  });
  setJudgement(login, judgeLogin(state, login));
}

export function loginEnd(state: State, event: StakeoutEvent, at: Millis): void {
  const login = event.process ? state.logins.get(event.process.entity_id) : undefined;
  if (!login) return;
  login.end = at;
  state.structure += 1;
}
