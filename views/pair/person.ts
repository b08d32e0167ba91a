import type { Person, Presence } from "#model/presence";
import type { Style } from "../theme.ts";

const STYLES: readonly Style[] = ["analyst1", "analyst2", "analyst3", "analyst4"];

/** The colour of an analyst's; after the fourth they come again, and the letter tells them apart. */
export const personStyle = ({ colour }: { colour: number }): Style => STYLES[colour % STYLES.length] ?? "analyst1";

/** The letter of an analyst's mark: what tells him without colours. Of two with one letter, the later one has his number. */
export function personLetter({ people }: Presence, person: Person): string {
  const letterOf = ({ name }: Person) => (Array.from(name)[0] ?? "?").toUpperCase();
  const first = people.find((other) => letterOf(other) === letterOf(person));
  return first === undefined || first.name === person.name ? letterOf(person) : String(people.indexOf(person) + 1);
}

export const ownPerson = (company: { presence: Presence; seat: string } | undefined): Person | undefined =>
  company?.presence.people.find(({ seat }) => seat === company.seat);
