import type { StakeoutEvent } from "#model/event";
import type { FindingState, Found, ResponseState, TagState } from "./decided-state.ts";
import { judgeBinary } from "./files.ts";
import { judgeLogin, plantedBy, rejudge, rootsOf, setJudgement } from "./lineage.ts";
import { follow } from "./settle.ts";
import type { SensorState, State } from "./state.ts";
import type { Millis } from "./time.ts";
import { parseTime } from "./time.ts";

/** Processes and all below them, their connections, logins and files anew: a judgement holds for the past as for what comes. */
export function spread(state: State, roots: Iterable<string>): void {
  state.judged += 1;
  const touched = rejudge(state, roots);
  // who was found to have done something may be judged otherwise now, and what he did with him
  for (const [id, finding] of [...state.exposed])
    if (touched.has(state.findings.get(finding)?.entities[0] ?? "")) for (const one of rejudge(state, [id])) touched.set(...one);
  follow(state, touched);
  const changed = new Set<string>();
  for (const login of state.logins.values()) if (setJudgement(login, judgeLogin(state, login))) changed.add(login.id);
  if (changed.size > 0) follow(state, rejudge(state, plantedBy(state, changed)));
  for (const binary of state.binaries.values()) judgeBinary(state, binary);
  state.structure += 1;
}

export function tagApplied(state: State, event: StakeoutEvent, at: Millis): void {
  const given = event.stakeout.tag;
  if (!given) return;
  const tag: TagState = { ...given, analyst: event.stakeout.analyst ?? "unknown", applied: at, sequence: event.event.sequence };
  state.tags.delete(tag.id); // made again, it is the newest
  state.tags.set(tag.id, tag);
  spread(state, rootsOf(state, tag));
}

export function tagRemoved(state: State, event: StakeoutEvent, at: Millis): void {
  const tag = event.stakeout.tag ? state.tags.get(event.stakeout.tag.id) : undefined;
  if (!tag || tag.removed !== undefined) return;
  tag.removed = at;
  spread(state, rootsOf(state, tag));
}

/** Commands whose output is kept in the picture, the latest; the log has them all. */
export const KEPT_COMMANDS = 30;

export function commanded(state: State, event: StakeoutEvent, at: Millis): void {
  const given = event.stakeout.command;
  if (!given) return;
  const known = state.commands.get(given.id);
  const over = event.event.action === "command.end";
  const analyst = event.stakeout.analyst ?? known?.analyst ?? "unknown";
  state.commands.set(given.id, { ...known, ...given, analyst, start: known?.start ?? at, ...(over ? { end: at } : {}) });
  if (state.commands.size > KEPT_COMMANDS) state.commands.delete(state.commands.keys().next().value ?? "");
}

export function responded(state: State, event: StakeoutEvent, at: Millis): void {
  const given = event.stakeout.response;
  if (!given) return;
  const phase = event.event.action.slice("response.".length) as ResponseState["phase"];
  const known = state.responses.get(given.id);
  const analyst = event.stakeout.analyst ?? known?.analyst ?? "unknown";
  const { confirmation } = event.stakeout;
  state.responses.set(given.id, {
    ...known,
    ...given,
    analyst,
    at,
    // Half of a confirmation changes nothing yet.
    phase: phase === "confirmed" && confirmation && confirmation.given < confirmation.needed && !confirmation.override ? "proposed" : phase,
    ...(phase === "confirmed" ? { confirmedBy: [...((confirmation?.given ?? 1) > 1 ? (known?.confirmedBy ?? []) : []), analyst] } : {}),
    ...(confirmation?.override ? { alone: true } : {}),
  });
  proceed(state, given.id, at);
  if (phase !== "succeeded") return;
  const undone = given.undoes === undefined ? undefined : state.responses.get(given.undoes);
  if (undone) undone.undone = given.id;
  // one that was made anew for a host that changed is the same isolation
  if (given.kind === "isolate" && state.isolated?.response === given.id) return;
  if (given.kind === "isolate") state.isolated = { response: given.id, since: at, ...(given.verified ? { verified: given.verified } : {}) };
  if (given.kind === "release") delete state.isolated;
}

