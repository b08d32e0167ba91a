import type { PresenceIntent } from "#commands/intent";
import type { Asker } from "#commands/roles";
import { askerOf } from "#commands/roles";
import type { Message } from "#draw/store";
import type { Colleagues } from "#investigation/confirmations";
import type { People } from "#investigation/people";
import type { Person, Presence, Subject } from "#model/presence";
import { partnersOf } from "#model/presence-selectors";
import type { Act } from "#state/decided-state";
import type { ListedAnalyst } from "../../pair/analysts.ts";
import { atConsole, find, joined, left, moved, type Outcome } from "../../pair/presence.ts";
import { following, followMe, handedOver, pointed, said } from "../../pair/together.ts";

export const CONSOLE_SEAT = "console";

/** A pointer flashes by being painted anew this often, for as long as it is one. */
const FLASH_EVERY_MS = 500;
const FLASHES = 9;

interface PartyOptions {
  /** The analyst at the console. */
  name: string;
  /** Milliseconds since the epoch, on the clock that the screens show. */
  now: () => number;
  /** What a thing is called. */
  thing: (on: Subject) => string;
  /** What belongs to the record. */
  record: () => People;
  /** What this analyst confirmed counts no more. */
  withdraw: (name: string) => void;
  /** Something is to be seen: at once, or as soon as anything else is. */
  changed: (when: "now" | "soon") => void;
}

type Tell = (text: string, level: Message["level"]) => void;

/** Everybody who has a screen on this session, and what each may do: the one place where presence is changed. */
export class Party implements Colleagues {
  readonly #options: PartyOptions;
  #presence: Presence;
  #seats = 0;
  readonly #ears = new Map<string, Tell>();
  #flash: NodeJS.Timeout | undefined;

  constructor(options: PartyOptions) {
    this.#options = options;
    this.#presence = atConsole(options.name, options.now());
  }

  get presence(): Presence {
    return this.#presence;
  }

  /** What is said to a screen. */
  listen(seat: string, tell: Tell): void {
    this.#ears.set(seat, tell);
  }

