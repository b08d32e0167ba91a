import type { ResponseState } from "#state/decided-state";
import { type BinaryState, type LoginState, type ProcessState, RANDOM_LOOKING, type State } from "#state/state";
import type { Cast } from "./cast.ts";
import type { Clock } from "./clock.ts";
import type { Collected, Peer } from "./collect.ts";
import { plannedWords } from "./decisions.ts";
import { code, prose } from "./escape.ts";
import { filesOf } from "./files.ts";
import { commandLine, entryWords, jobWords, loginName, onWords } from "./names.ts";
import { peersOf, programsOf } from "./network.ts";
import { address, whereabouts } from "./places.ts";
import { secretsIn } from "./secrets.ts";
import { capital, count, duration, list } from "./words.ts";

const MOST = 6;

/** What happened, in plain words: only what the log says, and where it says nothing, that. */
export function summarySection(state: State, cast: Cast, collected: Collected, clock: Clock): string[] {
  const theirs = [...state.processes.values()].filter(({ id }) => ["theirs", "stray"].includes(cast.side(id)));
  const { programs, others } = filesOf(state, cast);
  const brought = [...programs, ...others].filter(cast.wrote);
  return [
    ...paragraph("Who got in", whoGotIn(state, cast, clock)),
    ...paragraph("What they ran", whatTheyRan(state, cast, theirs)),
    ...paragraph("What they left behind", leftBehind(state, cast, brought, collected, clock)),
    ...paragraph("What called out", calledOut(peersOf(collected).theirs, clock)),
    ...paragraph("What was done about it", whatWasDone(state, collected, clock)),
    ...paragraph("What is still open", stillOpen(state, cast, theirs, brought, collected, clock)),
    ...paragraph("How much was seen", howMuch(state, clock)),
  ];
}

const paragraph = (title: string, sentences: readonly string[]): string[] => [`**${title}.** ${sentences.join(" ")}`, ""];

function whoGotIn(state: State, cast: Cast, clock: Clock): string[] {
  const sentences: string[] = [];
  const stay = (login: LoginState) => {
    const began = state.processes.get(login.id)?.baseline
      ? `there already when the recording began (since ${clock(login.start)})`
      : `from ${clock(login.start)}`;
    return `${loginName(login, true)}, ${began}${login.end === undefined ? ", still there when it ended" : `, until ${clock(login.end)}`}`;
  };
  for (const login of cast.accused.slice(0, MOST)) {
    const tag = login.tag === undefined ? undefined : state.tags.get(login.tag);
    sentences.push(`${capital(stay(login))}: tagged ${login.standing}${tag ? ` by ${prose(tag.analyst)} (${prose(tag.reason)})` : ""}.`);
  }
  if (cast.accused.length > MOST)
    sentences.push(`${count(cast.accused.length - MOST, "further login was", "further logins were")} tagged intruder or suspect.`);
  if (cast.accused.length === 0) sentences.push("No login was tagged as the intruder's.");
  if (cast.unvouched.length)
    sentences.push(
      `Nobody vouched for ${count(cast.unvouched.length, "further login")}, which does not make ${cast.unvouched.length === 1 ? "it" : "them"} the intruder's: ${list(cast.unvouched.map(stay), MOST)}.`,
    );
  if (cast.vouched.length)
    sentences.push(
      `${capital(count(cast.vouched.length, "login was", "logins were"))} tagged as known: ${list([...new Set(cast.vouched.map((login) => loginName(login)))], MOST)}.`,
    );
  if (cast.unvouched.length) sentences.push("In what follows 'they' are all who are not tagged as known.");
  return sentences;
}

