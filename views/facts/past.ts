import { forgeableBy } from "#model/past";
import { seenLogin } from "#state/past";
import { pastConcerns } from "#state/past-order";
import type { SetUpState, State } from "#state/state";
import { pastText, seenAs, spaced } from "../panes/past-row.ts";
import { address, clock, day, network, place, plural } from "../words.ts";
import { type Fact, loginFact, processText } from "./fact.ts";
import { startedFacts } from "./origin.ts";

const FORGES = {
  root: "root can forge this",
  anybody: "root can forge this, and any account can add such lines (logger)",
  "its owner": "its owner and root can forge this",
} as const;

/** Everything about a thing that the host remembers. */
export function pastFacts(state: State, id: string): Fact[] {
  const past = state.past.rows.find((row) => row.id === id);
  if (!past) return [];
  const { source } = past;
  const seen = seenLogin(state, past);
  const concerns = pastConcerns(state, past);
  const left = seen?.end === undefined ? "still in" : `left ${clock(seen.end)}`;
  return [
    {
      label: past.kind,
      text: pastText(seen?.end === undefined ? past : { ...past, open: false }, { brief: true, narrow: true }),
      style: "strong",
    },
    {
      label: "when",
      text: past.count > 1 ? `${plural(past.count, "time")}, first ${year(past.first)}, last ${year(past.last)}` : year(past.last),
    },
    ...(source
      ? [
          {
            label: "from",
            text: [address(source), place(source), source.geo?.country_name, network(source)].filter(Boolean).join(", "),
            style: "place" as const,
          },
        ]
      : []),
    ...(seen ? [{ label: "seen as", text: `${seenAs(state, past)}${seen.ours ? "'s own login" : `, ${seen.standing}`}, ${left}` }] : []),
    ...(concerns.length > 0 ? [{ label: "why here", text: concerns.join("; ") }] : []),
    ...(past.methods ? [{ label: "how", text: past.methods.join(", ") }] : []),
    ...(past.keys ? [{ label: "keys", text: past.keys.join(" ") }] : []),
    ...(past.tty ? [{ label: "tty", text: past.tty }] : []),
    { label: "stands in", text: past.from.join(", ") },
    { label: "trust", text: FORGES[forgeableBy(past)], style: "warn" },
    ...(state.past.blind.length > 0 ? [{ label: "unread", text: state.past.blind.join("; "), style: "warn" as const }] : []),
  ];
}

const year = (at: number): string =>
  at > 0 && at < 8e15 ? `${new Date(at).toISOString().slice(0, 4)}-${day(at)}` : "at a time that is not told";

/** Everything about a thing of the set-up. */
export function setUpFacts(state: State, id: string, now: number): Fact[] {
  const thing = state.setUp.get(id);
  if (!thing) return [];
  const status = { new: `new since ${clock(thing.at)}`, gone: `gone since ${clock(thing.at)}`, here: "as it was when we came" }[
    thing.status
  ];
  return [
    { label: thing.category, text: spaced(thing.name), style: "strong" },
    ...(thing.detail === "" ? [] : [{ label: "says", text: spaced(thing.detail) }]),
    { label: "baseline", text: status, ...(thing.status === "here" ? {} : { style: "suspect" as const }) },
    ...broughtFacts(state, thing, now),
  ];
}

/** Who wrote the file of it, where that was seen, and what it has started since. */
function broughtFacts(state: State, { id, name }: SetUpState, now: number): Fact[] {
  const writer = state.binaries.get(name)?.writer;
  const process = writer === undefined ? undefined : state.processes.get(writer);
  const login = process?.login === undefined ? undefined : state.logins.get(process.login);
  const origin = state.origins.get(id);
  return [
    ...(process
      ? [{ label: "written", text: `by ${processText(process)}`, style: "warn" as const }, ...loginFact(state, login?.id, writer)]
      : []),
    ...(origin ? startedFacts(state, origin, now) : []),
  ];
}
