import type { RecordedCommand, StakeoutEvent } from "#model/event";
import type { ResponseState } from "#state/decided-state";
import type { State } from "#state/state";
import { outcomeOf, stepWords } from "#state/words";
import { clockOf, fullTime } from "./clock.ts";
import { code, prose, script, table } from "./escape.ts";
import { capital, count, duration, list } from "./words.ts";

/** Lines that a ticket holds of one kind: a forged log can name as many as it likes. */
const MOST = 500;

/** What of the events a ticket needs and the state does not keep. */
interface Gathered {
  /** What the sensors set up, by tier, with the time of each beginning. */
  watched: { at: number; tier: string }[];
  /** The isolation was made anew, or put back: when, and why. */
  followed: { at: number; of: string; what: string }[];
  begun: Map<string, number>;
  /** What analysts ran on the host by typing it, by its id. */
  commands: Map<string, RecordedCommand & { at: number; analyst: string; over: boolean }>;
  logins: number;
  ended: boolean;
}

const SET_UP: Record<string, string> = {
  "tracefs+bpf": "trace instances named stakeout.* in tracefs, a BPF program and two maps",
  "tracefs+kprobe": "trace instances and probes named stakeout_* in tracefs",
  "tracefs+eprobe": "trace instances and event probes named stakeout_* in tracefs",
  audit:
    "the kernel's auditing (switched on where it was off), two rules on execve and execveat with a key stakeout.*, and trace instances named stakeout.*; their records may stand in the host's own logs",
  "tracefs+proc": "trace instances named stakeout.* in tracefs",
  "tracefs+shell": "a trace instance named stakeout.* in tracefs",
  cn_proc: "one netlink socket",
  poll: "nothing but a perl process that reads /proc, or some shells where there is no perl",
};

/**
 * The change ticket of a session, as Markdown for the customer: every change that was made on the host, by whom and when, exactly what ran,
 * what came of it, how it is taken back and whether it was. Reads `events` once; `state` is the reduce of all of them.
 */
export async function changesOf(state: State, events: AsyncIterable<StakeoutEvent>, host: string): Promise<string> {
  const gathered = await gather(events);
  const clock = clockOf(state.started, state.now);
  const when = (one: ResponseState) => gathered.begun.get(one.id) ?? one.at;
  const made = [...state.responses.values()]
    .filter((one) => ran(one))
    .toSorted((a, b) => when(a) - when(b))
    .slice(0, MOST);
  const modules = [...new Set([...state.responses.values()].flatMap(({ modules_loaded: loaded }) => loaded ?? []))];
  const { card } = state;
  const lines = [
    `# Changes made on ${prose(state.host.name === host ? host : `${state.host.name} (${host})`)}`,
    "",
    `- Host: ${code(state.host.name)}, machine id ${code(state.host.id)}`,
    `- Session: ${code(state.session)}, ${fullTime(state.started)} to ${fullTime(state.now)}${gathered.ended ? "" : ", not ended"}`,
    ...(card?.ticket ? [`- Ticket: ${prose(card.ticket)}`] : []),
    ...(card?.authorised_by ? [`- Authorised by: ${prose(card.authorised_by)}`] : []),
    `- Times are the host's, in UTC. Everything below stands in the session's log, which is chained by its hashes.`,
    "",
    "## By decision",
    "",
    ...(made.length === 0 ? ["Nothing was changed by decision of an analyst.", ""] : []),
    ...made.flatMap((one) => [...ticket(state, one, gathered, clock), ""]),
    ...byCommand(gathered, clock),
    "## By looking",
    "",
    "- Our logins leave what every login leaves: lines in wtmp, lastlog and the journal.",
    ...gathered.watched
      .slice(0, MOST)
      .map(
        ({ at, tier }) =>
          `- ${clock(at)}: watching by ${prose(tier)} set up ${SET_UP[tier] ?? "what it needs"}; in memory, gone when the session ends.`,
      ),
    ...(modules.length > 0
      ? [
          `- Reading the rules made the kernel load ${list(
            modules.map((name) => code(name)),
            40,
          )}: kernel modules stay loaded until a reboot.`,
        ]
      : ["- No kernel module was seen to be loaded by us."]),
    `- ${written(
      made.some(({ keeps }) => keeps === "boot"),
      gathered.commands.size > 0,
    )}`,
    "",
    "## What is still changed",
    "",
    ...still(state, modules, gathered.commands.size),
  ];
  return `${lines.join("\n").trimEnd()}\n`;
}

