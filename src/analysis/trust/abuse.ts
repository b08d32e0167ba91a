import { doerWords, userWords } from "#state/finding-words";
import type { State } from "#state/state";
import {
  deviceOf,
  isStranger,
  isTrusted,
  onTerminal,
  processOf,
  programOf,
  type Scene,
  type Suspicion,
  trustedLogins,
  whoOf,
} from "./scene.ts";

/** Somebody without a tag lays hands on what a tag has hidden. Each rule looks at one event and says nothing, or what it is. */
export type Rule = (scene: Scene) => Suspicion | undefined;

/** ptrace, or /proc/PID/mem, on a tagged process: who can do that runs as it. */
const entersProcess: Rule = ({ state, event, actor }) => {
  const { access } = event.stakeout;
  const target = processOf(state, access?.target?.entity_id);
  if (!access || !target || !isStranger(actor) || !isTrusted(target) || whoOf(actor) === whoOf(target)) return undefined;
  const memory = event.file?.path.endsWith("/mem") === true;
  if (access.how !== "trace" && !memory) return undefined;
  return {
    rule: memory ? "tagged-memory-opened" : "tagged-process-traced",
    title: memory ? "the memory of a tagged process was opened" : "a tagged process was traced (ptrace)",
    level: "high",
    technique: memory ? ["T1055.009", "T1003.007"] : ["T1055.008"],
    entities: [actor.id, target.id],
    exposes: [target.id],
    about: `${whoOf(actor)} ${target.id}`,
  };
};

/** Programs that open the environment of all processes to list them: whoever types `ps` looks about, and reaches for nobody. */
const LISTERS = /^\/(?:usr\/)?bin\/(?:ps|top|htop|pgrep|pkill|pidof)$/;

/** The environment of a tagged process says where its agent's socket is, and what else is in it. */
const readsEnvironment: Rule = ({ state, event, actor }) => {
  const target = processOf(state, event.stakeout.access?.target?.entity_id);
  if (!target || !isStranger(actor) || !isTrusted(target) || whoOf(actor) === whoOf(target)) return undefined;
  if (event.file?.path.endsWith("/environ") !== true || actor.login === undefined) return undefined;
  const rule = "tagged-environment-read";
  const entities = [actor.id, target.id];
  if (LISTERS.test(actor.executable ?? ""))
    return {
      rule,
      title: `${doerWords(actor)} listed all processes, ours among them`,
      level: "low",
      technique: ["T1057"],
      entities,
      about: `${whoOf(actor)} lists`,
    };
  return {
    rule,
    title: "the environment of a tagged process was read",
    level: "medium",
    technique: ["T1552", "T1057"],
    entities,
    about: `${whoOf(actor)} ${whoOf(target)}`,
  };
};

/** Somebody opened the terminal that a tagged shell runs on: to write on it, to read what is typed, or to type into it (TIOCSTI). */
const reachesTerminal: Rule = ({ state, event, actor }) => {
  const device = event.file && event.stakeout.access?.how === "open" ? deviceOf(event.file.path) : undefined;
  if (device === undefined || !isStranger(actor)) return undefined;
  const target = onTerminal(state, device, (process) => isTrusted(process) && process.id !== actor.id);
  if (!target || whoOf(target) === whoOf(actor) || actor.tty === device) return undefined;
  return {
    rule: "tagged-terminal-opened",
    title: "the terminal of a tagged login was opened by another",
    level: "high",
    technique: ["T1056.001", "T1021.004"],
    entities: [actor.id, target.id],
    exposes: [target.id],
    about: `${whoOf(actor)} ${target.id}`,
  };
};

/** A tagged tmux or screen holds a terminal that belongs to another login: its client looks on, and types. */
const attaches: Rule = ({ state, event, actor }) => {
  const device = event.file && event.stakeout.access?.how === "held" ? deviceOf(event.file.path) : undefined;
  if (device === undefined || !actor || !isTrusted(actor)) return undefined;
  const guest = onTerminal(state, device, (process) => isStranger(process) && whoOf(process) !== whoOf(actor));
  if (!guest) return undefined;
  return {
    rule: "tagged-multiplexer-attached",
    title: "another login is attached to a tagged tmux or screen",
    level: "high",
    technique: ["T1563.001"],
    entities: [guest.id, actor.id],
    exposes: [actor.id],
    about: `${whoOf(guest)} ${actor.id}`,
  };
};

const RC =
  /^(\/root|\/home\/[^/]+)\/(?:\.(?:bashrc|bash_profile|bash_login|bash_logout|profile|zshrc|zprofile|zshenv|zlogin|kshrc|inputrc|tmux\.conf|screenrc|pam_environment)|\.ssh\/(?:rc|environment)|\.config\/fish\/config\.fish)$/;
const RC_OF_ALL = /^\/etc\/(?:profile|bash\.bashrc|bashrc|environment|ld\.so\.preload|profile\.d\/[^/]+|zsh\/[^/]+|ssh\/sshrc)$/;

