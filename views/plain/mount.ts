import type { State } from "#state/state";
import { ascii } from "../ascii.ts";
import type { Key } from "../keys.ts";
import { type Hooks, keysOf, type Mounted } from "../mount.tsx";
import { secondWords } from "../pair/second.ts";
import { Screen } from "../screen.ts";
import { locate, type ScreenState } from "../screen-state.ts";
import { defaultSettings } from "../settings.ts";
import type { Message, ViewStore } from "../store.ts";
import { selectorOf, typedPart, typedValue } from "../tags/dialog.ts";
import { entriesOf } from "../tags/entries.ts";
import { neverBlock, rawMode, type Streams } from "../terminal.ts";
import { makeTheme, unicodeTerminal } from "../theme.ts";
import { clock, count } from "../words.ts";
import {
  beforeText,
  CARD_LABELS,
  choiceText,
  entryText,
  fieldText,
  findingText,
  localDialogText,
  responseText,
  tagEntryText,
  verdictText,
} from "./dialogs.ts";
import { Happenings } from "./happenings.ts";
import { otherDialogText } from "./other-dialog.ts";
import { paneSentence, rowSentence } from "./sentences.ts";
import { Speaker } from "./speaker.ts";

/** The size that page keys go by: nothing is drawn. */
const SIZE = [120, 40] as const;
const LOOK_EVERY_MS = 250;
/** News of one moment that are told one by one. */
const MOST_NEWS = 12;

/**
 * The console as sentences, for screen readers and terminals that can do nothing: the same keys, the same store, no screen. What is
 * moved to is read, what happens is told as a line of its own.
 */
export function mountPlain(store: ViewStore, streams: Streams, hooks: Hooks = {}): Mounted {
  const { stdin, stdout, env = process.env, settings = defaultSettings() } = streams;
  const speaker = new Speaker(stdout, unicodeTerminal(env) ? (text) => text : ascii);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let over = false;
  let suspended = false;
  const screen = new Screen(store, makeTheme("none"), ...SIZE, { ...settings, tour: { due: false, seen: () => {} } });
  const talk = new Conversation(screen, speaker);
  const keys = keysOf((pressed) => {
    try {
      for (const key of pressed) {
        if (over || suspended) return;
        if (key.name === "ctrl-z") hooks.onStop?.();
        else talk.key(key);
      }
    } catch (error) {
      close();
      reject(error);
    }
  });
  const take = () => {
    neverBlock(stdout);
    rawMode(stdin, true);
    stdin.on("data", keys.feed);
    stdin.resume();
  };
  const give = () => {
    stdin.off("data", keys.feed);
    rawMode(stdin, false);
    stdin.pause();
  };
  const stop = screen.subscribe(() => {
    screen.lead();
    talk.published();
  });
  const timer = setInterval(() => talk.look(), LOOK_EVERY_MS);
  const unmount = () => {
    close();
    resolve();
  };
  const close = () => {
    if (over) return;
    over = true;
    stop();
    clearInterval(timer);
    keys.close();
    screen.close();
    for (const event of ["end", "error"] as const) stdin.off(event, unmount);
    process.off("exit", restore);
    speaker.close();
    if (!suspended) give();
  };
  const restore = () => rawMode(stdin, false);
  stdin.on("end", unmount);
  stdin.on("error", unmount);
  stdout.on("error", unmount);
  process.on("exit", restore);
  take();
  talk.begin();
  return {
    unmount,
    waitUntilExit: () => promise,
    resize: () => {},
    suspend: () => {
      if (over || suspended) return;
      suspended = true;
      speaker.typed();
      give();
    },
    resume: () => {
      if (over) return;
      if (!suspended) give();
      suspended = false;
      take();
      talk.where();
    },
  };
}

/** What is said, and when. */
class Conversation {
  readonly #screen: Screen;
  readonly #speaker: Speaker;
  readonly #news = new Happenings();
  #dialog = "";
  /** Who has confirmed the plan that was read, where two must. */
  #confirmed = "";
  /** What was said of a rehearsal or a grab. */
  #before: string | undefined;
  #message: Message | undefined;
  #steps = 0;
  #place: number | undefined;

  constructor(screen: Screen, speaker: Speaker) {
    this.#screen = screen;
    this.#speaker = speaker;
  }

