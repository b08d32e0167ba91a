import type { Person, Presence, Subject } from "#model/presence";

/** What was asked for is not done, and why, for whoever asked. */
export type Refusal = { refused: string };
export type Outcome = Presence | Refusal;

export const refuse = (refused: string): Refusal => ({ refused });
export const find = (presence: Presence, seat: string) => presence.people.find((person) => person.seat === seat);

/** The session with the console's own screen alone, which drives. */
export function atConsole(name: string, at: number): Presence {
  const person: Person = { seat: "console", name, person: name, mayDrive: true, console: true, since: at, colour: 0 };
  return { people: [person], driver: name, chat: [] };
}

export function joined(presence: Presence, newcomer: Pick<Person, "seat" | "name" | "person" | "mayDrive">, at: number): Outcome {
  const { seat, name, person, mayDrive } = newcomer;
  if (find(presence, seat)) return refuse(`the seat ${seat} is taken`);
  const taken = new Set(presence.people.map(({ colour }) => colour));
  let colour = 0;
  while (taken.has(colour)) colour += 1;
  return { ...presence, people: [...presence.people, { seat, name, person, mayDrive, console: false, since: at, colour }] };
}

/** The drive goes back to the console when the last screen of who has it is gone. */
export function left(presence: Presence, seat: string): Presence {
  const people = presence.people
    .filter((person) => person.seat !== seat)
    .map((person) => (person.following === seat ? still(person) : person));
  const stays = people.some(({ name }) => name === presence.driver);
  const console_ = people.find(({ console }) => console);
  return { ...presence, people, driver: stays ? presence.driver : (console_?.name ?? presence.driver) };
}

const still = ({ following: _, ...person }: Person): Person => person;

/** A screen's own cursor moved: whoever moves follows nobody. */
export function moved(presence: Presence, seat: string, pane: string, on: Subject | undefined): Presence {
  const people = presence.people.map((person) => {
    if (person.seat !== seat) return person;
    const { on: _, ...rest } = still(person);
    return { ...rest, pane, ...(on ? { on } : {}) };
  });
  return { ...presence, people };
}
