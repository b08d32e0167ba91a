import { printable } from "#model/host-string";
import type { Person, Presence, Subject } from "#model/presence";
import { find, type Outcome, refuse } from "./presence.ts";

const MOST_CHAT = 100;
const LONGEST_CHAT = 300;

const free = ({ following: _, ...person }: Person): Person => person;
const of = (presence: Presence, seat: string, change: (person: Person) => Person): Presence => ({
  ...presence,
  people: presence.people.map((person) => (person.seat === seat ? change(person) : person)),
});

/** This screen shows the other's cursor from now on; without `whom`, its own again. */
export function following(presence: Presence, seat: string, whom: string | undefined): Outcome {
  const me = find(presence, seat);
  if (!me) return refuse("this screen has left");
  if (whom === undefined) return of(presence, seat, free);
  const leader = find(presence, whom);
  if (!leader || whom === seat) return refuse("there is nobody to follow");
  for (let at: Person | undefined = leader; at?.following !== undefined; at = find(presence, at.following))
    if (at.following === seat) return refuse(`${leader.name} follows you: one must lead`);
  return of(presence, seat, (person) => ({ ...person, following: whom }));
}

/** Every other screen follows this one; each may leave again by moving. */
export function followMe(presence: Presence, seat: string): Outcome {
  if (!find(presence, seat)) return refuse("this screen has left");
  if (presence.people.length < 2) return refuse("nobody else is here");
  return {
    ...presence,
    people: presence.people.map((person) => (person.seat === seat ? free(person) : { ...person, following: seat })),
  };
}

/** "Look here." */
export function pointed(presence: Presence, seat: string, on: Subject, at: number): Outcome {
  const me = find(presence, seat);
  return me ? { ...presence, pointer: { name: me.name, colour: me.colour, on, at } } : refuse("this screen has left");
}

/** A short line for everybody; what is said and not noted is gone with the session. */
export function said(presence: Presence, seat: string, text: string, at: number): Outcome {
  const me = find(presence, seat);
  if (!me) return refuse("this screen has left");
  const line = printable(text.replace(/\s+/g, " ").trim());
  if (line === "") return refuse("nothing was written");
  if (Array.from(line).length > LONGEST_CHAT) return refuse(`a line of chat has at most ${LONGEST_CHAT} characters: a note may be longer`);
  return { ...presence, chat: [...presence.chat, { at, name: me.name, text: line }].slice(-MOST_CHAT) };
}

/**
 * The drive goes to `to`. Only who drives can give it; the console, which holds the connection to the host, can take it back at any time.
 */
export function handedOver(presence: Presence, seat: string, to: string): Outcome {
  const me = find(presence, seat);
  if (!me) return refuse("this screen has left");
  const next = presence.people.find(({ name }) => name === to);
  if (!next) return refuse(`${printable(to)} is not here`);
  if (to === presence.driver) return refuse(`${to === me.name ? "you drive" : `${to} drives`} already`);
  if (me.name !== presence.driver && !(me.console && to === me.name)) return refuse(`${presence.driver} drives: ask for the drive`);
  if (!next.mayDrive) return refuse(`${to} was let in to watch only`);
  return { ...presence, driver: to };
}
