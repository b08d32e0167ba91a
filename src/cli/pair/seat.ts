import type { SharedIntent } from "#commands/intent";
import { intentRefusal } from "#commands/roles";
import type { DoorView, ViewMeta } from "#draw/store";
import type { ResponseProgress } from "#model/response-progress";
import type { StartCard } from "#model/start-card";
import type { Live } from "../live.ts";
import { reporter } from "../reporter.ts";
import { viewStore } from "../view-store.ts";
import { act } from "./act.ts";
import { paced } from "./paced.ts";
import { CONSOLE_SEAT } from "./party.ts";

interface SeatOptions {
  seat: string;
  meta: () => ViewMeta;
  /** Of the console alone. */
  door?: { view: DoorView; open(keys?: string): void; close(): void };
  quit: () => void;
  /** Called with the answered start card. */
  onCard?: (card: StartCard) => void;
}

/**
 * One screen's way into the session: everything it asks for is held to the role that its analyst has at that moment, and done in his
 * name.
 */
export function seatStore(live: Live, { seat, meta, door, quit, onCard }: SeatOptions) {
  const { investigation, party } = live;
  const { responses } = investigation;
  const hidden = new HiddenDialog();
  const old = responses.progress;
  if (old && over(old)) hidden.hide(old); // how it went was read before this screen came
  const { store, tell } = viewStore(investigation, {
    meta,
    dialog: () => hidden.shown(responses.progress),
    company: () => ({ presence: party.presence, seat, ...(door ? { door: door.view } : {}) }),
    suggestions: () => live.profiles.suggestions(investigation.state),
    now: () => investigation.hostMillis(),
    propose,
  });
  party.listen(seat, tell);
  if (seat !== CONSOLE_SEAT) {
    // where the others' cursors are is no decision: on a busy host they stand on another row with every picture
    const decided = () => {
      const { driver, pointer, chat, people } = party.presence;
      const { judged, tags } = investigation.state;
      return [judged, tags.size, driver, pointer, chat, people.length, store.dialog, store.message];
    };
    store.subscribe = paced((listener) => investigation.publisher.subscribe(listener, true), decided);
  }
  const writeReport = reporter(live.folder, tell, () => investigation.flush());

  function propose(intent: SharedIntent): void {
    const asker = party.asker(seat);
    const name = party.nameOf(seat);
    if (!asker || name === undefined) return; // it has left
    if (intent.kind === "quit") return quit();
    if (intent.kind === "report") return writeReport();
    const progress = responses.progress;
    if (intent.kind === "dismiss" && progress?.id === intent.response && closesHere(progress, name)) {
      hidden.hide(progress);
      return investigation.publisher.now();
    }
    const refused = intentRefusal(intent, asker, investigation.state.twoPeople);
    if (refused !== undefined) return tell(refused, "warn");
    if (intent.kind === "open-door" || intent.kind === "close-door") {
      if (!door) return tell("only the console itself lets others in", "warn");
      return intent.kind === "open-door" ? door.open(intent.keys) : door.close();
    }
    act(live, seat, name, intent, (why) => tell(why, "warn"));
    if (intent.kind === "card" && !intent.card.skipped) onCard?.(intent.card);
  }

  /** Closing what only tells something is each screen's own; dropping a plan is for who made it, or who is to second it. */
  const closesHere = (progress: ResponseProgress, name: string) =>
    over(progress) || (progress.by !== name && (progress.two === undefined || party.asker(seat)?.mayDrive === false));

  return { store, tell };
}

const over = ({ phase }: ResponseProgress) => phase === "succeeded" || phase === "failed";

/** A dialog that was closed on one screen and may stay open on another. */
class HiddenDialog {
  #hidden = "";

  hide(progress: ResponseProgress): void {
    this.#hidden = tokenOf(progress);
  }

  shown(progress: ResponseProgress | undefined): ResponseProgress | undefined {
    return progress && tokenOf(progress) !== this.#hidden ? progress : undefined;
  }
}

/** How it went is another thing to read than the plan. */
const tokenOf = (progress: ResponseProgress) => `${progress.id} ${over(progress) ? "result" : "plan"}`;
