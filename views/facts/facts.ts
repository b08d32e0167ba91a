import type { Selection } from "#commands/command";
import type { FindingState } from "#state/decided-state";
import { findingNow } from "#state/finding-words";
import type { State } from "#state/state";
import { standingStyle } from "../panes/tree-row.ts";
import { processName } from "../rows/standing.ts";
import type { Theme } from "../theme.ts";
import { address, clock, network, plural } from "../words.ts";
import { binaryFacts } from "./binary.ts";
import { connectionFacts } from "./connection.ts";
import { counted, type Fact, placesByFact } from "./fact.ts";
import { loginFacts } from "./login.ts";
import { originFacts } from "./origin.ts";
import { pastFacts, setUpFacts } from "./past.ts";
import { processFacts } from "./process.ts";

/** Everything known of the selected thing, most important first. Texts may hold raw host text: whoever paints them makes them safe. */
export function factsOf(theme: Theme, state: State, selection: Selection, now: number): Fact[] {
  const facts = about(theme, state, selection, now);
  const tag = selection.tag === undefined ? undefined : state.tags.get(selection.tag);
  if (tag)
    facts.push({
      label: "tag",
      text: `${tag.verdict} by ${tag.analyst} at ${clock(tag.applied)}: ${tag.reason}`,
      style: standingStyle(tag.verdict),
    });
  return [...facts, ...foundFacts(state, selection), ...saidFacts(state, selection)];
}

/** Why a thing that was tagged is in view again, and what else was found in it. */
function foundFacts(state: State, { kind, id }: Selection): Fact[] {
  const thing = kind === "login" ? state.logins.get(id) : kind === "process" ? state.processes.get(id) : undefined;
  const login = kind === "login" ? id : undefined;
  const evidence = [...state.findings.values()].filter(
    ({ entities }) => entities.includes(id) || (login !== undefined && entities.some((one) => state.processes.get(one)?.login === login)),
  );
  const repeats = new Map<string, { last: FindingState; times: number }>();
  for (const one of evidence) {
    const same = `${findingNow(state, one)} ${one.dismissed === undefined}`;
    const times = (repeats.get(same)?.times ?? 0) + 1;
    repeats.delete(same); // the latest stands last
    repeats.set(same, { last: one, times });
  }
  const back = thing?.finding === undefined ? undefined : state.findings.get(thing.finding);
  return [
    ...(back
      ? [
          {
            label: "in view",
            text: `although it was tagged: ${findingNow(state, back)} (${clock(back.at)}). A new tag hides it again.`,
            style: "bad" as const,
          },
        ]
      : []),
    ...[...repeats.values()].slice(-8).map(
      ({ last, last: { at, level, technique, dismissed }, times }): Fact => ({
        label: "finding",
        text: `${clock(at)} ${level}: ${findingNow(state, last)} (${technique.join(", ")})${times > 1 ? ` ×${times}` : ""}${dismissed ? `, dismissed by ${dismissed.analyst}` : ""}`,
        style: dismissed ? "soft" : level === "high" || level === "critical" ? "bad" : "warn",
      }),
    ),
  ];
}

/** What analysts wrote on the thing, and who has taken it on. */
function saidFacts(state: State, { kind, id }: Selection): Fact[] {
  const claim = state.claims.get(`${kind}:${id}`);
  const notes = state.notes.filter(({ on }) => on !== undefined && on.kind === kind && on.id === id);
  return [
    ...(claim
      ? [
          {
            label: claim.claim,
            text: `${claim.analyst} ${claim.claim === "done" ? "is done with it" : "has taken it on"}, at ${clock(claim.at)}`,
          },
        ]
      : []),
    ...notes.map(({ at, analyst, text }): Fact => ({ label: "note", text: `${analyst} at ${clock(at)}: ${text}`, style: "strong" })),
  ];
}

function about(theme: Theme, state: State, selection: Selection, now: number): Fact[] {
  const { kind, id, origin } = selection;
  if (origin !== undefined && state.origins.has(origin)) return originFacts(state, origin, now);
  if (kind === "process") return processFacts(state, id, now);
  if (kind === "login") return loginFacts(state, id, now);
  if (kind === "connection") return connectionFacts(theme, state, id, now);
  if (kind === "binary") return binaryFacts(state, id, now);
  if (kind === "place") return placeFacts(state, selection);
  if (kind === "past") return pastFacts(state, id);
  if (kind === "set-up") return setUpFacts(state, id, now);
  return groupFacts(state, selection);
}

const GROUPS: Record<string, string> = {
  "g:kernel": "threads of the kernel: they run no program",
  "g:services": "processes that belong to no login",
  "g:unseen": "processes that nobody saw come: an intruder's may be among them",
};

/** What a group holds: the roots of a heading of the tree, or each of the programs that were folded into one row. */
function groupFacts(state: State, { id, members = [], count }: Selection): Fact[] {
  const kept = members.flatMap((member) => state.processes.get(member) ?? []);
  const heading = GROUPS[id];
  if (heading !== undefined)
    return [{ label: "group", text: heading }, ...(kept.length > 0 ? [{ label: "holds", text: counted(kept.map(processName), 40) }] : [])];
  if (id.startsWith("a:"))
    return [
      {
        label: "group",
        text: id.startsWith("a:others") ? "logins that are too many to be told apart here: the log has each" : "what belongs to no login",
      },
    ];
  const all = Math.max(count ?? 0, kept.length);
  const alone = all - kept.length;
  return [
    { label: "group", text: `${plural(all, "program")} of one name that ended${kept.length > 0 ? ", newest first" : ""}` },
    ...(alone > 0
      ? [
          {
            label: "counted",
            text: `${kept.length > 0 ? `${plural(alone, "older one")} ` : ""}by number alone here: the log has each with its arguments`,
          },
        ]
      : []),
    ...kept.slice(0, 200).map((process) => ({
      label: clock(process.start),
      text: `${process.pid} ${process.args?.join(" ") ?? processName(process)}${process.unseen ? ` (not seen: ${Object.keys(process.unseen).join(", ")})` : ""}`,
    })),
  ];
}

function placeFacts(state: State, { id, members = [] }: Selection): Fact[] {
  const connections = members.flatMap((member) => state.connections.get(member) ?? []);
  const far = connections.map((c) => (c.direction === "egress" ? c.destination : c.source));
  const owners = connections.map(({ process }) => (process === undefined ? "not known" : processName(state.processes.get(process))));
  const cities = far.flatMap(({ geo }) => geo?.city_name ?? []);
  return [
    { label: "place", text: far.find(({ geo }) => geo?.country_name !== undefined)?.geo?.country_name ?? id, style: "place" },
    {
      label: "far ends",
      text: counted(
        connections.map((c, i) => (c.direction === "egress" ? `to ${address(c.destination)}` : `from ${far[i]?.ip}`)),
        20,
      ),
    },
    ...(cities.length > 0 ? [{ label: "cities", text: counted(cities) }] : []),
    { label: "networks", text: counted(far.map((end) => network(end) || "not known")) },
    ...placesByFact(state),
    { label: "programs", text: counted(owners) },
  ];
}
