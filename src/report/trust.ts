import { findingSince } from "#state/finding-words";
import { hostsToWarn, type Suspected, secretsToRotate, suspects } from "#state/rotation";
import { standingFindings } from "#state/selectors";
import type { State } from "#state/state";
import type { Clock } from "./clock.ts";
import { code, prose, table } from "./escape.ts";
import { commandLine, loginName, STANDINGS } from "./names.ts";
import { address, whereabouts } from "./places.ts";
import { count, list } from "./words.ts";

const MOST_ROWS = 200;
const MOST_NAMED = 4;

/** What rules found: tagged things that were entered or abused, and who looked at the analysts. */
export function findingsSection(state: State, clock: Clock): string[] {
  const all = standingFindings(state).toReversed();
  if (all.length === 0) return ["No rule found anything.", ""];
  const rows = all.slice(0, MOST_ROWS).map((finding) => {
    const { at, level, title, technique, entities, path, exposes, dismissed, sequence } = finding;
    const since = findingSince(state, finding);
    return [
      clock(at),
      level,
      `${prose(title)}${since === undefined ? "" : ` (by now: ${prose(since)})`}${path === undefined ? "" : `: ${code(path, 100)}`}`,
      technique.map((id) => code(id, 12)).join(" "),
      list(
        entities.map((id) => thing(state, id)),
        MOST_NAMED,
      ),
      dismissed !== undefined
        ? `dismissed by ${prose(dismissed.analyst)}: ${prose(dismissed.reason)}`
        : exposes && exposes.length > 0
          ? "brought back into view"
          : "no",
      `${sequence}`,
    ];
  });
  const more = Math.max(0, all.length - MOST_ROWS) + Math.max(0, state.counts.findings - state.findings.size);
  const left = more > 0 ? [`Left out: ${count(more, "further finding")}; the log has them.`, ""] : [];
  return [
    "Each is told as it was said at that time; where tags have changed since, what is true now stands behind it.",
    "",
    ...table(["When it was said", "Level", "What", "ATT&CK", "Evidence", "Was hidden by a tag", "Line of the log"], rows),
    "",
    ...left,
  ];
}

/** Evidence in words: a process with its login, or a login. */
export function thing(state: State, id: string): string {
  const process = state.processes.get(id);
  const login = state.logins.get(process?.login ?? id);
  const name = process && login?.id !== id ? `pid ${process.pid} ${code(commandLine(process) ?? "name not seen", 60)}` : "the login";
  return login ? `${name} of ${loginName(login)}` : process ? name : "a process that is no longer in the picture";
}

/** What to rotate: secrets that were read or could be read by those nobody vouched for, and the machines that they lead to. */
export function rotateSection(state: State, clock: Clock): string[] {
  const people = suspects(state);
  if (people.length === 0) return ["No login is in question: everybody who was seen was vouched for.", ""];
  const secrets = secretsToRotate(state, people);
  const hosts = hostsToWarn(state, people);
  const who = (one: Suspected) => {
    const login = state.logins.get(one.who);
    const process = state.processes.get(one.who);
    const name = login
      ? loginName(login)
      : process
        ? `pid ${process.pid} ${code(commandLine(process) ?? "name not seen", 60)}`
        : "somebody";
    return `${name} (${STANDINGS[one.standing]})`;
  };
  const lines: string[] = [];
  const row = ({ secret, read, could }: (typeof secrets)[number]) => [
    code(secret.path, 120),
    prose(secret.kind ?? "not known"),
    secret.fingerprint === undefined ? "" : code(secret.fingerprint, 60),
    secret.cipher === "none" ? "none" : secret.cipher === undefined ? "" : code(secret.cipher, 30),
    read[0] ? `read ${clock(read[0].last)}` : "could be read",
    list((read.length > 0 ? read : could).map(who), MOST_NAMED),
  ];
  if (secrets.length > 0) {
    const head = ["Secret", "Kind", "Fingerprint", "Passphrase", "How", "By whom"];
    lines.push(...table(head, secrets.slice(0, MOST_ROWS).map(row)), "");
    if (secrets.length > MOST_ROWS) lines.push(`Left out: ${count(secrets.length - MOST_ROWS, "further secret")}; the log has them.`, "");
  } else lines.push("No secret that is known was read, or could be read, by those nobody vouched for.", "");
  if (hosts.length > 0) {
    const rows = hosts.slice(0, MOST_ROWS).map(({ name, called, named }) => [
      called ? `${address(called.host.endpoint)} (${whereabouts(called.host.endpoint)})` : code(name, 100),
      called
        ? called.host.established > 0
          ? "reached"
          : "tried, not seen to get through"
        : "named in a file that they read or could read",
      called
        ? list(called.by.map(who), MOST_NAMED)
        : list(
            named.map((path) => code(path, 80)),
            MOST_NAMED,
          ),
    ]);
    lines.push(
      "Machines that they called, or whose names lay within their reach:",
      "",
      ...table(["Machine", "How", "By whom, or where"], rows),
      "",
    );
    if (hosts.length > MOST_ROWS) lines.push(`Left out: ${count(hosts.length - MOST_ROWS, "further machine")}; the log has them.`, "");
  }
  lines.push(
    "Read means that the file was opened while we looked; what was read before is not known. Could be read: by its owner, by everybody, or as root; what a group may read is not counted. No content of a secret was taken to the console.",
    "",
  );
  return lines;
}
