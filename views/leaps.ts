import type { Selection } from "#commands/command";
import type { Destination } from "./find.ts";
import { goTo, type JumpTo, jumpTarget } from "./jump.ts";
import { nextMark, toggleMark } from "./marks.ts";
import type { Notice } from "./notice.ts";
import { type BaseRow, newestRow } from "./rows/list.ts";
import type { Message } from "./store.ts";
import { thingName } from "./thing.ts";
import { type Place, placeOf, Trail } from "./trail.ts";

type Around = Parameters<typeof goTo>[0];

/**
 * The cursor's leaps: to what belongs to a thing, to what was found, to the analyst's own marks, and the way back of each. Those that no
 * key asks for too: to what a message is about, and to the newest row.
 */
export class Leaps {
  readonly #screen: Around;
  readonly #notice: Notice;
  readonly #trail = new Trail();
  /** The message that the cursor followed last. */
  #led: Message | undefined;

  /** `screen` is the one that leaps: its state becomes another. */
  constructor(screen: Around, notice: Notice) {
    this.#screen = screen;
    this.#notice = notice;
  }

  /** To what belongs to the selected thing. */
  jump(from: Selection | undefined, to: JumpTo): void {
    const target = from ? jumpTarget(this.#screen.seen, from, to) : "nothing is selected";
    if (typeof target === "string") this.#notice.say(target);
    else this.to(target, `its ${to}`);
  }

  /** To a row, wherever it is; the way back is remembered. `what` names it where there is none. */
  to(target: Destination, what: string): boolean {
    const why = this.missed(target, what);
    if (why !== undefined) this.#notice.say(why);
    return why === undefined;
  }

  /** The same; in words, why there is none. */
  missed(target: Destination, what = "it"): string | undefined {
    const before = placeOf(this.#screen.state);
    const found = goTo(this.#screen, target, what);
    if (typeof found === "string") return found;
    this.#trail.left(before);
    this.#screen.state = found;
    return undefined;
  }

  /** To where the last leap began. */
  back(): void {
    if (!this.#stand(this.#trail.back(placeOf(this.#screen.state)))) this.#notice.say("there was no jump to go back from");
  }

  /** To where the last step back began. */
  forward(): void {
    if (!this.#stand(this.#trail.forward(placeOf(this.#screen.state)))) this.#notice.say("there was no step back to undo");
  }

  /** Marks a row for this analyst alone, or takes its mark away. */
  mark(row: BaseRow | undefined): void {
    if (!row) return;
    const { state, notice } = toggleMark(this.#screen.state, row.key, thingName(this.#screen.seen, row.selection));
    this.#screen.state = state;
    this.#notice.say(notice, true);
  }

  /** To the mark after the row with the cursor. */
  nextMark(row: BaseRow | undefined): void {
    const next = nextMark(this.#screen.state, row?.key);
    if (!next) return;
    const { mark, at } = next;
    // one that cannot be shown is passed over by the next key
    this.#screen.state = { ...this.#screen.state, markAt: at };
    if (this.to({ pane: mark.pane, ids: [mark.key] }, `what you marked (${mark.name})`))
      this.#notice.say(`your mark ${at + 1} of ${this.#screen.state.marks.length}: ${mark.name}`, true);
  }

  /** To what a message is about; where that is not on the screen, the message says so. */
  lead(message: Message | undefined): void {
    if (message === this.#led || !message?.about) return;
    this.#led = message;
    const why = this.missed(message.about);
    if (why !== undefined) this.#notice.say(`${message.text} (${why})`, true);
  }

  /** To the newest row of the list that has the cursor; there is no way back of that. */
  follow(list: readonly BaseRow[]): void {
    const { pane, cursors } = this.#screen.state;
    const newest = newestRow(list);
    if (!newest || cursors[pane].key === newest.key) return;
    const cursor = { key: newest.key, index: list.indexOf(newest) };
    this.#screen.state = { ...this.#screen.state, cursors: { ...cursors, [pane]: cursor } };
  }

  #stand(place: Place | undefined): boolean {
    if (place) this.#screen.state = { ...this.#screen.state, ...place, following: false };
    return place !== undefined;
  }
}