function whatTheyRan(state: State, cast: Cast, theirs: readonly ProcessState[]): string[] {
  const ran = theirs
    .filter((process) => process.args !== undefined || process.unseen !== undefined)
    .filter(({ id }) => !state.logins.has(id));
  if (ran.length === 0) return ["No program of theirs was seen to run."];
  const names = new Map<string, number>();
  for (const process of ran.toSorted((a, b) => a.start - b.start)) {
    const name = (process.executable ?? process.name ?? "").split("/").at(-1) || "?";
    names.set(name, (names.get(name) ?? 0) + 1);
  }
  const sentences = [
    `${capital(count(ran.length, "program was", "programs were"))} seen to run: ${list(
      [...names].map(([name, times]) => `${code(name, 40)}${times > 1 ? ` ${times} times` : ""}`),
      14,
    )}.`,
  ];
  const secrets = [...new Set(ran.flatMap((process) => secretsIn(process.args ?? [])))];
  if (secrets.length)
    sentences.push(
      `Their commands name files with secrets: ${list(
        secrets.map((path) => code(path, 80)),
        8,
      )}. Passwords and keys in them should be taken as known to the intruder.`,
    );
  const raced = ran.filter(({ args }) => args === undefined).length;
  if (raced) sentences.push(`Of ${raced} of them the arguments were not seen: they can have touched more than is named here.`);
  const again = cast.strayRoots.filter(({ login }) => login === undefined);
  if (again.length)
    sentences.push(
      `${list(again.slice(0, MOST).map((process) => `${code(process.executable ?? "?", 80)} (pid ${process.pid})`))} ran under no login${origin(state, again)}: something else on the host started ${again.length === 1 ? "it" : "them"}.`,
    );
  return sentences;
}

/** ", below cron": the service that something without a login came from. */
function origin(state: State, processes: readonly ProcessState[]): string {
  const above = new Set<string>();
  for (const process of processes) {
    const chain: string[] = [];
    for (let at = process.parent; at !== undefined && chain.length < 64; ) {
      const parent = state.processes.get(at);
      if (!parent) break;
      chain.push(parent.name ?? "");
      at = parent.parent;
    }
    const service = chain.find((name) => /^(?:cron|crond|atd|anacron|systemd)$/i.test(name));
    if (service) above.add(code(service, 40));
    const entry = entryWords(state, process.id);
    if (entry !== undefined) above.add(entry);
  }
  return above.size ? `, below ${list([...above])}` : "";
}

function leftBehind(state: State, cast: Cast, brought: readonly BinaryState[], collected: Collected, clock: Clock): string[] {
  if (brought.length === 0) return ["No file that they wrote was seen."];
  const one = (binary: BinaryState) => {
    const what =
      binary.runs > 0 || binary.elf
        ? "a program"
        : startsByItself(binary.path)
          ? "a file from which the host starts programs by itself"
          : "a file";
    const notes = [
      (binary.random ?? 0) >= RANDOM_LOOKING ? "its name looks random" : "",
      binary.runs > 0 ? `run ${binary.runs === 1 ? "once" : `${binary.runs} times`}` : "",
      binary.nameless ? "it never had a name" : "",
      binary.deleted && !binary.nameless
        ? `deleted${collected.files.get(binary.path)?.deleted ? ` ${clock(collected.files.get(binary.path)?.deleted?.at ?? 0)}` : ""}${isAlive(state, cast, binary) ? " while it ran on" : ""}`
        : "",
    ].filter((note) => note !== "");
    return `${code(binary.path, 100)}, ${what}${notes.length ? ` (${notes.join(", ")})` : ""}`;
  };
  return [`${capital(count(brought.length, "file"))}: ${list(brought.map(one), MOST)}. Hashes are below.`];
}

const isAlive = (state: State, cast: Cast, { path }: BinaryState): boolean =>
  [...state.processes.values()].some(({ id, executable, end }) => executable === path && end === undefined && cast.side(id) !== "hidden");

/** Folders and files whose content the host runs or trusts by itself (ATT&CK T1053, T1543, T1546, T1098.004). */
const startsByItself = (path: string): boolean =>
  /^\/etc\/(?:cron|systemd\/|init\.d\/|rc\.local|profile|ld\.so\.preload|udev\/|update-motd\.d\/)|^\/var\/spool\/cron|\/\.ssh\/(?:authorized_keys|rc)|\/\.(?:bashrc|profile|bash_profile|bash_login|zshrc)$|\/\.config\/(?:systemd|autostart)\//.test(
    path,
  );

