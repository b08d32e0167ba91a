import { originText } from "#draw/rows/origin";
import { OWN_LOGIN } from "#investigation/tags";
import type { Endpoint, StakeoutEvent } from "#model/event";
import { printable } from "#model/host-string";
import { criteriaOf } from "#state/criteria";
import { isHidden } from "#state/lineage";
import { originOf } from "#state/origins";
import { RANDOM_LOOKING, type State } from "#state/state";
import { criteriaWords, outcomeOf } from "#state/words";
import { FindingLines } from "./finding-lines.ts";

const WIDTH = 118;
/** As wide as a time and what parts it from the rest. */
const MARGIN = " ".repeat(10);

/** An address with its place and network: "202.96.128.86:443 (Guangzhou, CN, AS4134 Chinanet)". */
function place({ ip, port, geo, as }: Endpoint, withPort = true): string {
  const about = [geo?.city_name, geo?.country_iso_code, as ? `AS${as.number} ${as.organization?.name ?? ""}`.trim() : undefined];
  const known = about.filter((part) => part !== undefined).map((part) => printable(part));
  const address = withPort && port ? (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`) : ip;
  return known.length ? `${address} (${known.join(", ")})` : address;
}

function middleCut(text: string, width: number): string {
  if (text.length <= width) return text;
  const head = Math.ceil((width - 1) * 0.6);
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`;
}

/** Prose goes on in the next line; a command is cut in the middle, since its ends say most. */
function wrap(line: string, width: number): string[] {
  if (line.length <= width || !/^(?:not seen: |finding )/.test(line)) return [middleCut(line, width)];
  const lines = [""];
  for (const word of line.split(" ")) {
    if (`${lines.at(-1)} ${word}`.length > width) lines.push("         ");
    lines[lines.length - 1] += `${lines.at(-1) === "" ? "" : " "}${word}`;
  }
  return lines;
}

/** A time and what happened then, in lines that fit; what goes on stands under what it goes on from. */
function laidOut(told: string | undefined): string | undefined {
  if (told === undefined) return undefined;
  const lines = told.slice(MARGIN.length).split("\n");
  return told.slice(0, MARGIN.length) + lines.flatMap((line) => wrap(printable(line), WIDTH)).join(`\n${MARGIN}`);
}

/** The night as lines: what an analyst would read aloud. Events of tagged things, and what a service does by itself, stay out. */
export class Narrator {
  readonly #told = new Set<string>();
  readonly #findings = new FindingLines();

  /** The line of an event that was just reduced into `state`, or undefined when it is not worth one. A finding is told a little later. */
  line(event: StakeoutEvent, state: State): string | undefined {
    if (event.event.action === "finding.create") return laidOut(this.#findings.take(event, state));
    const text = this.#text(event, state);
    const before = text === undefined ? this.#findings.due(event["@timestamp"]) : this.#findings.rest();
    const told = [before, text === undefined ? undefined : `${event["@timestamp"].slice(11, 19)}  ${text}`].map(laidOut);
    const lines = told.filter((line) => line !== undefined);
    return lines.length > 0 ? lines.join("\n") : undefined;
  }

  /** What is left to tell when all is over, and what it came to. */
  end(state: State): string[] {
    return [
      ...[this.#findings.rest()].map(laidOut).filter((line) => line !== undefined),
      ...summary(state).map((line) => `${MARGIN}${line}`),
    ];
  }

  #text(event: StakeoutEvent, state: State): string | undefined {
    const { action } = event.event;
    const process = event.process ? state.processes.get(event.process.entity_id) : undefined;
    if (action !== "login.start" && process && isHidden(process.standing)) return undefined;
    const who = this.#who(event, state);
    const path = event.file ? printable(event.file.path) : "";
    const binary = event.file ? state.binaries.get(event.file.path) : undefined;
    const before = event.stakeout.binary?.moved_from;
    const from = before === undefined ? undefined : printable(before);
    switch (action) {
      case "sensor.start":
        return `watching ${printable(event.host.name)} by ${event.stakeout.tier}${(event.stakeout.report?.blind ?? []).map((blind) => `\nnot seen: ${printable(blind)}`).join("")}`;
      case "sensor.degraded":
      case "sensor.lost":
        return `! ${event.stakeout.tier}: ${printable(event.event.reason ?? "no longer seen")}`;
      case "baseline.complete":
        return `baseline: ${state.processes.size} processes, ${state.logins.size} logins, ${state.connections.size} sockets`;
      case "login.start":
        if (event.stakeout["ours"] && !this.#once("our login")) return undefined; // the proof of a way back in
        return `login     ${printable(event.user?.name ?? event.user?.id ?? "somebody")} from ${event.source ? place(event.source, false) : "an address that was not seen"}${event.stakeout["ours"] ? ": this console" : ""}`;
      case "login.end":
        return `logout    ${who}`;
      case "process.start": {
        if (!event.stakeout.binary && !event.process?.entry_leader?.entry_meta.source) return undefined;
        if (event.process?.entity_id === event.process?.entry_leader?.entity_id) return undefined; // sshd's own, before anybody is in
        const command = printable((event.process?.args ?? [event.process?.executable ?? "?"]).join(" "));
        return `run       ${who}  ${command}${event.stakeout.unseen?.["process.args"] ? "  (arguments not seen)" : ""}`;
      }
      case "network.start": {
        const to = event.destination;
        if (!to?.geo || event.network?.direction !== "egress") return undefined;
        const times = state.peers.get(`${to.ip} ${to.port ?? 0}`)?.attempts ?? 1;
        return `connect   ${who}  → ${place(to)}${times > 1 ? `, attempt ${times}` : ""}`;
      }
      case "file.creation":
        return this.#once(`new ${path}`)
          ? `new file  ${path}${(binary?.random ?? 0) >= RANDOM_LOOKING ? "  (random-looking name)" : ""}${from ? `  (moved from ${from})` : event.stakeout.binary?.moved_in ? "  (moved or linked there, from where was not seen)" : ""}  ${who}`
          : undefined;
      case "file.info":
        if (!event.file?.hash || !binary || isHidden(binary.standing) || !(binary.elf || binary.runs)) return undefined;
        return this.#once(event.file.hash.sha256 + path)
          ? `hash      ${path}  ${event.file.size} bytes  sha256 ${event.file.hash.sha256.slice(0, 16)}…`
          : undefined;
      case "file.deletion":
        return binary && binary.runs > 0
          ? `${event.stakeout.binary?.moved_away ? "moved off" : "deleted  "} ${path}, which was executed  ${who}`
          : undefined;
      case "origin.start":
      case "origin.attributed": {
        const origin = process ? originOf(state, process.id) : undefined;
        return origin?.login !== undefined && this.#once(`origin ${origin.id} ${origin.login}`)
          ? `began     ${originText(state, origin)}`
          : undefined;
      }
      case "lookback.complete": {
        const of = (kind: string) => state.past.rows.filter((row) => row.kind === kind).length;
        return `look back: ${of("login")} logins let in and ${of("failed")} refused by who and from where, ${of("file")} changed files, ${of("gap")} gaps; root can forge it`;
      }
      case "baseline.added":
      case "baseline.removed":
        return event.stakeout.inventory?.items
          .map(
            ({ name, detail }) =>
              `${action === "baseline.added" ? "+" : "-"} ${event.stakeout.inventory?.category.padEnd(7)} ${name} ${detail}`,
          )
          .join("\n");
      case "tag.apply":
      case "tag.remove": {
        const tag = event.stakeout.tag;
        if (tag?.reason === OWN_LOGIN) return undefined;
        const login = tag && "login" in tag.selector ? state.logins.get(tag.selector.login) : undefined;
        const criteria = tag && criteriaOf(tag.selector);
        const what = criteria ? printable(criteriaWords(criteria)) : login?.source ? `the login from ${login.source.ip}` : "a subtree";
        return `${action === "tag.apply" ? "tag" : "untag"}${action === "tag.apply" ? "   " : " "}    ${event.stakeout.analyst}: ${what} is ${tag?.verdict} (${tag?.reason})`;
      }
      case "command.start":
        return `run       ${event.stakeout.analyst}: ${printable(event.stakeout.command?.line ?? "")}`;
      case "command.end": {
        const { command } = event.stakeout;
        return command && `ran       ${printable(command.line)}: ${outcomeOf(command)}, ${command.bytes ?? 0} bytes`;
      }
      case "response.proposed":
        return `plan      ${event.stakeout.response?.kind} by ${event.stakeout.response?.method}, sha256 ${event.stakeout.response?.plan_sha256?.slice(0, 12)}…`;
      case "response.succeeded": {
        const { verified, kind, steps } = event.stakeout.response ?? {};
        const ms = ((event.event.duration ?? 0) / 1e6).toFixed(0);
        if (kind === "release") return `RELEASED  in ${ms} ms`;
        const rules = steps?.find(({ name }) => name === "cut");
        return `ISOLATED  ${rules ? `rules in after ${rules.milliseconds.toFixed(0)} ms, ` : ""}verified after ${ms} ms: our way in ${verified?.access ? "works" : "NOT PROVEN"}, the cut ${verified?.cut ? "holds" : "NOT PROVEN"}`;
      }
      case "response.failed":
        return `! ${event.stakeout.response?.kind} failed: ${printable(event.stakeout.response?.error ?? "no reason given")}`;
      default:
        return undefined;
    }
  }

  #who(event: StakeoutEvent, state: State): string {
    const leader = event.process?.entry_leader;
    const login = leader ? state.logins.get(leader.entity_id) : undefined;
    if (login) return `${printable(login.user?.name ?? "?")}@${login.source?.ip ?? "?"}`;
    if (leader?.entry_meta.type === "cron") return "cron";
    return event.process ? printable(event.process.name ?? `pid ${event.process.pid ?? "not seen"}`) : "process not seen";
  }

  #once(key: string): boolean {
    if (this.#told.has(key)) return false;
    this.#told.add(key);
    return true;
  }
}

/** What the night came to, as lines. */
function summary(state: State): string[] {
  const { counts } = state;
  const intruders = [...state.logins.values()].filter(({ standing }) => !isHidden(standing));
  const abroad = [...state.peers.values()];
  const binaries = [...state.binaries.values()].filter(({ standing, runs, elf }) => !isHidden(standing) && (runs > 0 || elf));
  const report = state.sensors.get("collector")?.report;
  const lines = [
    `${counts.events} events: ${counts.execs} programs run, ${counts.connections} connections, ${counts.files} file changes`,
    `logins that nobody vouched for: ${intruders.map(({ user, source }) => `${printable(user?.name ?? "?")} from ${source ? place(source, false) : "?"}`).join("; ") || "none seen"}`,
    `called: ${abroad.map(({ ip, port, attempts, established }) => `${ip}:${port} ${attempts} times, ${established} got through`).join("; ") || "no call seen"}`,
    `new binaries: ${binaries.map(({ path, deleted, runs }) => `${printable(path)}${deleted ? " (deleted)" : ""} run ${runs} times`).join("; ") || "none seen"}`,
    `lost ${report?.lost ?? 0} events; arguments not seen of ${report?.raced ?? 0} programs`,
  ];
  return lines
    .map(printable)
    .flatMap((line) => (line.length <= WIDTH ? [line] : line.split("; ").map((part, i) => (i ? `  ${part}` : part))));
}