  /** A line to every screen but one. */
  tellOthers(seat: string | undefined, text: string, level: Message["level"] = "info"): void {
    for (const [other, tell] of this.#ears) if (other !== seat) tell(text, level);
  }

  /** What an analyst has done for the record, to every screen but one. */
  did(seat: string | undefined, name: string, { what, on }: Pick<Act, "what" | "on">): void {
    this.tellOthers(seat, `${name} ${what}${on ? ` (${this.#options.thing(on)})` : ""}`);
  }

  asker(seat: string): Asker | undefined {
    return askerOf({ presence: this.#presence, seat });
  }

  nameOf(seat: string): string | undefined {
    return this.#person(seat)?.name;
  }

  join({ name, person, mayDrive, fingerprint }: Omit<ListedAnalyst, "key" | "id">, address: string): string {
    const seat = `s${++this.#seats}`;
    const outcome = joined(this.#presence, { seat, name, person, mayDrive }, this.#options.now());
    if ("refused" in outcome) throw new Error(outcome.refused);
    const first = this.#presence.people.length === 1;
    this.#presence = outcome;
    const role = this.asker(seat)?.role ?? "spectator";
    // With the first who joins it begins to matter who drives: the record says it once.
    if (first && this.#seats === 1) this.#options.record().joined(this.#presence.driver, { seat: CONSOLE_SEAT, role: "driver" });
    this.#options.record().joined(name, { seat, role, key: fingerprint, address });
    this.tellOthers(seat, `${name} has joined from ${address}${mayDrive ? "" : ", to watch only"}`);
    return seat;
  }

  leave(seat: string, reason?: string): void {
    const person = this.#person(seat);
    if (!person) return;
    const { driver } = this.#presence;
    this.#presence = left(this.#presence, seat);
    this.#ears.delete(seat);
    const { record, withdraw } = this.#options;
    record().left(person.name, seat, reason);
    if (!this.#presence.people.some(({ name }) => name === person.name)) withdraw(person.name);
    const back = this.#presence.driver !== driver;
    if (back) record().handedOver(person.name, driver, this.#presence.driver, "who drove has left: the drive is the console's again");
    this.tellOthers(seat, `${person.name} has left${back ? `: ${this.#presence.driver} drives now` : ""}`, back ? "warn" : "info");
    this.#options.changed("now");
  }

  /** The analyst at the console says who he is: the start card. */
  rename(name: string): void {
    const before = this.nameOf(CONSOLE_SEAT);
    const { people, driver } = this.#presence;
    this.#presence = {
      ...this.#presence,
      driver: driver === before ? name : driver,
      people: people.map((person) => (person.seat === CONSOLE_SEAT ? { ...person, name, person: name } : person)),
    };
  }

  /** The drive goes to another analyst. @returns why it was not done */
  handOver(seat: string, to: string): string | undefined {
    const { driver } = this.#presence;
    const refused = this.#take(handedOver(this.#presence, seat, to));
    if (refused !== undefined) return refused;
    this.#options.record().handedOver(this.nameOf(seat) ?? driver, driver, to);
    this.tellOthers(undefined, `${to} drives now: only ${to} can change the host`);
    return undefined;
  }

  /** Where somebody looks and what he says in passing. @returns why it was not done */
  present(seat: string, intent: PresenceIntent): string | undefined {
    if (intent.kind === "look") {
      this.#presence = moved(this.#presence, seat, intent.pane, intent.on);
      if (this.#presence.people.length > 1) this.#options.changed("soon"); // the own screen shows its cursor first
      return undefined;
    }
    const now = this.#options.now();
    const name = this.nameOf(seat) ?? "";
    if (intent.kind === "follow-partner") return this.#take(following(this.#presence, seat, intent.whom));
    if (intent.kind === "lead") {
      const refused = this.#take(followMe(this.#presence, seat));
      if (refused === undefined) this.tellOthers(seat, `you follow ${name} now; move, and your cursor is yours again`);
      return refused;
    }
    if (intent.kind === "chat") {
      const refused = this.#take(said(this.#presence, seat, intent.text, now));
      if (refused === undefined) this.tellOthers(seat, `${name}: ${this.#presence.chat.at(-1)?.text ?? ""}`);
      return refused;
    }
    const refused = this.#take(pointed(this.#presence, seat, intent.on, now));
    if (refused !== undefined) return refused;
    this.tellOthers(seat, `${name}: look here, at ${this.#options.thing(intent.on)}`);
    this.#flashing();
    return undefined;
  }

  #flashing(): void {
    clearInterval(this.#flash);
    let left = FLASHES;
    this.#flash = setInterval(() => {
      if (--left <= 0) clearInterval(this.#flash);
      this.#options.changed("now");
    }, FLASH_EVERY_MS);
    this.#flash.unref();
  }

  close(): void {
    clearInterval(this.#flash);
  }

  refused(analyst: string, act: "plan" | "confirm" | "second"): string | undefined {
    const { driver, people } = this.#presence;
    const mayDrive = people.some(({ name, mayDrive }) => name === analyst && mayDrive);
    if (act === "second" ? mayDrive : mayDrive && driver === analyst) return undefined;
    return mayDrive ? `${driver} drives, and only the driver may change the host` : `${analyst} was let in to watch`;
  }

  partners(analyst: string): readonly string[] {
    return partnersOf(this.#presence, analyst);
  }

  samePerson(one: string, other: string): boolean {
    const person = (wanted: string) => this.#presence.people.find(({ name }) => name === wanted)?.person ?? wanted;
    return person(one).toLowerCase() === person(other).toLowerCase();
  }

  #person(seat: string): Person | undefined {
    return find(this.#presence, seat);
  }

  #take(outcome: Outcome): string | undefined {
    if ("refused" in outcome) return outcome.refused;
    this.#presence = outcome;
    this.#options.changed("now");
    return undefined;
  }
}
