import { criteriaOf } from "#state/criteria";
import type { ResponseState } from "#state/decided-state";
import { tagRoot } from "#state/lineage";
import type { State } from "#state/state";
import { criteriaWords, effectWords, stepWords } from "#state/words";
import { type Clock, fullTime } from "./clock.ts";
import type { Collected } from "./collect.ts";
import { code, prose, script, table } from "./escape.ts";
import { commandLine, loginName } from "./names.ts";
import { outsideWords } from "./start-card.ts";
import { capital, count, duration, list } from "./words.ts";

const KEEPS: Record<string, string> = {
  stays: "stays until a reboot",
  reverts: "reverts after 60 s",
  boot: "stays, through a reboot too",
};
const SCOPES: Record<string, string> = { session: "this session", host: "this host", profile: "our team" };

export function tagsSection(state: State, clock: Clock): string[] {
  const ownTags = [...state.tags.values()].filter((tag) => "login" in tag.selector && state.logins.get(tag.selector.login)?.ours);
  const tags = [...state.tags.values()].filter((tag) => !ownTags.includes(tag));
  const on = (selector: (typeof tags)[number]["selector"]) => {
    const criteria = criteriaOf(selector);
    if (criteria) return prose(criteriaWords(criteria));
    const login = "login" in selector ? state.logins.get(selector.login) : undefined;
    if (login) return `login of ${loginName(login)}`;
    const process = state.processes.get(tagRoot({ selector }) ?? "");
    return process
      ? `pid ${process.pid} ${code(commandLine(process) ?? "name not seen", 80)} and all below it`
      : "a process that is no longer in the picture";
  };
  const rows = tags.map((tag) => [
    clock(tag.applied),
    prose(tag.analyst),
    prose(tag.verdict),
    on(tag.selector),
    prose(tag.reason),
    tag.effect ? effectWords(tag.effect) : "",
    SCOPES[tag.scope ?? "session"] ?? prose(String(tag.scope)),
    tag.removed === undefined ? "stands" : `taken back ${clock(tag.removed)}`,
  ]);
  const lines = rows.length
    ? [...table(["When", "By", "Verdict", "On", "Why", "Then it covered", "Scope", ""], rows), ""]
    : ["Nobody tagged anything.", ""];
  if (ownTags.length) lines.push(`Besides, the console tagged ${count(ownTags.length, "login")} of its own as responder.`, "");
  for (const { at, analyst, text } of state.notes) lines.push(`- note, ${clock(at)}, ${prose(analyst)}: ${prose(text, 2000)}`);
  return lines;
}

export function responsesSection(state: State, collected: Collected, clock: Clock): string[] {
  if (state.responses.size === 0) return ["Nothing was changed on the host with Stakeout.", ""];
  return [
    ...[...state.responses.values()].flatMap((response) => [...one(state, response, collected, clock), ""]),
    ...watchLines(state, clock),
  ];
}

/** Of an isolation that was found: of when its plan is, which its rules carry; nothing where they do not say. */
export const plannedWords = ({ found }: Pick<ResponseState, "found">): string =>
  found?.planned === undefined ? "" : ` by a plan of ${fullTime(found.planned)}`;