function calledOut(peers: readonly Peer[], clock: Clock): string[] {
  if (peers.length === 0) return ["No call by a process of theirs was seen."];
  const sentences = peers.slice(0, MOST).map((peer) => {
    const found = peer.found ? `${count(peer.found, "connection")} open at the start, ` : "";
    const through =
      peer.lastThrough === undefined ? "none got through" : `${peer.through} got through, the last one ${clock(peer.lastThrough)}`;
    return `${address(peer.far)} (${whereabouts(peer.far)}): ${found}${count(peer.attempts, "attempt")} from ${clock(peer.first)} to ${clock(peer.last)}, ${through}; by ${programsOf(peer)}.`;
  });
  if (peers.length > MOST) sentences.push(`${count(peers.length - MOST, "further far end")} in the table below.`);
  return sentences;
}

function whatWasDone(state: State, collected: Collected, clock: Clock): string[] {
  const sentences: string[] = [];
  const plans = [...state.responses.values()].filter(({ replaced_by: later }) => !state.responses.has(later ?? ""));
  const phasesOf = ({ id }: ResponseState) => collected.responses.get(id);
  const ended = (response: ResponseState) => phasesOf(response)?.succeeded ?? phasesOf(response)?.failed;
  const when = (response: ResponseState) => (ended(response) ?? phasesOf(response)?.proposed ?? response).at;
  for (const response of plans.slice(-20).toSorted((a, b) => when(a) - when(b))) {
    const end = ended(response);
    const kind = prose(response.kind);
    const on = onWords(response);
    if (response.id === "found")
      sentences.push(
        `The host was found isolated at ${clock(response.at)}, by ${prose(response.analyst)}${plannedWords(response)} as the host says; since when is not known.`,
      );
    else if (response.phase === "failed")
      sentences.push(
        `${prose(response.analyst)} tried to ${kind}${on} at ${clock(response.at)}, and it failed: ${prose(response.error ?? "no reason was given")}.`,
      );
    else if (response.phase === "succeeded" && end) {
      const { access, cut } = response.verified ?? {};
      const proof =
        response.kind === "isolate"
          ? access && cut
            ? "; it was proven that the cut holds and that our way in works"
            : `; NOT PROVEN: ${[...(cut ? [] : ["that the cut holds"]), ...(access ? [] : ["that our way in works"])].join(" and ")}`
          : response.target === undefined
            ? ""
            : `: ${prose(response.target)}${response.undone === undefined ? "" : ", taken back since"}`;
      const by = response.confirmedBy?.length ? response.confirmedBy : [end.analyst];
      sentences.push(`${list(by.map((name) => prose(name)))} ${done(response.kind)} at ${clock(end.at)}${proof}.`);
    } else {
      const planned = collected.responses.get(response.id)?.proposed;
      sentences.push(
        `${prose(planned?.analyst ?? response.analyst)} planned to ${kind}${on} at ${clock(planned?.at ?? response.at)}, and it was not carried out.`,
      );
    }
  }
  const cut = [...collected.peers.values()].reduce(
    (sum, { whileIsolated: { attempts, through } }) => ({ attempts: sum.attempts + attempts, through: sum.through + through }),
    { attempts: 0, through: 0 },
  );
  const passed = [...collected.peers.values()]
    .filter(({ whileIsolated: { through } }) => through > 0)
    .map((peer) => `${address(peer.far)} by ${programsOf(peer)}`);
  const first = collected.isolations[0];
  if (first) {
    const held =
      first.to === undefined ? `from ${clock(first.from)} on` : `for ${first.found ? "at least " : ""}${duration(first.to - first.from)}`;
    sentences.push(
      `While the host was cut off (${collected.isolations.length === 1 ? held : `${collected.isolations.length} times`}) ${count(cut.attempts, "call out was", "calls out were")} tried and ${cut.through === 0 ? "none" : cut.through} got through${cut.through === 0 ? "" : `, to ${list(passed, MOST)}`}.`,
    );
  }
  return sentences.length ? sentences : ["Nothing was changed on the host with Stakeout."];
}

