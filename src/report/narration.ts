import type { Finding, Process, StakeoutEvent } from "#model/event";
import { visiblePath } from "#model/host-string";
import type { Confirmation } from "#model/response";
import { cardSentence } from "#model/start-card";
import { criteriaOf } from "#state/criteria";
import { isHidden } from "#state/lineage";
import { RANDOM_LOOKING, type State } from "#state/state";
import type { Millis } from "#state/time";
import { criteriaWords, RESPONSE_DONE } from "#state/words";
import type { Cast, Side } from "./cast.ts";
import { code, prose } from "./escape.ts";
import { commandLine, loginName, onWords, STANDINGS } from "./names.ts";
import { address, reach, whereabouts } from "./places.ts";
import { Timeline } from "./timeline.ts";
import { thing } from "./trust.ts";
import { capital, count, duration } from "./words.ts";

const SAYS: Partial<Record<StakeoutEvent["event"]["action"], string>> = {
  "sensor.degraded": "The sensor sees less",
  "sensor.recovered": "The sensor sees as before",
  "sensor.lost": "The sensor was lost: from here on nothing is seen",
  "sensor.tampered": "Somebody tampered with the sensor",
  "sensor.stop": "The sensor was stopped",
  "session.gap": "Nothing was recorded for a while",
  "session.resume": "The recording goes on",
  "finding.create": "A rule found something",
  "finding.dismiss": "A finding was dismissed",
  "finding.restore": "A finding was brought back",
  "evidence.collect": "Evidence was collected",
};

const confirmedWords = (confirmation: Confirmation | undefined) => {
  if (confirmation?.override) return "alone, where two were needed and nobody else was there";
  return confirmation && confirmation.given < confirmation.needed
    ? `(${Number(confirmation.given)} of ${Number(confirmation.needed)})`
    : "now";
};

/** What a rule said, and who did it: the first of its evidence. */
const findingLine = (state: State, { level, title, entities: [by] }: Finding): string =>
  `Finding (${prose(level)}): ${prose(title)}${by === undefined ? "" : `, by ${thing(state, by)}`}`;

/** Turns events into lines of the timeline: what theirs did, who came and went, what was decided. */
export class Narration {
  readonly timeline = new Timeline();
  /** Logins seen so far. */
  logins = 0;
  readonly #state: State;
  readonly #cast: Cast;

  constructor(state: State, cast: Cast) {
    this.#state = state;
    this.#cast = cast;
  }

