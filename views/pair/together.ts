import type { CommandContext } from "#commands/command";
import { subjectOf } from "#commands/pair";
import { isPaneName } from "#commands/pane";
import { type Subject, subjectKey } from "#model/presence";
import { leaderOf } from "#model/presence-selectors";
import { goTo } from "../jump.ts";
import type { ScreenState } from "../screen-state.ts";
import type { ViewStore } from "../store.ts";
import { ownPerson } from "./person.ts";

type Place = Parameters<typeof goTo>[0] & { readonly store: ViewStore; context(): CommandContext };

/** What one screen has to do with the others: it tells where its cursor is, and goes where the one goes that it follows. */
export class Together {
  readonly #screen: Place;
  /** What was told last. */
  #told = "";
  /** Where the followed cursor was when we last went there. */
  #led = "";

  constructor(screen: Place) {
    this.#screen = screen;
  }

  /** Where the cursor is; empty where nobody could want to know. */
  place(): string {
    if (!this.#screen.store.company) return "";
    const { pane, on } = this.#now();
    return `${pane} ${on ? subjectKey(on) : ""}`;
  }

  /** After keys, with what {@link place} said before them: whoever moves follows nobody. */
  moved(before: string): void {
    if (this.place() !== before) this.#tell();
  }

  /** A row may have become another under the cursor by itself. */
  painted(): void {
    const { company } = this.#screen.store;
    if (company && leaderOf(company.presence, company.seat) === undefined && this.place() !== this.#told) this.#tell();
  }

  #now(): { pane: string; on: Subject | undefined } {
    const { pane, selection } = this.#screen.context();
    return { pane, on: subjectOf(selection) };
  }

  #tell(): void {
    this.#told = this.place();
    const { pane, on } = this.#now();
    this.#screen.store.propose({ kind: "look", pane, ...(on ? { on } : {}) });
  }

  /** The screen with its cursor where the followed one is, once for each place: a fold or a filter of one's own is not fought over. */
  led(state: ScreenState): ScreenState {
    const { company } = this.#screen.store;
    const leader = company && ownPerson(company)?.following !== undefined ? leaderOf(company.presence, company.seat) : undefined;
    if (!leader?.on || !isPaneName(leader.pane)) {
      this.#led = "";
      return state;
    }
    const place = `${leader.pane} ${subjectKey(leader.on)}`;
    if (place === this.#led) return state;
    this.#led = place;
    const { kind, id } = leader.on;
    const prefix = kind === "process" ? "p:" : kind === "login" ? "l:" : kind === "binary" ? "b:" : "";
    const found = goTo(this.#screen, { pane: leader.pane, ids: [`${prefix}${id}`, id] }, `where ${leader.name} is`);
    return typeof found === "string" ? state : found;
  }
}