const done = (kind: string): string =>
  kind === "isolate"
    ? "cut the host off from all but the analysts"
    : kind === "release"
      ? "released the host again"
      : kind === "rehearse"
        ? "rehearsed the cut (its rules counted for some seconds and stopped nothing)"
        : `carried out ${prose(kind)}`;

/** What a customer has to deal with next: what was there at the end of the recording. */
function stillOpen(
  state: State,
  cast: Cast,
  theirs: readonly ProcessState[],
  brought: readonly BinaryState[],
  collected: Collected,
  clock: Clock,
): string[] {
  const sentences = [
    state.underway
      ? `When the recording ended, to ${state.underway.kind} the host was under way, and not proven: whether it was isolated is not known.`
      : `When the recording ended, the host was ${state.isolated ? "" : "not "}isolated.`,
  ];
  const released = collected.isolations.at(-1)?.to;
  const since = peersOf(collected).theirs.filter(({ lastThrough }) => released !== undefined && (lastThrough ?? 0) > released);
  if (since.length)
    sentences.push(
      `Since it was released, calls of theirs got through again: ${list(
        since.map(({ far, lastThrough }) => `${address(far)} at ${clock(lastThrough ?? 0)}`),
        MOST,
      )}.`,
    );
  const logins = [...cast.accused, ...cast.unvouched].filter(({ end }) => end === undefined);
  if (logins.length)
    sentences.push(
      `Still logged in: ${list(
        logins.map((login) => loginName(login)),
        MOST,
      )}.`,
    );
  const alive = theirs.filter(({ end, id }) => end === undefined && !state.logins.has(id));
  if (alive.length)
    sentences.push(
      `Still running: ${list(
        alive.map((process) => `${code(commandLine(process) ?? "name not seen", 80)} (pid ${process.pid})`),
        MOST,
      )}.`,
    );
  const theirLogins = new Set([...cast.accused, ...cast.unvouched].map(({ id }) => id));
  const jobs = [...state.origins.values()].flatMap(({ id, entry, login, runs }) => {
    const stands = state.setUp.get(id);
    return entry && stands && stands.status !== "gone" && theirLogins.has(login ?? "") ? [{ entry, runs }] : [];
  });
  if (jobs.length)
    sentences.push(
      `Still in place, so that what is ended comes back: ${list(
        jobs.map(({ entry, runs }) => `${jobWords(state, entry)}, which began ${runs === 1 ? "once" : `${runs} times`}`),
        MOST,
      )}.`,
    );
  const files = brought.filter(({ deleted }) => !deleted);
  if (files.length)
    sentences.push(
      `Not seen to be deleted: ${list(
        files.map(({ path }) => code(path, 100)),
        MOST,
      )}.`,
    );
  if (alive.length === 0 && files.length === 0 && logins.length === 0)
    sentences.push("Nothing of theirs was seen to remain; what could not be seen is said below.");
  return sentences;
}

function howMuch(state: State, clock: Clock): string[] {
  const sensors = [...state.sensors.values()];
  if (sensors.length === 0) return ["Nothing: no sensor ran."];
  const sentences = sensors.map(({ tier, report: { lost, raced } }) => {
    const losses =
      lost === undefined
        ? "how many events the kernel dropped was not counted"
        : lost > 0
          ? `the kernel dropped ${count(lost, "event")}`
          : "the kernel dropped no event";
    const args = raced
      ? `; the arguments of ${count(raced, "program")} in all, of responders and services too, were gone before they could be read, or were too many to be read`
      : "";
    return `By ${prose(tier)} from ${clock(state.started)} on: ${losses}${args}.`;
  });
  const trouble = sensors.filter(({ status }) => status === "lost" || status === "degraded" || status === "tampered");
  for (const { status, since } of trouble) sentences.push(`The sensor was ${status} at ${clock(since)}.`);
  return [...sentences, "What happened before, and what these sensors cannot see, is not in this report: see 'What could not be seen'."];
}
