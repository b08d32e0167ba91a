import type { CommandEnd, Criteria, RecordedCommand, TagEffect } from "#model/event";
import { type Criterion, criterionNames } from "./criteria.ts";

const WORDS: Record<Criterion, (value: string) => string> = {
  user: (value) => `user ${value}`,
  source: (value) => `logins from ${value}`,
  sha256: (value) => `sha256 ${value.slice(0, 12)}…`,
  package: () => "unchanged files of packages",
  unit: (value) => `unit ${value}`,
  container: (value) => `container ${value.slice(0, 12)}`,
  cron: (value) => `cron entry ${value}`,
  command: (value) => `command ${value}`,
};

/** What criteria select, in words: `user root, logins from 198.51.100.0/24`. Values may be host text, raw. */
export const criteriaWords = (criteria: Criteria): string =>
  criterionNames(criteria)
    .map((name) => WORDS[name](criteria[name] ?? ""))
    .join(", ");

const count = (n: number, one: string, many = `${one}s`) => `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;

/** `212 processes, 31 connections, 4 binaries, of which 2 were flagged`. */
export function effectWords({ processes, connections, binaries, flagged }: TagEffect): string {
  const all = `${count(processes, "process", "processes")}, ${count(connections, "connection")}, ${count(binaries, "binary", "binaries")}`;
  return flagged === 0 ? all : `${all}, of which ${flagged} ${flagged === 1 ? "was" : "were"} flagged`;
}

const ENDS: Record<CommandEnd, string> = {
  time: "ended by us: its time was over",
  size: "ended by us: it wrote more than is kept",
  analyst: "ended by an analyst",
  lost: "the connection was lost",
};
/** How a command ended: `exit 0`, `ended after its time`. */
export function outcomeOf({ exit_code: code, ended, error }: RecordedCommand): string {
  if (error !== undefined) return `could not be run: ${error}`;
  if (ended !== undefined) return ENDS[ended];
  return code === undefined ? "ended by a signal" : `exit ${code}`;
}

const STEPS: Record<string, string> = {
  armed: "dead man armed",
  cut: "the rules are in force",
  guard: "the rules a second time, held by a process of ours",
  lease: "the host reverts by itself when it does not hear from us",
  earlier: "files of an earlier isolation taken off the disk",
};
/** What a step of a script is called for a reader; one of another name is told by that. */
export const stepWords = (name: string): string => STEPS[name] ?? name;

/** What an analyst did with a response that succeeded, for those whose name says it badly. */
export const RESPONSE_DONE: Partial<Record<string, string>> = {
  isolate: "isolated the host",
  release: "released the host",
  rehearse: "rehearsed the isolation: its rules counted and cut nobody",
};