/**
 * An isolation is under way from its last confirmation to its outcome: the cut is made before it is proven. One that failed after rules may
 * have been set stays so until the host was looked at.
 */
function proceed(state: State, id: string, at: Millis): void {
  const { kind, phase, steps = [] } = state.responses.get(id) ?? {};
  if (kind !== "isolate" && kind !== "release") return;
  if (phase === "confirmed") state.underway = { response: id, kind, since: at };
  else if (state.underway?.response === id) {
    const step = (name: string) => steps.find((one) => one.name === name)?.ok;
    const maySet = phase === "failed" && kind === "isolate" && step("armed") === true && step("cut") !== false;
    if (maySet) state.underway = { ...state.underway, failed: true };
    else delete state.underway;
  }
}

/** Rule of the finding that a host is not isolated, but has an isolation on its disk and would be at its next boot. */
export const ON_DISK = "isolation-on-disk";

/** Such a finding that no release has settled since. */
export function onDisk({ findings, responses, isolated }: State): FindingState | undefined {
  if (isolated) return undefined;
  const found = [...findings.values()].findLast(({ rule }) => rule === ON_DISK);
  const settled = [...responses.values()].some(
    ({ kind, phase, at }) => kind === "release" && phase === "succeeded" && at >= (found?.at ?? 0),
  );
  return settled ? undefined : found;
}

/** What the tables of an isolation say of themselves. */
function foundBy({ stakeout }: StakeoutEvent): Found {
  const told = stakeout["isolated_by"];
  const since = typeof told === "object" && told !== null && "since" in told ? told.since : undefined;
  const planned = typeof since === "string" ? parseTime(since) : Number.NaN;
  return Number.isNaN(planned) ? {} : { planned };
}

/** The host was isolated by another console, or before this session began: its own tables say so, and by whom. */
export function foundIsolated(state: State, event: StakeoutEvent, at: Millis): void {
  const given = event.stakeout.response;
  if (!given) return;
  delete state.underway;
  if (given.kind === "release") {
    if (state.isolated?.response === given.id) delete state.isolated;
    return;
  }
  // older sessions wrote its plan's time as that of the event; it was found no earlier than all that stands before
  const since = Math.max(at, state.now);
  const found = foundBy(event);
  state.responses.set(given.id, { ...given, analyst: event.stakeout.analyst ?? "unknown", phase: "succeeded", at: since, found });
  state.isolated = { response: given.id, since };
}

const STATUS: Record<string, SensorState["status"]> = {
  "sensor.start": "running",
  "sensor.recovered": "running",
  "sensor.degraded": "degraded",
  "sensor.lost": "lost",
  "sensor.tampered": "tampered",
  "sensor.stop": "stopped",
};

/** What the watch over an isolation says of it. It is no sensor of what happens on the host, so it does not stand among those. */
function watched({ isolated }: State, { event, stakeout: { isolation } }: StakeoutEvent, at: Millis): void {
  if (!isolated) return;
  const { watch } = isolated;
  if (event.action === "sensor.lost" || event.action === "sensor.stop") {
    if (watch) isolated.watch = { ...watch, status: "lost" };
    else isolated.watch = { report: { holds: false, guard: "down", put_back: 0 }, at, status: "lost" };
    return;
  }
  if (!isolation) return;
  const verified = isolation.verified === undefined ? watch?.verified : parseTime(isolation.verified);
  isolated.watch = { report: isolation, at, status: "running", ...(verified === undefined || Number.isNaN(verified) ? {} : { verified }) };
}

export function sensed(state: State, event: StakeoutEvent, at: Millis): void {
  const { sensor, tier, report } = event.stakeout;
  if (sensor === "isolation") return watched(state, event, at);
  const known = state.sensors.get(sensor);
  // a report says what is known of a sensor, and nothing of how it fares
  const status = STATUS[event.event.action] ?? known?.status ?? "running";
  if (event.event.action === "sensor.clock") state.now = at; // set back, it must not stand still until the old time comes again
  state.sensors.set(sensor, {
    id: sensor,
    tier,
    status,
    since: known?.status === status ? known.since : at,
    ...(known?.seen === undefined ? {} : { seen: known.seen }),
    report: { ...known?.report, ...report },
  });
}
