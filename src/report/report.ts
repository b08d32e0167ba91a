import type { StakeoutEvent } from "#model/event";
import type { State } from "#state/state";
import { castOf } from "./cast.ts";
import { type Clock, clockOf, fullTime } from "./clock.ts";
import { type Collected, collect } from "./collect.ts";
import { responsesSection, tagsSection } from "./decisions.ts";
import { code, prose, table } from "./escape.ts";
import { filesSection } from "./files.ts";
import { footprintSection } from "./footprint.ts";
import { sourcesSection, unseenSection } from "./limits.ts";
import { networkSection } from "./network.ts";
import { changedSection, pastSection } from "./past.ts";
import { peopleSection } from "./people.ts";
import { startCardSection } from "./start-card.ts";
import { summarySection } from "./summary.ts";
import { treeSection } from "./tree.ts";
import { findingsSection, rotateSection } from "./trust.ts";
import { count, duration } from "./words.ts";

/** What a report says of the session as a whole and the events do not. */
export interface Cover {
  /** As the analyst named the host. */
  hostLabel: string;
  /** The check of the chain: how many events it holds, the sha256 of the last line, lines that are damaged. */
  chain: { ok: boolean; events: number; head: string; broken: number };
  /** The session was ended, and session.json names the head. */
  sealed: boolean;
  /** The program that made the report. */
  version: string;
}

/**
 * The report of a session as Markdown (CommonMark with GFM tables). `state` is the reduce of all of `events`; `events` is read once, and
 * what is kept of it is bounded. Reads no clock: the same log gives the same report. All times are the host's, in UTC.
 */
export async function reportOf(state: State, events: AsyncIterable<StakeoutEvent>, cover: Cover): Promise<string> {
  const cast = castOf(state);
  const collected = await collect(state, cast, events);
  const clock = clockOf(state.started, state.now);
  const lines = [
    ...head(state, collected, cover),
    "## Summary",
    "",
    ...summarySection(state, cast, collected, clock),
    "## Start card",
    "",
    ...startCardSection(state, clock),
    "## What the host remembers of the time before",
    "",
    ...pastSection(state),
    "## Timeline",
    "",
    ...timelineSection(collected, clock),
    "## Processes of the intruder, and of logins that nobody vouched for",
    "",
    ...treeSection(state, cast, clock),
    "## Files",
    "",
    ...filesSection(state, cast, collected, clock),
    "## Connections",
    "",
    ...networkSection(state, cast, collected, clock),
    "## What changed in the host's set-up",
    "",
    ...changedSection(state),
    "## Findings",
    "",
    ...findingsSection(state, clock),
    "## Rotate",
    "",
    ...rotateSection(state, clock),
    "## Tags and notes",
    "",
    ...tagsSection(state, clock),
    "## Responses",
    "",
    ...responsesSection(state, collected, clock),
    "## Who did what",
    "",
    ...peopleSection(state, clock),
    "## What could not be seen",
    "",
    ...unseenSection(state, collected, cover.chain.broken, clock),
    "## Our own footprint",
    "",
    ...footprintSection(state, cast, collected, clock),
    "## Sources of data",
    "",
    ...sourcesSection(collected.start),
    "## The record",
    "",
    ...recordSection(collected, cover),
  ];
  return `${lines
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trimEnd()}\n`;
}

function head(state: State, { start }: Collected, cover: Cover): string[] {
  const made = start?.stakeout["connection_made"] as Record<string, unknown> | undefined;
  const analysts = new Set([
    state.card?.analyst ?? start?.stakeout.analyst,
    ...[...state.tags.values(), ...state.responses.values(), ...state.notes].map(({ analyst }) => analyst),
  ]);
  const label = cover.hostLabel === state.host.name ? "" : ` (named ${code(cover.hostLabel)} by the analyst)`;
  const address = made?.["address"] === undefined ? "" : `, reached at ${code(String(made["address"]))}`;
  return [
    `# Incident report: ${prose(state.host.name)}`,
    "",
    `- Host: ${code(state.host.name)}${label}${address}, machine id ${code(state.host.id)}`,
    `- Session: ${code(state.session)}`,
    `- Recorded: ${fullTime(state.started)} to ${fullTime(state.now)} (${duration(state.now - state.started)})`,
    `- Analyst: ${
      [...analysts]
        .filter((name) => name !== undefined)
        .map((name) => prose(name))
        .join(", ") || "not recorded"
    }`,
    `- Made by Stakeout ${prose(cover.version)} from ${count(cover.chain.events, "event")}. All times are the host's own clock, in UTC.`,
    "",
    `Text in \`this type\` is quoted from the host as it was seen there; a '·' stands for a character that cannot be shown, '…' for what was left out of a long line.`,
    "",
  ];
}

function timelineSection({ narration: { timeline } }: Collected, clock: Clock): string[] {
  const rows = timeline.lines().map(({ at, last, times, who, what, through }) => {
    const repeats = times > 1 ? ` — ${times} times until ${clock(last)}` : "";
    const got =
      through === undefined
        ? ""
        : times === 1
          ? through
            ? " — got through"
            : " — not seen to get through"
          : `, ${through === 0 ? "none" : through} got through`;
    return [clock(at), who, `${what}${repeats}${got}`];
  });
  const leftOut = timeline.leftOut(clock);
  return [
    "Repeats are merged and counted. Tagged responders are left out, but for their logins and decisions; so is what the host's services do by themselves.",
    "",
    ...table(["Time", "Who", "What"], rows),
    "",
    leftOut.length ? `Left out to keep this readable: ${leftOut.join("; ")}. The log has them all.` : "No line was left out for length.",
    "",
  ];
}

function recordSection(collected: Collected, { chain, sealed }: Cover): string[] {
  return [
    `The log holds ${count(chain.events, "event")}. Each line carries the sha256 of the line before it, so that no line can be changed unseen before the last one's hash is.`,
    "",
    `- sha256 of the last line: \`${chain.head || "not known: the last line is damaged"}\` (line ${collected.lastSequence})`,
    `- the chain was checked when this report was made: ${chain.ok ? "it is whole" : `**it is NOT whole: ${count(chain.broken, "damaged line")}** (stakeout verify names them)`}`,
    `- ${sealed ? "the session was ended and sealed with this hash" : "the session was not ended when this report was made: later lines are not in it, and nothing vouches for the last one"}`,
  ];
}