  take(event: StakeoutEvent, at: Millis): void {
    const { action, sequence } = event.event;
    const room = action.split(".")[0];
    if (action === "process.start") this.#command(event, at);
    else if (room === "network") this.#network(event, at);
    else if (action === "file.access") this.#access(event, at);
    else if (action === "file.creation" || action === "file.change" || action === "file.deletion") this.#file(event, at);
    else if (action === "login.start" || action === "login.end") this.#login(event, at);
    else if (room === "tag") this.#tag(event, at);
    else if (room === "response") this.#response(event, at);
    else if (action === "baseline.complete") {
      const { processes, logins } = this.#state;
      const found = event.stakeout["baseline"] as { processes?: number; sockets?: number } | undefined;
      this.#watch(
        at,
        `First look done: ${count(found?.processes ?? processes.size, "process", "processes")}, ${count(this.logins || logins.size, "login")}, ${count(found?.sockets ?? 0, "socket")}`,
      );
    } else if (action === "session.start") this.#watch(at, "The recording begins");
    else if (action === "session.end") this.#watch(at, `The recording ends${event.event.reason ? ` (${prose(event.event.reason)})` : ""}`);
    else if (event.stakeout.sensor === "isolation" && room === "sensor") this.#isolation(event, at);
    else if (action === "finding.create" && event.stakeout.finding) this.#watch(at, findingLine(this.#state, event.stakeout.finding));
    else if (action === "evidence.collect" && event.stakeout.evidence) {
      const { what, sha256, complete } = event.stakeout.evidence;
      this.#decide(event, at, `Took ${prose(what)}${complete ? "" : " (not whole)"}, sha256 ${code(sha256)}`);
    } else if (action === "sensor.start") this.#watch(at, `Watching by ${prose(event.stakeout.tier)}`);
    else if (action === "note.add" && event.stakeout.card)
      this.#decide(event, at, `Start card: ${prose(cardSentence(event.stakeout.card), 600)}`);
    else if (action === "command.start") this.#decide(event, at, `Runs on the host: ${code(event.stakeout.command?.line ?? "")}`);
    else if (action === "note.add") this.#decide(event, at, `Note: ${prose(event.stakeout.note ?? "")}`);
    else if (room === "configuration")
      this.#watch(at, `${event.file ? code(event.file.path) : `Line ${sequence} of the log`}: what starts by itself was changed`);
    else if (action === "baseline.isolation")
      this.#decide(
        event,
        at,
        event.stakeout.response?.kind === "release"
          ? "The isolation that was found is gone without our doing"
          : "The host was found isolated: since when is not known",
      );
    else if (SAYS[action])
      this.#watch(
        at,
        `${SAYS[action]}${event.event.reason ? `: ${prose(event.event.reason)}` : ` (line ${sequence} of the log)`}`,
        room === "sensor",
      );
  }

  #watch(at: Millis, what: string, chapter = false): void {
    if (chapter) this.timeline.chapter();
    this.timeline.add({ at, kind: "watch", who: "Stakeout", what });
  }

  /** What the watch over an isolation says; what it counts each second is no news. */
  #isolation({ event, stakeout }: StakeoutEvent, at: Millis): void {
    const words: Partial<Record<StakeoutEvent["event"]["action"], string>> = {
      "sensor.start": `The isolation is watched, each second (${prose(stakeout.tier)})`,
      "sensor.degraded": "The isolation does not stand as planned",
      "sensor.recovered": "The isolation stands as planned again",
      "sensor.lost": "The isolation is not watched any more",
      "sensor.stop": "The watch over the isolation has ended",
    };
    const what = words[event.action];
    if (what) this.#watch(at, `${what}${event.reason ? `: ${prose(event.reason)}` : ""}`, true);
  }

  #decide({ stakeout }: StakeoutEvent, at: Millis, what: string): void {
    this.timeline.add({ at, kind: "decision", who: prose(stakeout.analyst ?? "unknown"), what: `**${what}**` });
  }

  /** Whose a process is, for the second column. */
  #who(process: Process | undefined, side: Side): string {
    const known = process ? this.#state.processes.get(process.entity_id) : undefined;
    const login = known?.login === undefined ? undefined : this.#state.logins.get(known.login);
    if (login) return loginName(login);
    const entry = process?.entry_leader?.entry_meta.type;
    const what = entry === "cron" ? "cron" : entry === "init" ? "a service" : side === "stray" ? "no login" : "the host";
    return process ? what : "not seen";
  }

  #command(event: StakeoutEvent, at: Millis): void {
    const given = event.process;
    const side = this.#cast.side(given?.entity_id);
    if (!given || (side !== "theirs" && side !== "stray")) return;
    const known = this.#state.processes.get(given.entity_id);
    const login = known?.login === undefined ? undefined : this.#state.processes.get(known.login);
    // sshd's own steps, before anybody is in: the login is told by itself
    if (login && (login.id === given.entity_id || (known?.parent === login.id && given.executable === login.executable))) return;
    const command = commandLine(given) ?? "a program whose name was not seen";
    const blind = event.stakeout.unseen?.["process.args"] ? " (arguments not seen)" : "";
    const who = this.#who(given, side);
    this.timeline.add({ at, kind: "command", who, what: `${code(command)}${blind}`, key: `${known?.login} ${command}` });
  }

  #network(event: StakeoutEvent, at: Millis): void {
    const side = this.#cast.side(event.process?.entity_id);
    const ours = side === "theirs" || side === "stray";
    if (event.event.action === "network.listen") {
      const at_ = event.destination ?? event.source;
      if (ours && at_) this.timeline.add({ at, kind: "network", who: this.#who(event.process, side), what: `listens on ${address(at_)}` });
      return;
    }
    const to = event.destination;
    if (event.network?.direction !== "egress" || !to || reach(to.ip) === "loopback") return;
    // What no process is known for is told as well: it may be theirs.
    if (!ours && !(event.process === undefined && reach(to.ip) === "public")) return;
    const who = this.#who(event.process, side);
    const program = event.process?.executable ?? event.process?.name;
    const key = `${who} ${program} ${to.ip} ${to.port}`;
    if (event.event.action === "network.established") this.timeline.through(key);
    if (event.event.action !== "network.start") return;
    const by = program === undefined ? "" : `${code(program)} `;
    this.timeline.add({ at, kind: "network", who, what: `${by}calls ${address(to)} (${whereabouts(to)})`, key, through: 0 });
  }

  #file(event: StakeoutEvent, at: Millis): void {
    const path = event.file?.path;
    const binary = path === undefined ? undefined : this.#state.binaries.get(path);
    const { action } = event.event;
    if (path === undefined) return;
    const side = this.#cast.side(event.process?.entity_id);
    const theirs = side === "theirs" || side === "stray";
    const suspicious = binary !== undefined && !isHidden(binary.standing) && (binary.runs > 0 || binary.elf === true);
    if (!theirs && (side === "hidden" || !suspicious)) return;
    const random = (binary?.random ?? 0) >= RANDOM_LOOKING ? " (the name looks random)" : "";
    const { moved_from: from, moved_in: whole, moved_away: away } = event.stakeout.binary ?? {};
    const done =
      action === "file.creation"
        ? from !== undefined
          ? `moves ${code(visiblePath(from))} to ${code(visiblePath(path))}${random}`
          : whole
            ? `brings ${code(visiblePath(path))} from where was not seen (moved or linked there)${random}`
            : `writes a new file ${code(visiblePath(path))}${random}`
        : action === "file.deletion"
          ? away
            ? `moves ${code(visiblePath(path))} to where was not seen`
            : `deletes ${code(visiblePath(path))}`
          : `changes ${code(visiblePath(path))}`;
    this.timeline.add({ at, kind: "file", who: this.#who(event.process, side), what: done, key: `${action} ${path}` });
  }

  /** Who opened what is watched: that it was opened is seen, not what was read of it. What is in /proc is told once for all processes. */
  #access({ process, file, stakeout }: StakeoutEvent, at: Millis): void {
    const path = file?.path;
    const side = this.#cast.side(process?.entity_id);
    if (path === undefined || (side !== "theirs" && side !== "stray")) return;
    const of = stakeout.access?.target === undefined ? undefined : path.slice(path.lastIndexOf("/") + 1);
    const what =
      of === undefined
        ? code(path)
        : `${code(of)} of other processes${of === "environ" ? " (their environment)" : of === "mem" ? " (their memory)" : ""}`;
    const does = stakeout.access?.how === "held" ? "was handed, open," : "opens";
    this.timeline.add({
      at,
      kind: "access",
      who: this.#who(process, side),
      what: `${does} ${what}`,
      key: `access ${process?.entity_id} ${does} ${of ?? path}`,
    });
  }

  #login(event: StakeoutEvent, at: Millis): void {
    const id = event.process?.entity_id;
    const login = id === undefined ? undefined : this.#state.logins.get(id);
    if (!login) return;
    if (event.event.action === "login.start") this.logins += 1;
    if (login.ours) return;
    const standing = `${STANDINGS[login.standing]}`;
    const who = loginName(login);
    if (event.event.action === "login.end") {
      const lasted = event.event.duration === undefined ? "" : ` after ${duration(event.event.duration / 1e6)}`;
      this.timeline.add({ at, kind: "login", who, what: `logs out or is cut off${lasted}` });
    } else if (event.event.outcome !== "failure") {
      const before = this.#state.processes.get(login.id)?.baseline === true;
      const was = before ? "was logged in already" : "logs in";
      this.timeline.add({
        at: before ? Math.max(at, this.#state.started) : at,
        kind: "login",
        who: loginName(login, true),
        what: `${was} (${standing})`,
      });
    }
  }

  #tag(event: StakeoutEvent, at: Millis): void {
    const tag = event.stakeout.tag;
    const login = tag && "login" in tag.selector ? this.#state.logins.get(tag.selector.login) : undefined;
    if (!tag || login?.ours) return;
    const process = "process" in tag.selector ? this.#state.processes.get(tag.selector.process) : undefined;
    const criteria = criteriaOf(tag.selector);
    const what = criteria
      ? `${prose(criteriaWords(criteria))}`
      : login
        ? `the login of ${loginName(login)}`
        : process
          ? `pid ${process.pid}, ${code(commandLine(process) ?? "name not seen", 80)}, and all below it`
          : "a process";
    const verdict =
      event.event.action === "tag.apply"
        ? `Tags ${what} as ${prose(tag.verdict)}`
        : `Takes back the tag ${prose(tag.verdict)} from ${what}`;
    this.#decide(event, at, `${verdict}${tag.reason ? `: ${prose(tag.reason)}` : ""}`);
  }

  #response(event: StakeoutEvent, at: Millis): void {
    const { method, verified, error, outside_scope: outside, ...given } = event.stakeout.response ?? { kind: undefined };
    const phase = event.event.action.slice("response.".length);
    if (given.kind === undefined) return;
    const kind = prose(given.kind);
    const name = capital(kind);
    const on = onWords(given);
    if (event.stakeout.sensor === "isolation")
      return this.#watch(at, `The isolation was made anew: ${prose(event.event.reason ?? "the host has changed")}`);
    const took = event.event.duration === undefined ? "" : ` in ${duration(event.event.duration / 1e6)}`;
    if (phase === "proposed")
      this.#decide(
        event,
        at,
        `Plans to ${kind}${on}${method ? ` by ${prose(method)}` : ""}${outside ? `, outside the scope: ${prose(outside.reason, 600)}` : ""}`,
      );
    else if (phase === "confirmed") this.#decide(event, at, `Confirms: ${kind} ${confirmedWords(event.stakeout.confirmation)}`);
    else if (phase === "dismissed")
      this.#decide(event, at, given.replaced_by === undefined ? `Drops the plan to ${kind}${on}` : `Changes the plan to ${kind}${on}`);
    else if (phase === "failed") this.#decide(event, at, `${name} FAILED: ${prose(error ?? "no reason was given")}`);
    else {
      const proof =
        kind === "isolate"
          ? `; our way in ${verified?.access ? "works" : "NOT PROVEN"}, the cut ${verified?.cut ? "holds" : "NOT PROVEN"}`
          : "";
      this.#decide(
        event,
        at,
        `${capital(RESPONSE_DONE[given.kind] ?? `${kind}${given.target === undefined ? "" : on} succeeded`)}${took}${proof}`,
      );
      this.timeline.chapter();
    }
  }
}
