import type { StakeoutEvent } from "#model/event";
import type { HostString } from "#model/host-string";
import { binaryFlag } from "./flags.ts";
import { note } from "./folding.ts";
import { letFilesGo } from "./let-go.ts";
import { isHidden, type Judge, type Judgement, judgeOf, setJudgement, vouched } from "./lineage.ts";
import { settle } from "./settle.ts";
import type { BinaryState, ProcessState, State } from "./state.ts";
import type { Millis } from "./time.ts";

/** Processes that are remembered of each kind. */
const KEPT_HANDS = 32;
/** Files without a name whose writer is remembered, should they be run. */
const KEPT_NAMELESS = 256;

function ensure(state: State, path: HostString, at: Millis): BinaryState {
  const known = state.binaries.get(path);
  if (known) return known;
  state.counts.binaries += 1;
  const number = state.counts.binaries;
  const binary: BinaryState = { path, number, writers: [], runners: [], runs: 0, deleted: false, first: at, standing: "unknown" };
  // somebody may have written it who was let go with it
  if (state.counts.let_go > 0) binary.unseenHand = true;
  state.binaries.set(path, binary);
  letFilesGo(state, binary);
  return binary;
}

/**
 * A file is as good as the worst of those who wrote and ran it: it is folded away only when all of them are. Otherwise an intruder
 * could hide a file by having a responder's shell touch it. A tag on its content goes before that, unless it hides what one of theirs had
 * in hand.
 */
export function binaryJudgement(state: State, binary: BinaryState, by: Judge = judgeOf(state)): Judgement {
  let worst: Judgement | undefined;
  // Hands that are not remembered, or not in the picture any more, are not known to be ours.
  let stranger = binary.unseenHand === true || binary.runs > binary.runners.length;
  for (const ids of [binary.writers, binary.runners])
    for (const id of ids) {
      const process = state.processes.get(id);
      const judgement = process && by.known(process);
      if (!judgement) stranger = true;
      else if (!worst || rank(judgement) > rank(worst)) worst = judgement;
    }
  const content = binary.sha256 === undefined ? undefined : contentTag(binary, by);
  if (content && !(isHidden(content.standing) && worst && rank(worst) > 1)) return content;
  return worst && !(stranger && isHidden(worst.standing)) ? worst : { standing: "unknown" };
}
const rank = ({ standing }: Judgement): number => (isHidden(standing) ? 0 : standing === "unknown" ? 1 : standing === "suspect" ? 2 : 3);

/** The newest tag on the file's content alone. */
function contentTag(binary: BinaryState, by: Judge): Judgement | undefined {
  for (const { tag } of by.tagging.rules.ofContent(binary.sha256 ?? "")) {
    const found: Judgement = { standing: tag.verdict, tag: tag.id };
    if (isHidden(tag.verdict) && binary.rewritten) continue;
    if (vouched(found, by, () => binaryFlag(binary))) return found;
  }
  return undefined;
}

export const judgeBinary = (state: State, binary: BinaryState): void => void setJudgement(binary, binaryJudgement(state, binary));

/** What is known of the file changed: those who run it may be judged otherwise now. */
function rejudgeRunners(state: State, binary: BinaryState): void {
  if (binary.runners.length > 0 && state.tags.size > 0) settle(state, binary.runners);
  judgeBinary(state, binary);
}

/** A file appeared or was changed in a watched folder. */
export function fileSeen(state: State, event: StakeoutEvent, at: Millis): void {
  if (!event.file) return;
  state.counts.files += 1;
  const { path } = event.file;
  const nameless = event.stakeout.binary?.nameless;
  if (nameless === "plain" && !state.binaries.has(path)) {
    state.nameless.delete(path);
    state.nameless.set(path, event.process?.entity_id);
    const [oldest] = state.nameless.keys();
    if (state.nameless.size > KEPT_NAMELESS && oldest !== undefined) state.nameless.delete(oldest);
    return;
  }
  const known = state.binaries.has(path);
  const binary = ensure(state, path, at);
  if (nameless !== undefined) neverNamed(binary);
  if (event.event.action === "file.creation") {
    if (!known) delete binary.unseenHand; // it begins here
    const { moved_from: from, moved_in: whole } = event.stakeout.binary ?? {};
    if (whole) binary.unseenHand = true;
    if (from === undefined) delete binary.was;
    else moved(state, binary, from);
    binary.deleted = false;
    delete binary.nameless;
  }
  if (binary.sha256 !== undefined) binary.rewritten = true;
  wroteBinary(state, binary, event.process?.entity_id, event.event.action === "file.creation");
  const random = event.stakeout.binary?.random;
  if (random !== undefined) binary.random = random;
  judgeBinary(state, binary);
}

/** Its content came with it, and so do those who wrote that: whoever only gave it another name vouches for none of it. */
function moved(state: State, binary: BinaryState, from: HostString): void {
  const before = state.binaries.get(from);
  binary.was = from;
  if (!before || before === binary) {
    binary.unseenHand = true; // it was there before we looked
    return;
  }
  before.deleted = true;
  if (before.unseenHand) binary.unseenHand = true;
  for (const writer of before.writers) wroteBinary(state, binary, writer, false);
}

