import { runningOf } from "#state/origins";
import type { OriginState, State } from "#state/state";
import { standingStyle } from "../panes/tree-row.ts";
import { entryOf, originText, writerText } from "../rows/origin.ts";
import { age, clock, plural } from "../words.ts";
import { type Fact, processText, some } from "./fact.ts";
import { traces } from "./process.ts";

/** Why something starts again and again, or what a login began beside itself: who is behind it, whether it can start again, what goes on now. */
export function originFacts(state: State, id: string, now: number): Fact[] {
  const origin = state.origins.get(id);
  if (!origin) return [];
  const { type, entry } = origin;
  return [
    ...(entry ? entryFacts(state, origin) : [{ label: type, text: originText(state, origin), style: "strong" as const }]),
    ...startedFacts(state, origin, now),
  ];
}

/** How often it began, what of it goes on, and what that called. */
export function startedFacts(state: State, origin: OriginState, now: number): Fact[] {
  const running = runningOf(state, origin);
  const ids = new Set([...origin.roots, ...running.map((process) => process.id)]);
  return [
    { label: "began", text: ranWords(origin, now) },
    running.length > 0
      ? { label: "goes on", text: some(running.map((one) => `${processText(one)} since ${clock(one.start)}`)), style: "warn" }
      : { label: "goes on", text: "nothing of it that is known" },
    ...traces(state, (process) => process !== undefined && ids.has(process)),
  ];
}

/** How often it began and when last. */
const ranWords = ({ runs, start, last }: OriginState, now: number): string =>
  runs > 1 ? `${plural(runs, "time")} since ${clock(start)}, last ${age(last, now)} ago` : `once, at ${clock(start)}`;

function entryFacts(state: State, origin: OriginState): Fact[] {
  const { type, entry, login } = origin;
  if (!entry) return [];
  const thing = entryOf(state, entry);
  const by = login === undefined ? undefined : state.logins.get(login);
  const which = entry.one_of === undefined ? "" : ` (one of ${entry.one_of} entries alike)`;
  return [
    { label: type, text: `${entry.path}${which}`, style: "strong" },
    ...(entry.line === undefined ? [] : [{ label: "says", text: entry.line.replaceAll("\t", " ") }]),
    {
      label: "entry",
      text:
        thing === undefined
          ? "not among what we know of the set-up"
          : thing.status === "gone"
            ? `gone since ${clock(thing.at)}: it starts nothing any more`
            : `still there${thing.status === "new" ? `, new since ${clock(thing.at)}` : ""}: it starts this again`,
      style: thing?.status === "gone" ? "text" : "warn",
    },
    { label: "written", text: writerText(state, origin).replace(/^written /, ""), ...(by ? { style: standingStyle(by.standing) } : {}) },
  ];
}
