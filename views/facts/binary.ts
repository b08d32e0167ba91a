import { mountWords } from "#model/file-flags";
import { visiblePath } from "#model/host-string";
import { looksPacked, programWords } from "#model/program";
import { flagsOf, isInMemory } from "#state/flags";
import { hashedWords } from "#state/known";
import { type BinaryState, RANDOM_LOOKING, type State } from "#state/state";
import { age, bytes, clock, plural } from "../words.ts";
import { type Fact, knownFact, loginFact, ownerFact, processText, some } from "./fact.ts";

/** A time long before the file was first seen is its copy's or its archive's, or was set. */
function modifiedWords({ modified, first, writer }: BinaryState): string {
  if (modified === undefined) return "";
  const when = new Date(modified).toISOString().slice(0, 19).replace("T", " ");
  const older = writer !== undefined && modified < first - 60_000 ? ": before it was seen to appear, so kept from elsewhere, or set" : "";
  return `, modified ${when}${older}`;
}

export function binaryFacts(state: State, path: string, now: number): Fact[] {
  const b = state.binaries.get(path);
  if (!b) return [];
  const writers = b.writers.map((id) => processText(state.processes.get(id)));
  const unseen = b.unseenHand ? `${writers.length > 0 ? "; by " : ""}somebody whom no sensor saw` : "";
  const runners = b.runners.map((id) => processText(state.processes.get(id)));
  const looks = b.random === undefined ? "not scored" : `randomness ${b.random.toFixed(2)} of 1`;
  const flags = flagsOf(b);
  return [
    { label: "path", text: `B${b.number} ${visiblePath(b.path)}`, style: "strong" },
    {
      label: "sha256",
      text: b.sha256 ? `${b.sha256}${hashedWords(b.hashed)}` : b.unread ? "not readable: it was gone, or no plain file" : "not known yet",
    },
    ...knownFact(state, b.path),
    ...ownerFact(state, b.path),
    {
      label: "ran",
      text: b.runs === 0 ? "not seen running" : `${plural(b.runs, "time")}: ${some(runners)}`,
      ...(b.runs > 0 ? { style: "warn" as const } : {}),
    },
    {
      label: "written",
      text: writers.length + unseen.length === 0 ? "nobody saw by whom" : `by ${some(writers)}${unseen}`,
      ...(b.unseenHand ? { style: "warn" as const } : {}),
    },
    {
      label: "name",
      text: (b.random ?? 0) >= RANDOM_LOOKING ? `looks random (${looks})` : looks,
      ...((b.random ?? 0) >= RANDOM_LOOKING ? { style: "suspect" as const } : {}),
    },
    {
      label: "size",
      text: `${bytes(b.size)}${b.mode ? `, mode ${b.mode}` : ""}${b.elf === undefined ? "" : b.elf ? ", ELF" : ", not ELF"}`,
    },
    {
      label: "where",
      text: `${flags.length === 0 ? "nothing unusual in its path" : flags.join(", ")}${isInMemory(b) ? "" : `; ${b.mount ? mountWords(b.mount) : "its mount was not seen"}`}`,
      ...(flags.length === 0 ? {} : { style: "warn" as const }),
    },
    ...(b.uid === undefined ? [] : [{ label: "owner", text: `${state.users.get(b.uid) ?? "uid"} ${b.uid}${modifiedWords(b)}` }]),
    ...(b.program
      ? [{ label: "program", text: programWords(b.program), ...(looksPacked(b.program) ? { style: "suspect" as const } : {}) }]
      : []),
    {
      label: "first",
      text: `seen ${clock(b.first)}, ${age(b.first, now)} ago${b.nameless ? "; it never had a name in its folder" : isInMemory(b) ? "; no file has it, it was in memory alone (memfd)" : b.deleted ? ", deleted since" : ""}`,
    },
    ...loginFact(state, b.login),
  ];
}