function one(state: State, response: ResponseState, collected: Collected, clock: Clock): string[] {
  const phases = collected.responses.get(response.id) ?? {};
  const end = phases.succeeded ?? phases.failed;
  const lines = [`### ${capital(prose(response.kind))} (${prose(response.id)}): ${outcome(state, response, phases)}`, ""];
  if (response.id === "found")
    return [
      ...lines,
      `- found ${clock(response.at)}, made by ${prose(response.analyst)}${plannedWords(response)}, as the host itself says; since when it held is not known`,
    ];
  for (const [phase, words] of [
    ["proposed", "planned"],
    ["confirmed", "confirmed"],
  ] as const) {
    const known = phases[phase];
    if (!known) continue;
    const by = phase === "confirmed" && response.confirmedBy?.length ? response.confirmedBy : [known.analyst];
    const alone = phase === "confirmed" && response.alone ? " alone, where two were needed and nobody else was there" : "";
    lines.push(`- ${words} ${clock(known.at)} by ${list(by.map((name) => prose(name)))}${alone}`);
  }
  if (end) lines.push(`- ended ${clock(end.at)}${end.duration === undefined ? "" : `, after ${duration(end.duration / 1e6)}`}`);
  if (response.outside_scope) lines.push(`- **outside the scope**: ${outsideWords(response)}`);
  if (response.method !== undefined) lines.push(`- method: ${code(response.method)}`);
  if (response.plan_sha256 !== undefined) {
    const where = phases.proposed ? `; the script itself is in line ${phases.proposed.sequence} of the log` : "";
    lines.push(`- plan sha256: ${code(response.plan_sha256)}${where}`);
  }
  if (response.target !== undefined) lines.push(`- on: ${prose(response.target)}`);
  if (!phases.confirmed && !end) return lines; // nothing of it ran: there is nothing to take back
  if (response.keeps) lines.push(`- when the console vanishes: it ${KEEPS[response.keeps] ?? prose(response.keeps)}`);
  if (response.on_disk?.length)
    lines.push(
      `- written to the host's disk, so that it is isolated after a reboot too: ${list(response.on_disk.map((path) => code(path)))}`,
    );
  if (response.undone !== undefined) lines.push(`- taken back by ${prose(response.undone)}`);
  if (response.modules_loaded?.length)
    lines.push(`- reading the rules made the kernel load: ${list(response.modules_loaded.map((name) => code(name)))}`);
  if (response.compared) {
    const { against, same, differs } = response.compared;
    const rest = differs.length === 0 ? "nothing differs" : `**different: ${list(differs.map((name) => prose(name)))}**`;
    lines.push(`- held against how it was ${prose(against)}: the same are ${list(same.map((name) => prose(name))) || "none"}; ${rest}`);
  }
  if (response.verified && (response.kind === "isolate" || response.kind === "release")) {
    const { access, cut } = response.verified;
    const wanted =
      response.kind === "release" ? (cut ? "the cut is STILL THERE" : "the cut is gone") : cut ? "the cut holds" : "the cut is NOT PROVEN";
    lines.push(`- verified: our way in ${access ? "works" : "is NOT PROVEN"}, ${wanted}`);
  }
  if (response.error !== undefined) lines.push(`- error: ${prose(response.error)}`);
  if (response.steps?.length) {
    lines.push("- steps:");
    for (const { name, ok, milliseconds, said } of response.steps.slice(0, 40))
      lines.push(
        `  - ${ok ? "done" : "**FAILED**"}: ${prose(stepWords(name))}${Number.isFinite(milliseconds) ? ` (${duration(milliseconds)})` : ""}${said ? `; ${prose(said)}` : ""}`,
      );
  }
  for (const leak of response.leaks ?? []) lines.push(`- what it does not stop: ${prose(leak)}`);
  if (response.undo !== undefined) lines.push("- undo, by hand on the host:", "", ...script(response.undo, 6));
  return lines;
}

/** What the watch had counted when the recording ended. */
function watchLines({ isolated }: State, clock: Clock): string[] {
  const watch = isolated?.watch;
  if (!watch) return [];
  const { report, verified, status } = watch;
  const figures = [
    report.out === undefined ? "packets out are not counted by this method" : `${count(report.out, "packet")} out`,
    ...(report.dropped === undefined ? [] : [`${count(report.dropped, "packet")} dropped`]),
    `put back ${count(report.put_back, "time")}`,
  ];
  return [
    `The watch ${status === "running" ? "ran to the end" : "had ended before"}: last verified ${verified === undefined ? "never" : clock(verified)}; ${figures.join(", ")}.`,
    "",
  ];
}

function outcome(state: State, response: ResponseState, phases: Record<string, unknown>): string {
  if (response.phase === "succeeded") return "done";
  if (response.phase === "failed") return "FAILED";
  // one that was given up while it was still made is in no log
  if (response.replaced_by !== undefined && state.responses.has(response.replaced_by))
    return `replaced by a later plan (${prose(response.replaced_by)})`;
  if (response.phase === "dismissed") return `planned, dropped by ${prose(response.analyst)}`;
  if (response.phase === "proposed" && response.confirmedBy?.length)
    return `planned, confirmed by ${prose(response.confirmedBy[0] ?? "")} alone where two were needed, not carried out`;
  return phases["confirmed"] ? "confirmed, its end was not recorded" : "planned, not carried out";
}
