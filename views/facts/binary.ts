import { RANDOM_LOOKING, type State } from "#state/state";
import { age, bytes, clock, plural } from "../words.ts";
import { type Fact, loginFact, ownerFact, processText, some } from "./fact.ts";

export function binaryFacts(state: State, path: string, now: number): Fact[] {
  const b = state.binaries.get(path);
  if (!b) return [];
  const number = [...state.binaries.keys()].indexOf(b.path) + 1;
  const writers = b.writers.map((id) => processText(state.processes.get(id)));
  const unseen = b.unseenHand ? `${writers.length > 0 ? "; " : ""}somebody whom no sensor saw` : "";
  const runners = b.runners.map((id) => processText(state.processes.get(id)));
  const looks = b.random === undefined ? "not scored" : `randomness ${b.random.toFixed(2)} of 1`;
  return [
    { label: "path", text: `B${number} ${b.path}`, style: "strong" },
    { label: "sha256", text: b.sha256 ?? (b.unread ? "not readable: it was gone, or no plain file" : "not known yet") },
    ...ownerFact(state, b.path),
    {
      label: "ran",
      text: b.runs === 0 ? "not seen running" : `${plural(b.runs, "time")}: ${some(runners)}`,
      ...(b.runs > 0 ? { style: "warn" as const } : {}),
    },
    {
      label: "wrote",
      text: writers.length + unseen.length === 0 ? "not seen who" : `${some(writers)}${unseen}`,
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
      label: "first",
      text: `seen ${clock(b.first)}, ${age(b.first, now)} ago${b.nameless ? "; it never had a name in its folder" : b.deleted ? ", deleted since" : ""}`,
    },
    ...loginFact(state, b.login),
  ];
}
