import { type Person, type Pointer, type Presence, type Role, subjectKey } from "./presence.ts";

export const roleOf = (presence: Presence, name: string): Role => (presence.driver === name ? "driver" : "spectator");

/** How long a pointer flashes. */
const POINTER_MS = 4000;

/** The pointer while it flashes. */
export const pointerAt = ({ pointer }: Presence, now: number): Pointer | undefined =>
  pointer && now >= pointer.at && now - pointer.at < POINTER_MS ? pointer : undefined;

/** Who besides `seat` has the cursor on what, by `kind:id`: the marks on the rows. */
export function marksFor(presence: Presence, seat: string): Map<string, Person[]> {
  const marks = new Map<string, Person[]>();
  for (const person of presence.people) {
    if (person.seat === seat || !person.on) continue;
    const key = subjectKey(person.on);
    marks.set(key, [...(marks.get(key) ?? []), person]);
  }
  return marks;
}

/** Whose cursor a screen shows in the place of its own: the end of the chain of who follows whom. */
export function leaderOf(presence: Presence, seat: string): Person | undefined {
  const seats = new Map(presence.people.map((person) => [person.seat, person]));
  const passed = new Set([seat]);
  let at = seats.get(seat);
  while (at?.following !== undefined && !passed.has(at.following)) {
    passed.add(at.following);
    at = seats.get(at.following) ?? at;
  }
  return at?.seat === seat ? undefined : at;
}

/** Somebody else than `name` is here who may confirm with him. */
export function partnersOf(presence: Presence, name: string): string[] {
  const me = presence.people.find((person) => person.name === name);
  const others = presence.people.filter(({ mayDrive, person }) => mayDrive && person !== (me?.person ?? name));
  return [...new Set(others.map((other) => other.name))];
}