export const isShellFile = (path: string): boolean => RC.test(path) || RC_OF_ALL.test(path);

/** A file that the shells of a tagged login read at their start was written by another. */
const writesShellFiles: Rule = ({ state, event, actor }) => {
  const { action } = event.event;
  if ((action !== "file.change" && action !== "file.creation") || !event.file || !isStranger(actor)) return undefined;
  const home = RC.exec(event.file.path)?.[1];
  if (home === undefined && !RC_OF_ALL.test(event.file.path)) return undefined;
  const user = home?.startsWith("/home/") ? home.slice(6) : home === undefined ? undefined : "root";
  const theirs = trustedLogins(state).filter(
    (login) =>
      !login.ours &&
      login.id !== actor.login &&
      (user === undefined || login.user?.name === user || (user === "root" && login.user?.id === "0")),
  );
  if (theirs.length === 0) return undefined;
  return {
    rule: "tagged-shell-files-written",
    title: "a file that the shells of a tagged login read was written by another",
    level: "high",
    technique: ["T1546.004"],
    entities: [actor.id, ...theirs.map(({ id }) => id)],
    exposes: theirs.map(({ id }) => id),
    path: event.file.path,
    about: `${whoOf(actor)} ${event.file.path}`,
  };
};

const INTERPRETER = /^(?:sh|bash|dash|ash|zsh|ksh|perl|python[\d.]*|ruby|node|php[\d.]*|lua[\d.]*|busybox|env|source)$/;

/** What runs in a tagged subtree was written by somebody without a tag. */
const runsDropped: Rule = ({ state, event, actor }) => {
  if (event.event.action !== "process.start" || !actor || !isTrusted(actor)) return undefined;
  const paths = [actor.executable, ...(INTERPRETER.test(programOf(actor)) ? scriptsOf(actor.args, actor.cwd) : [])];
  for (const path of paths) {
    const binary = path === undefined ? undefined : state.binaries.get(path);
    const writer = binary?.writers
      .map((id) => state.processes.get(id))
      .find((process) => isStranger(process) && whoOf(process) !== whoOf(actor));
    if (!binary || !writer) continue;
    return {
      rule: "tagged-runs-dropped-file",
      title: "a tagged login ran a file that another login left",
      level: "high",
      technique: ["T1204.002", "T1574"],
      entities: [writer.id, actor.id],
      exposes: [actor.id],
      path: binary.path,
      about: `${binary.path} ${actor.id}`,
    };
  }
  return undefined;
};

function scriptsOf(args: readonly string[] | undefined, cwd: string | undefined): string[] {
  const script = args?.slice(1, 5).find((argument) => !argument.startsWith("-"));
  if (script === undefined) return [];
  return [script.startsWith("/") ? script : `${cwd ?? ""}/${script.replace(/^(?:\.\/)+/, "")}`];
}

const LOOPBACK = /^127\.|^::1$|^::ffff:127\./;

/** A tagged subtree calls an address that an intruder or suspect came from or called. */
const calls: Rule = (scene) => {
  const { action } = scene.event.event;
  if ((action !== "network.start" && action !== "network.established") || scene.event.network?.direction !== "egress") return undefined;
  return scene.event.destination && callsSuspect(scene, scene.event.destination.ip, (ip) => suspectAt(scene.state, ip));
};

/** The login or process of an intruder or suspect that came from this address or called it; undefined where there is none. */
export function suspectAt(state: State, ip: string): string | undefined {
  const bad = (thing: { standing: string; finding?: string | undefined }) =>
    (thing.standing === "intruder" || thing.standing === "suspect") && thing.finding === undefined;
  let from: string | undefined;
  for (const login of state.logins.values()) {
    if (login.source?.ip !== ip) continue;
    if (isTrusted(login)) return undefined; // behind one address can be both: then it says nothing
    if (bad(login)) from ??= login.id;
  }
  if (from !== undefined) return from;
  for (const connection of state.connections.values())
    if (connection.direction === "egress" && connection.destination.ip === ip && bad(connection)) return connection.process;
  return undefined;
}

/** @param at {@link suspectAt}, or what remembers its answers while one state is looked at */
export function callsSuspect(
  { state, actor }: Pick<Scene, "state" | "actor">,
  ip: string,
  at: (ip: string) => string | undefined,
): Suspicion | undefined {
  if (LOOPBACK.test(ip) || !actor || !isTrusted(actor)) return undefined;
  const why = at(ip);
  if (why === undefined) return undefined;
  return {
    rule: "tagged-calls-suspect-address",
    title: `a tagged login called an address that ${userWords((state.processes.get(why) ?? state.logins.get(why))?.standing ?? "suspect")}`,
    level: "high",
    technique: ["T1071", "T1572"],
    entities: [why, actor.id],
    exposes: [actor.id],
    about: `${ip} ${actor.id}`,
  };
}

export const ABUSE: readonly Rule[] = [entersProcess, readsEnvironment, reachesTerminal, attaches, writesShellFiles, runsDropped, calls];
