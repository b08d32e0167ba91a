import type { Presence } from "#model/presence";
import { columns } from "../HostText.ts";
import { type Span, span } from "../row.ts";
import { personLetter, personStyle } from "./person.ts";

/** Who is here, the driver first, as well as `room` columns can tell it; nothing while one is alone. */
export function peopleSpans(presence: Presence | undefined, room: number): Span[] {
  if (!presence || presence.people.length < 2) return [];
  const first = presence.people.toSorted((a, b) => Number(b.name === presence.driver) - Number(a.name === presence.driver));
  const drives = (name: string) => (name === presence.driver ? " drives" : "");
  const named = first.flatMap((person): Span[] => [
    span(`${personLetter(presence, person)} `, personStyle(person)),
    span(`${person.name}${drives(person.name)}   `, person.name === presence.driver ? "strong" : "soft"),
  ]);
  const letters = first.flatMap((person): Span[] => [
    span(`${personLetter(presence, person)}`, personStyle(person)),
    span(`${person.name === presence.driver ? ` ${person.name} drives` : ""} `, "soft"),
  ]);
  const brief: Span[] = [...letters, span("  ")];
  const only: Span[] = [span(`${presence.people.length} here   `, "soft")];
  return [named, brief, only].find((spans) => spans.reduce((sum, { text }) => sum + columns(text), 0) <= room) ?? [];
}