/** Commands that analysts typed: nothing but their text and their end is known, and any of them could have changed anything. */
function byCommand({ commands }: Gathered, clock: (at: number) => string): string[] {
  if (commands.size === 0) return [];
  const rows = [...commands.values()].map((one) => [
    clock(one.at),
    prose(one.analyst),
    code(one.line, 2000),
    one.over ? prose(outcomeOf(one)) : "its end was not recorded",
  ]);
  return [
    "## By commands of analysts",
    "",
    `${capital(count(commands.size, "command was", "commands were"))} typed by analysts and run on the host as the console ran. What a command changed, it alone knows: read each.`,
    "",
    ...table(["When", "By", "Command", "How it ended"], rows),
    "",
    ...(commands.size === MOST ? ["Later ones are in the log.", ""] : []),
  ];
}

/** What we wrote to the host's disk, as far as it is ours to say. */
function written(boot: boolean, commands: boolean): string {
  const what = boot ? "Nothing but what stands under the isolation above was written" : "Nothing was written";
  return `${what} to the host's disk by ${commands ? "Stakeout itself; what the commands above wrote is not known." : "us."}`;
}

async function gather(events: AsyncIterable<StakeoutEvent>): Promise<Gathered> {
  const gathered: Gathered = { watched: [], followed: [], begun: new Map(), commands: new Map(), logins: 0, ended: false };
  let back = 0;
  let of = "";
  for await (const { "@timestamp": time, event, stakeout } of events) {
    const at = Date.parse(time);
    const { sensor, tier, response, isolation, command } = stakeout;
    if (command) keepCommand(gathered, command, event.action === "command.end", at, stakeout.analyst);
    if (event.action === "session.end") gathered.ended = true;
    if (event.action === "response.confirmed" && response && gathered.begun.size < MOST) gathered.begun.set(response.id, at);
    if (
      sensor === "collector" &&
      (event.action === "sensor.start" || event.action === "sensor.recovered") &&
      gathered.watched.length < MOST
    )
      if (gathered.watched.at(-1)?.tier !== tier) gathered.watched.push({ at, tier });
    if (event.action === "response.succeeded" && response?.kind === "isolate" && response.id !== of) {
      of = response.id;
      back = 0;
    }
    if (gathered.followed.length >= MOST) continue;
    if (sensor === "isolation" && event.action === "response.succeeded")
      gathered.followed.push({ at, of, what: `made anew for the host as it is: ${event.reason ?? "it has changed"}` });
    if (isolation && isolation.put_back > back) {
      gathered.followed.push({
        at,
        of,
        what: `${count(isolation.put_back - back, "time")} put back after somebody had changed or removed it`,
      });
      back = isolation.put_back;
    }
  }
  return gathered;
}

function keepCommand({ commands }: Gathered, command: RecordedCommand, over: boolean, at: number, analyst = "unknown"): void {
  const known = commands.get(command.id);
  if (known || commands.size < MOST) commands.set(command.id, { at, analyst, ...known, ...command, over });
}

/** Something of it ran on the host: it was confirmed, and neither dropped nor refused before. */
const ran = ({ phase, kind, steps = [], id }: ResponseState) =>
  id !== "found" && (phase === "succeeded" || phase === "confirmed" || kind === "rehearse" || (phase === "failed" && steps.length > 0));

/** An isolation does not say what ends it: the first release after it that succeeded did. */
function releaseOf({ responses }: State, one: ResponseState, when: (one: ResponseState) => number): ResponseState | undefined {
  if (one.kind !== "isolate" || one.phase !== "succeeded") return undefined;
  return [...responses.values()].find((other) => other.kind === "release" && other.phase === "succeeded" && when(other) >= when(one));
}

