import { printable } from "#model/host-string";
import { criteriaOf } from "#state/criteria";
import { findingNow } from "#state/finding-words";
import { isHidden } from "#state/lineage";
import { farEnd } from "#state/selectors";
import type { State } from "#state/state";
import { criteriaWords, outcomeOf } from "#state/words";
import { originText } from "../rows/origin.ts";
import { processName } from "../rows/standing.ts";
import { address, clock, count, day, network, place, plural } from "../words.ts";
import { loginWords } from "./sentences.ts";

/** Things that are remembered as told: a host can make new ones without end. */
const MOST_TOLD = 50_000;

/** Tells what has happened since it last looked: logins, new binaries, calls abroad, tags, isolation, sensors. */
export class Happenings {
  #told = new Set<string>();
  #state: State | undefined;
  #sequence = 0;
  #begun = false;
  #full = false;
  #isolated: string | undefined;
  /** What was under way when it last looked. */
  #way: string | undefined;
  /** The watch's last word on whether the isolation stands. */
  #stands: boolean | undefined;

  /** One sentence for each thing of note that is new in `state`, oldest kind first. After a jump back in a replay it begins anew. */
  look(state: State): string[] {
    if (state !== this.#state || state.sequence < this.#sequence) {
      this.#told.clear();
      this.#begun = false;
    }
    this.#state = state;
    this.#sequence = state.sequence;
    if (state.sensors.size === 0 && state.ended === undefined) return [];
    const news = [
      ...this.#sensors(state),
      ...this.#logins(state),
      ...this.#origins(state),
      ...this.#setUp(state),
      ...this.#binaries(state),
      ...this.#calls(state),
      ...this.#tags(state),
      ...this.#findings(state),
      ...this.#commands(state),
      ...this.#underway(state),
      ...this.#isolation(state),
      ...this.#watch(state),
    ];
    if (this.#told.size > MOST_TOLD && !this.#full) {
      this.#full = true;
      news.push("Attention. So much has happened that news are no longer told one by one: the panes go on showing everything.");
    }
    if (this.#begun) return news;
    this.#begun = true; // what was there when we came is no news
    return [`Watching. ${plural(state.pids.size, "process", "processes")} running, ${this.#who(state)}`, ...this.#standingNow(state)];
  }

  #who(state: State): string {
    const logins = [...state.logins.values()].filter(({ ours, end }) => !ours && end === undefined);
    if (logins.length === 0) return "no login but our own is seen.";
    const named = logins.slice(0, 5).map((login) => `${loginWords(login)}, ${login.standing}`);
    return `${plural(logins.length, "login")}: ${named.join("; ")}${logins.length > named.length ? "; and others" : ""}.`;
  }

  #standingNow(state: State): string[] {
    if (!state.isolated) return [];
    const by = state.responses.get(state.isolated.response)?.analyst;
    return [`The host is isolated${by === undefined ? "" : `, by ${by},`} ${sinceSentence(state)}.`];
  }

  #once(key: string): boolean {
    if (this.#told.has(key) || this.#told.size > MOST_TOLD) return false;
    this.#told.add(key);
    return true;
  }

  *#findings(state: State): Generator<string> {
    for (const finding of state.findings.values()) {
      const { id, level, technique, exposes, dismissed } = finding;
      if (dismissed !== undefined || !this.#once(`finding ${id}`)) continue;
      const back = exposes && exposes.length > 0 ? " What was tagged is in view again." : "";
      yield `${level === "high" || level === "critical" ? "Attention. " : ""}Finding, ${level}: ${findingNow(state, finding)} (${technique.join(", ")}).${back}`;
    }
  }

  *#sensors(state: State): Generator<string> {
    for (const { id, status, tier, report } of state.sensors.values()) {
      if (this.#once(`sensor ${id} ${status} ${tier}`)) {
        const why = report.reason && status !== "running" ? `: ${printable(report.reason)}` : "";
        yield status === "running" ? `The sensor watches by ${tier}.` : `Attention. The sensor is ${status}${why}.`;
      }
      const lost = report.lost ?? 0;
      if (lost > 0 && this.#once(`lost ${id} ${Math.floor(Math.log2(lost))}`)) yield `Attention. The sensor lost ${count(lost)} events.`;
    }
  }