  begin(): void {
    const { meta, state } = this.#screen.store;
    const { keymap } = this.#screen;
    const blind = [...state.sensors.values()].flatMap(({ report }) => report.blind ?? []);
    this.#speaker.say(
      `Stakeout, ${meta.hostLabel}, ${meta.mode === "live" ? "live" : "a recorded session"}, plain mode. ${keymap.label("help")} reads the keys. ${keymap.label("quit")} leaves.`,
      ...blind.map((sentence) => `Not seen: ${sentence}`),
    );
    this.look();
    this.#dialogs();
  }

  /** Where the keys are. */
  where(): void {
    this.#speaker.say(paneSentence(this.#screen.context(), this.#screen.lists()), this.#row());
  }

  key(key: Key): void {
    const screen = this.#screen;
    const before = screen.state;
    const context = screen.context();
    screen.keys([key]);
    const after = screen.state;
    const now = screen.context();
    const line = typedLine(before, after);
    if (line) this.#speaker.type(line.label, line.text);
    else this.#speaker.typed();
    this.#changed(before, after);
    const elsewhere =
      after.pane !== before.pane ||
      now.showHidden !== context.showHidden ||
      (!line && (before.filter.typing || before.filter.text !== after.filter.text));
    const row = now.selection?.id !== context.selection?.id || after.cursors !== before.cursors || after.toggled !== before.toggled;
    if (elsewhere) this.where();
    else if (!after.dialog && !line && row) this.#speaker.say(this.#row());
    if (now.frozen !== context.frozen)
      this.#speaker.say(now.frozen ? "The picture stands still; events go on being recorded." : "The picture goes on.");
    this.#messages();
    this.#dialogs();
    this.#moved();
  }

  /** The store or the screen changed. */
  published(): void {
    this.#messages();
    this.#dialogs();
    this.#screen.painted(); // a sentence is said as soon as it is there
  }

  look(): void {
    const news = this.#news.look(this.#screen.store.state);
    this.#speaker.say(...news.slice(0, MOST_NEWS));
    if (news.length > MOST_NEWS) this.#speaker.say(`And ${count(news.length - MOST_NEWS)} more things happened: the panes have them.`);
  }

  #row(): string {
    const screen = this.#screen;
    const lists = screen.lists();
    const { pane, cursors } = screen.state;
    const at = locate(lists[pane], cursors[pane]);
    return at < 0 ? "Nothing is here." : rowSentence(lists, pane, at, screen.seen, screen.seenNow);
  }

  #messages(): void {
    const { message } = this.#screen;
    if (message === undefined) this.#message = undefined;
    else if (message.text !== this.#message?.text) {
      this.#message = message;
      this.#speaker.say(`${message.level === "info" ? "" : "Attention. "}${message.text}${/[.!?]$/.test(message.text) ? "" : "."}`);
    }
  }

  /** Inside of a dialog: what the key changed. */
  #changed(before: ScreenState, after: ScreenState): void {
    const [was, is] = [before.dialog, after.dialog];
    if (is?.kind === "card" && was?.kind === "card" && (is.field !== was.field || is.scope !== was.scope)) this.#speaker.say(fieldText(is));
    const { store } = this.#screen;
    if (is?.kind === "tag" && was?.kind === "tag") {
      if (is.verdict !== was.verdict || is.scope !== was.scope) this.#speaker.say(verdictText(is));
      if (is.at !== was.at || is.hidesFlagged !== was.hidesFlagged || is.typing !== was.typing) this.#speaker.say(choiceText(is, store));
    }
    if (is?.kind === "tags" && was?.kind === "tags" && is.at !== was.at)
      this.#speaker.say(tagEntryText(store.state, entriesOf(store.state, store.suggestions), is.at));
    if (is?.kind === "findings" && was?.kind === "findings") this.#speaker.say(...findingText(store.state, was, is));
    if (is?.kind === "measures" && (was?.kind !== "measures" || is.at !== was.at))
      this.#speaker.say(`${is.at + 1} of ${this.#screen.measures(is).length}, ${this.#screen.measures(is)[is.at]?.title ?? "nothing"}.`);
    if (is?.kind === "palette" && was?.kind === "palette" && (is.at !== was.at || is.text !== was.text))
      this.#speaker.say(entryText(this.#screen.palette(), is.at));
  }

  /** A dialog that opened, or a response that went on. */
  #dialogs(): void {
    const screen = this.#screen;
    const { dialog } = screen.store;
    const local = screen.state.dialog;
    const token = dialog ? `${dialog.id} ${dialog.phase}` : localToken(local, screen.store.state);
    const confirmed = dialog?.two?.confirmed?.by ?? "";
    if (dialog && token === this.#dialog && confirmed !== this.#confirmed)
      this.#speaker.say(responseText(dialog, "", secondWords(dialog, screen.store)).at(-1) ?? "");
    this.#confirmed = confirmed;
    const before = dialog && beforeText(dialog);
    if (before !== undefined && before !== this.#before) this.#speaker.say(before);
    this.#before = before;
    if (dialog)
      for (const step of dialog.steps.slice(this.#steps))
        if (step.status === "ok" || step.status === "failed") {
          this.#steps += 1;
          this.#speaker.say(`${step.status === "ok" ? "Done" : "FAILED"}: ${step.name}${step.said ? `: ${step.said}` : ""}.`);
        }
    if (token === this.#dialog) return;
    const opened = this.#dialog;
    this.#dialog = token;
    if (dialog?.phase !== "running") this.#steps = dialog?.steps.length ?? 0;
    if (dialog) this.#speaker.say(...responseText(dialog, screen.store.meta.hostLabel, secondWords(dialog, screen.store)));
    else if (local) {
      const text = localDialogText(local, screen);
      this.#speaker.say(...(text.length > 0 ? text : otherDialogText(screen)));
      if (local.kind === "help") screen.keys([{ name: "escape" }]); // read out, there is nothing to close
    } else if (opened !== "help") this.#speaker.say("Closed.");
    screen.painted();
  }

  /** In a replay: where it stands now, unless it plays on by itself. */
  #moved(): void {
    const { replay } = this.#screen.store.meta;
    if (!replay) return;
    if (this.#place !== undefined && replay.position !== this.#place && !replay.playing)
      this.#speaker.say(`${clock(replay.at)}, event ${count(replay.position)} of ${count(replay.length)}.`);
    this.#place = replay.position;
  }
}

/** The line that this key has typed in: its name, and what stands in it. Undefined where the key typed nothing. */
function typedLine(before: ScreenState, after: ScreenState): { label: string; text: string } | undefined {
  if (after.allowing !== undefined) return { label: "Let through", text: after.allowing };
  if (after.filter.typing) return { label: "Filter", text: after.filter.text };
  const [was, is] = [before.dialog, after.dialog];
  if (is?.kind === "findings" && was?.kind === "findings" && is.dismissing && was.dismissing && is.dismissing.text !== was.dismissing.text)
    return { label: "Reason", text: is.dismissing.text };
  if (is?.kind === "reason" && was?.kind === "reason" && is.text !== was.text) return { label: "Reason", text: is.text };
  if (is?.kind === "tag" && was?.kind === "tag") {
    if (is.typing && is.choices !== was.choices)
      return { label: typedPart(selectorOf(is)) ?? "Value", text: typedValue(selectorOf(is)) ?? "" };
    return is.reason === was.reason ? undefined : { label: "Reason", text: is.reason };
  }
  if (is?.kind === "compose-command" && was?.kind === "compose-command" && is.text !== was.text) return { label: "Command", text: is.text };
  if (is?.kind === "search" && was?.kind === "search" && is.text !== was.text) return { label: "Words", text: is.text };
  if (is?.kind === "palette" && was?.kind === "palette" && is.text !== was.text) return { label: "Palette", text: is.text };
  if (is?.kind === "name-filter" && was?.kind === "name-filter") return { label: "Name", text: is.name };
  if (is?.kind !== "card" || was?.kind !== "card" || is.field !== was.field || is.field === "scope") return undefined;
  return is.texts[is.field] === was.texts[is.field] ? undefined : { label: CARD_LABELS[is.field], text: is.texts[is.field] };
}

/** A dialog of another step is told anew. */
const localToken = (local: ScreenState["dialog"], state: State): string => {
  if (local?.kind === "tour") return `tour ${local.step}`;
  if (local?.kind === "commands")
    return `commands ${local.back} ${local.scroll} ${[...state.commands.values()].at(-1 - local.back)?.end ?? ""}`;
  return local?.kind === "people" && local.keys !== undefined ? "people, keys" : (local?.kind ?? "");
};
