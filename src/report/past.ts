import type { PastKind } from "#model/past";
import { seenLogin } from "#state/past";
import { worstPast } from "#state/past-order";
import type { PastState, State } from "#state/state";
import { fullTime } from "./clock.ts";
import { code, prose, table } from "./escape.ts";
import { STANDINGS } from "./names.ts";
import { whereabouts } from "./places.ts";
import { count } from "./words.ts";

/** Rows of each kind in a report; the log has them all. */
const MOST: Record<PastKind, number> = { login: 60, failed: 25, elevation: 30, account: 30, file: 60, package: 20, gap: 40, shell: 60 };
const TITLES: Record<PastKind, string> = {
  gap: "What is missing, or contradicts itself",
  login: "Logins that were let in",
  failed: "Logins that were refused",
  elevation: "Who became whom",
  account: "Changes of accounts",
  file: "Files changed in the week before",
  package: "Packages",
  shell: "Tails of shell histories",
};

/** What the host itself said of the time before the recording began. */
export function pastSection(state: State): string[] {
  const { at, more, blind } = state.past;
  const rows = worstPast(state);
  if (at === undefined) return ["The host's own records were not read.", ""];
  const lines = [
    `Read from the host at ${fullTime(at)}. **Root can forge all of it**, and any account can add lines to auth.log; nothing here was seen by a sensor. Equal entries are one row; of each kind, but for histories, what speaks most against it comes first.`,
    "",
  ];
  for (const kind of Object.keys(TITLES) as PastKind[]) {
    const those = rows.filter((row) => row.kind === kind);
    if (those.length === 0) continue;
    const rest = those.length - MOST[kind] + (more[kind] ?? 0);
    lines.push(
      `**${TITLES[kind]}**`,
      "",
      ...table(
        ["First", "Last", "Times", "What", "Says who"],
        those.slice(0, MOST[kind]).map((row) => cells(state, row)),
      ),
      "",
    );
    if (rest > 0) lines.push(`Left out: ${count(rest, "further row")}.`, "");
  }
  if (rows.length === 0) lines.push("It held nothing that could be read.", "");
  if (blind.length > 0) lines.push("Not read:", "", ...blind.slice(0, 20).map((what) => `- ${prose(what, 300)}`), "");
  return lines;
}

const time = (at: number): string => (at > 0 ? fullTime(at) : "not told");

function cells(state: State, row: PastState): string[] {
  return [
    row.first === row.last ? "" : time(row.first),
    time(row.last),
    String(row.count),
    [what(row), ...whose(state, row)].join(", "),
    row.from.map((from) => prose(from)).join(", "),
  ];
}

function what({ kind, user, effective, source, path, text, methods, keys }: PastState): string {
  const parts: string[] = [];
  if (user !== undefined) parts.push(code(user, 60));
  if (effective !== undefined) parts.push(`as ${code(effective, 60)}`);
  if (source) parts.push(`from ${code(source.ip)} (${whereabouts(source)})`);
  if (kind === "login" && methods) parts.push(`by ${methods.map((method) => code(method, 40)).join(", ")}`);
  if (kind === "package" && methods) parts.push(prose(methods[0] ?? ""));
  for (const key of (keys ?? []).slice(0, 3)) parts.push(code(key, 80));
  if (path !== undefined) parts.push(code(path, 160));
  if (text !== undefined) parts.push(code(text, 200));
  return parts.join(" ") || "nothing more";
}

/** Of a login that was seen as well: whether it was the console's own, else how it is judged. */
function whose(state: State, row: PastState): string[] {
  const login = seenLogin(state, row);
  if (!login) return [];
  return [login.ours ? "this console's own login" : `seen as well: ${STANDINGS[login.standing]}`];
}

/** How the host was set up when the recording began is in the log; what changed while it ran is here. */
export function changedSection(state: State): string[] {
  const changed = [...state.setUp.values()].filter(({ status }) => status !== "here").toSorted((a, b) => a.at - b.at);
  if (state.setUp.size === 0) return ["How the host is set up was not read.", ""];
  if (changed.length === 0)
    return [`Of ${count(state.setUp.size, "thing")} of the host's set-up none was seen to change while it was watched.`, ""];
  const rows = changed
    .slice(0, 100)
    .map(({ at, status, category, name, detail }) => [
      fullTime(at),
      status === "new" ? "+" : "-",
      prose(category),
      code(name.replaceAll("\t", " "), 160),
      detail === "" ? "" : code(detail.replaceAll("\t", " "), 200),
    ]);
  return [
    ...table(["When", "", "Kind", "What", "It says"], rows),
    "",
    ...(changed.length > 100 ? [`Left out: ${count(changed.length - 100, "further change")}.`, ""] : []),
  ];
}