function neverNamed(binary: BinaryState): void {
  binary.nameless = true;
  binary.deleted = true;
  binary.unread ??= binary.sha256 === undefined;
}

function wroteBinary(state: State, binary: BinaryState, writer: string | undefined, created: boolean): void {
  const process = writer === undefined ? undefined : state.processes.get(writer);
  if (writer === undefined || !process) {
    binary.unseenHand = true;
    return;
  }
  if (!binary.writers.includes(writer)) {
    if (binary.writers.length < KEPT_HANDS) {
      binary.writers.push(writer);
      note(process);
    } else binary.unseenHand = true;
  }
  if (binary.writer !== undefined && !created) return;
  binary.writer = writer;
  if (process.login !== undefined) binary.login = process.login;
}

export function fileDeleted(state: State, event: StakeoutEvent): void {
  let binary = event.file ? state.binaries.get(event.file.path) : undefined;
  if (!binary) return;
  binary.deleted = true;
  if (event.stakeout.binary?.moved_away) return;
  // what began before a move runs under the name that it had then
  for (let names = 0; binary?.deleted && names < MOST_NAMES; names++) {
    unlinked(state, binary);
    binary = binary.was === undefined ? undefined : state.binaries.get(binary.was);
  }
}
/** Names that a file had one after the other. */
const MOST_NAMES = 8;

/** It has no name any more while something runs it: what an intruder does, and an upgrade of a package. */
function unlinked(state: State, binary: BinaryState): void {
  if (binary.unlinked || !binary.runners.some((id) => runs(state, id, binary))) return;
  binary.unlinked = true;
  rejudgeRunners(state, binary);
}
function runs(state: State, id: string, { path }: BinaryState): boolean {
  const process = state.processes.get(id);
  return process !== undefined && process.end === undefined && (process.executable === path || process.script === path);
}

export function fileInfo(state: State, event: StakeoutEvent, at: Millis): void {
  if (!event.file) return;
  const binary = ensure(state, event.file.path, at);
  if (event.file.size !== undefined) binary.size = event.file.size;
  if (event.file.mode !== undefined) binary.mode = event.file.mode;
  const { uid, mtime } = event.file as { uid?: unknown; mtime?: unknown }; // any log can be read, forged ones too
  if (typeof uid === "string" && /^\d{1,10}$/.test(uid)) binary.uid = Number(uid);
  const modified = typeof mtime === "string" ? Date.parse(mtime) : Number.NaN;
  if (!Number.isNaN(modified)) binary.modified = modified;
  if (event.file.hash) {
    const { sha256 } = event.file.hash;
    if (binary.sha256 !== undefined && binary.sha256 !== sha256) binary.rewritten = true;
    binary.sha256 = sha256;
    const { hashed } = event.stakeout;
    if (hashed) binary.hashed = hashed;
    else delete binary.hashed;
    if (hashed?.size !== undefined) binary.rewritten = true;
    if (event.stakeout.known) binary.known = event.stakeout.known;
    else delete binary.known;
    delete binary.unread;
  } else if (event.event.outcome === "failure") binary.unread = true;
  const extra = event.stakeout.binary;
  if (extra?.mount) binary.mount = extra.mount;
  if (extra?.elf !== undefined) binary.elf = extra.elf;
  if (extra?.program !== undefined) binary.program = extra.program;
  else if (event.file.hash) delete binary.program;
  if (extra?.random !== undefined) binary.random = extra.random;
  if (extra?.deleted !== undefined) binary.deleted = extra.deleted;
  if (extra?.package) binary.package = extra.package;
  if (extra?.deleted) unlinked(state, binary);
  rejudgeRunners(state, binary);
}

/** A process executed a file outside the packages' folders, or interprets one: `told` is what the event says of both. */
export function ranBinary(state: State, process: ProcessState, told: StakeoutEvent["stakeout"], at: Millis): void {
  const { executable, script } = process;
  if (executable !== undefined) ranFile(state, process, executable, told.binary, at);
  if (script !== undefined && script !== executable) ranFile(state, process, script, { origin: "exec", ...told.script }, at);
}

function ranFile(state: State, process: ProcessState, path: HostString, facts: StakeoutEvent["stakeout"]["binary"], at: Millis): void {
  const known = state.binaries.get(path);
  if (!known && facts?.origin !== "exec") return;
  const binary = known ?? ensure(state, path, at);
  if (!known && state.nameless.has(path)) {
    const writer = state.nameless.get(path);
    state.nameless.delete(path);
    neverNamed(binary);
    delete binary.unread; // it is read where it runs
    wroteBinary(state, binary, writer, true);
  }
  binary.runs += 1;
  if (binary.runners.length < KEPT_HANDS) binary.runners.push(process.id);
  if (process.login !== undefined) binary.login ??= process.login;
  if (facts?.random !== undefined) binary.random = facts.random;
  if (facts?.deleted) {
    binary.deleted = true;
    binary.unlinked = true;
  }
}