  *#logins(state: State): Generator<string> {
    for (const login of state.logins.values()) {
      if (login.ours) continue;
      if (this.#once(`login ${login.id}`)) yield `New login: ${loginWords(login)}, ${login.standing}.`;
      if (login.end !== undefined && this.#once(`logout ${login.id}`)) yield `Left: ${loginWords(login)}.`;
    }
  }

  *#origins(state: State): Generator<string> {
    for (const origin of state.origins.values()) {
      const login = origin.login === undefined ? undefined : state.logins.get(origin.login);
      if (!login || isHidden(login.standing)) continue;
      if (this.#once(`origin ${origin.id} ${origin.login}`))
        yield printable(`Of ${loginWords(login)}: ${originText(state, origin).slice(0, 400)}.`);
    }
  }

  *#setUp(state: State): Generator<string> {
    if (state.past.at !== undefined && this.#once("look back")) {
      const gaps = state.past.rows.filter(({ kind }) => kind === "gap").length;
      yield `The look back is there: ${plural(state.past.rows.length, "row")}, ${plural(gaps, "gap")}.`;
    }
    for (const { id, status, category, name } of state.setUp.values())
      if (status !== "here" && this.#once(`set-up ${id} ${status}`))
        yield printable(`${status === "new" ? "New" : "Gone"} in the set-up: ${category} ${name.slice(0, 200)}.`);
  }

  *#binaries(state: State): Generator<string> {
    for (const { path, standing, random, deleted, runs } of state.binaries.values()) {
      if (isHidden(standing)) continue;
      if (this.#once(`binary ${path}`))
        yield `New binary: ${printable(path.slice(0, 300))}${(random ?? 0) >= 0.6 ? ", the name looks random" : ""}.`;
      if (runs > 0 && this.#once(`ran ${path}`)) yield `It runs: ${printable(path.slice(0, 300))}.`;
      if (deleted && runs > 0 && this.#once(`deleted ${path}`)) yield `Deleted after it ran: ${printable(path.slice(0, 300))}.`;
    }
  }

  *#calls(state: State): Generator<string> {
    for (const connection of state.connections.values()) {
      const far = farEnd(connection);
      if (connection.direction !== "egress" || !far.geo || isHidden(connection.standing)) continue;
      const process = connection.process === undefined ? undefined : state.processes.get(connection.process);
      const who = process ? `${processName(process).slice(0, 100)} pid ${process.pid}` : "a process that was not seen";
      const key = `${process ? processName(process) : "?"} ${far.ip} ${far.port}`;
      const where = `${address(far)}, ${far.geo.country_name ?? place(far)}, ${network(far)}`;
      if (this.#once(`call ${key}`)) yield `Connection abroad: ${printable(who)} calls ${printable(where)}.`;
      if (connection.phase === "established" && this.#once(`through ${key}`)) yield `It got through: ${printable(who)} to ${far.ip}.`;
    }
  }

  *#tags(state: State): Generator<string> {
    for (const tag of state.tags.values()) {
      const login = "login" in tag.selector ? state.logins.get(tag.selector.login) : undefined;
      if (login?.ours) continue;
      const process = "process" in tag.selector ? state.processes.get(tag.selector.process) : undefined;
      const criteria = criteriaOf(tag.selector);
      const what = criteria
        ? criteriaWords(criteria)
        : login
          ? loginWords(login)
          : process
            ? `process ${processName(process)} pid ${process.pid}`
            : "a process";
      if (this.#once(`tag ${tag.id}`)) yield printable(`${tag.analyst} tagged ${what} as ${tag.verdict}: ${tag.reason}.`);
      if (tag.removed !== undefined && this.#once(`untag ${tag.id}`)) yield printable(`The tag ${tag.verdict} on ${what} was taken back.`);
    }
  }

  *#commands(state: State): Generator<string> {
    for (const command of state.commands.values()) {
      if (this.#once(`command ${command.id}`)) yield printable(`${command.analyst} runs on the host: ${command.line}.`);
      if (command.end !== undefined && this.#once(`command end ${command.id}`))
        yield printable(`The command ended, ${outcomeOf(command)}: ${command.line}.`);
    }
  }

  *#watch({ isolated }: State): Generator<string> {
    const { watch } = isolated ?? {};
    if (!isolated || !watch) return;
    const stands = watch.status === "running" && watch.report.holds;
    if (stands !== this.#stands && !(stands && this.#stands === undefined))
      yield stands
        ? "The isolation stands as planned again."
        : watch.status === "lost"
          ? "Attention. The isolation is not watched any more: whether it stands is not known."
          : `Attention. The isolation does not stand as planned: ${printable(watch.report.wrong?.[0] ?? "no reason")}.`;
    this.#stands = stands;
  }

  /** The cut comes before its proof: until the outcome is known nothing may be believed of it. */
  *#underway({ underway, isolated }: State): Generator<string> {
    const now = underway && `${underway.response} ${underway.failed === true}`;
    const before = this.#way;
    this.#way = now;
    if (!underway || now === before || isolated) return;
    if (underway.failed) yield "Attention. The isolation is not proven: the host may be cut off until it undoes that by itself.";
    else if (underway.kind === "isolate") yield "The host is being isolated: it may be cut off already, and that is not proven yet.";
  }

  *#isolation(state: State): Generator<string> {
    const { isolated } = state;
    const now = isolated && `${isolated.response} ${isolated.since}`;
    const before = this.#isolated;
    this.#isolated = now;
    if (now === before) return;
    this.#stands = undefined;
    const proven = isolated?.verified?.access && isolated.verified.cut;
    yield isolated
      ? `The host is isolated ${sinceSentence(state)}${proven ? ", verified both ways" : ". Attention: it is not verified"}.`
      : "The host is released: it is not isolated any more.";
  }
}

/** "since 21:04:11"; of one that another made, when it was found, and what its own rules say. */
function sinceSentence({ isolated, responses }: State): string {
  const at = clock(isolated?.since ?? Number.NaN);
  const found = responses.get(isolated?.response ?? "")?.found;
  if (!found) return `since ${at}`;
  return `as was found at ${at}, ${found.planned === undefined ? "since when is not known" : `by a plan of ${day(found.planned)} UTC, as its own rules say`}`;
}