function ticket(state: State, one: ResponseState, { begun, followed }: Gathered, clock: (at: number) => string): string[] {
  const when = (other: ResponseState) => begun.get(other.id) ?? other.at;
  const what = one.target === undefined ? "" : `: ${code(one.target, 120)}`;
  const by = one.confirmedBy?.length ? one.confirmedBy : [one.analyst];
  const undone = one.undone === undefined ? releaseOf(state, one, when) : state.responses.get(one.undone);
  const lines = [
    `### ${clock(when(one))} ${capital(prose(one.kind))}${what}`,
    "",
    `- by ${list(by.map((name) => prose(name)))}${one.outside_scope ? `, outside of what was authorised: ${prose(one.outside_scope.reason, 600)}` : ""}`,
    `- result: ${one.phase === "succeeded" ? "done" : one.phase === "failed" ? `FAILED (${prose(one.error ?? "no reason")})` : "its end was not recorded"}, ${clock(one.at)}`,
    ...(one.method === undefined ? [] : [`- method: ${code(one.method)}`]),
    ...(one.keeps === "reverts" ? ["- the host takes it back by itself when it has not heard from the console for 60 s"] : []),
    ...diskLines(one),
    ...(undone ? [`- taken back ${clock(undone.at)} by ${prose(undone.analyst)}`] : []),
    ...(one.compared
      ? [
          `- held against how it was ${prose(one.compared.against)}: the same are ${list(one.compared.same.map((name) => prose(name))) || "none"}; ${one.compared.differs.length === 0 ? "nothing differs" : `**different**: ${list(one.compared.differs.map((name) => prose(name)))}`}`,
        ]
      : []),
    ...(one.steps ?? []).slice(0, 40).map(({ name, ok, milliseconds, said }) => {
      const took = Number.isFinite(milliseconds) ? ` (${duration(milliseconds)})` : "";
      return `- ${ok ? "done" : "**FAILED**"}: ${prose(stepWords(name))}${took}${said ? `; ${prose(said)}` : ""}`;
    }),
    ...followed.filter(({ of }) => of === one.id).map(({ at, what: how }) => `- ${clock(at)}: ${prose(how)}`),
  ];
  if (one.undo !== undefined && !undone) lines.push("", "How it is taken back by hand:", "", ...script(one.undo));
  if (one.plan !== undefined) lines.push("", `Exactly this ran (sha256 ${code(one.plan_sha256 ?? "?")}):`, "", ...script(one.plan));
  return lines;
}

/** What of an isolation, or of its release, is about the host's disk. */
function diskLines({ kind, keeps, on_disk: files = [], phase }: ResponseState): string[] {
  if (kind !== "isolate" || keeps !== "boot") return [];
  if (files.length === 0)
    return phase === "succeeded" ? ["- written to the host's disk: **FAILED**, what was begun of it was taken away (steps below)"] : [];
  return [
    `- written to the host's disk, and enabled with systemd, so that it is isolated after a reboot too: ${list(
      files.map((path) => code(path)),
      10,
    )}; their text is in the script below`,
    "- a release removes these files; by hand: the lines with systemctl and rm below",
  ];
}

/** Of what stands: a release that succeeded after it has taken the files away. */
function filesLeft({ responses, isolated }: State): string[] {
  const all = [...responses.values()];
  const released = all.findLast(({ kind, phase }) => kind === "release" && phase === "succeeded")?.at ?? 0;
  return all
    .filter(({ id, kind, at }) => kind === "isolate" && (id === isolated?.response || at > released))
    .flatMap(({ on_disk: files }) => files ?? [])
    .slice(0, 20);
}

function still(state: State, modules: readonly string[], commands: number): string[] {
  const standing = [...state.responses.values()].filter(
    ({ kind, phase, undone }) => (kind === "block" || kind === "suspend") && phase === "succeeded" && undone === undefined,
  );
  const lines = [
    ...(state.isolated ? ["- The host is isolated."] : []),
    ...filesLeft(state).map((path) => `- ${code(path)} on the host's disk: it is isolated again after a reboot.`),
    ...standing.map(({ kind, target, id }) => `- ${capital(kind)} ${code(target ?? "?", 120)} (${prose(id)})`),
    ...(modules.length > 0 ? ["- Kernel modules that were loaded (above)."] : []),
    ...(commands > 0
      ? ["- Whatever the commands of analysts (above) have changed: this session does not know what, or whether anything."]
      : []),
  ];
  return lines.length > 0 ? lines : ["Nothing that this session knows of."];
}
