import type { CommandContext, Keymap } from "#commands/command";
import { type Intent, isDecision, isShared, type SharedIntent } from "#commands/intent";
import { type MeasureItem, measuresFor } from "#commands/measures";
import type { PaneName } from "#commands/pane";
import { COMMANDS, invoke, resolve } from "#commands/registry";
import { outsideScope } from "#model/authority";
import type { State } from "#state/state";
import { Arming, dialogToken } from "./arming.ts";
import { cardDialogOf } from "./card-keys.ts";
import type { WorldMap } from "./charts/world-map.ts";
import { Clipboard } from "./clipboard.ts";
import { contextOf } from "./context.ts";
import { localDialogKey, responseDialogKey } from "./dialog-keys.ts";
import { filterKey } from "./filter/line.ts";
import { parseFilter } from "./filter/parse.ts";
import { type Frame, paintFrame, paneSizes } from "./frame.ts";
import type { Key, Mouse } from "./keys.ts";
import { Leaps } from "./leaps.ts";
import { type MeasuresDialog, measuresKey } from "./measures-keys.ts";
import { inDialog, onPane, pointedAt } from "./mouse.ts";
import { Notice } from "./notice.ts";
import { Together } from "./pair/together.ts";
import { Palette, type PaletteEntry } from "./palette.ts";
import type { Details } from "./panes/details.ts";
import type { Picture } from "./picture.ts";
import type { Lists } from "./rows/cache.ts";
import type { BaseRow } from "./rows/list.ts";
import type { Hidden } from "./rows/standing.ts";
import { firstScreenState, type Handled, locate, type Panes, reduceScreen, type ScreenState } from "./screen-state.ts";
import { Seen } from "./seen.ts";
import { defaultSettings, type Settings } from "./settings.ts";
import type { Message, ViewStore } from "./store.ts";
import type { Theme } from "./theme.ts";

/** The screen without a terminal: keys and sizes in, painted frames out. One an analyst. */
export class Screen implements Picture {
  state: ScreenState = firstScreenState();
  readonly store: ViewStore;
  readonly theme: Theme;
  readonly settings: Settings;
  /** The frame that was painted last: what a mouse points at. */
  #frame: Frame | undefined;
  readonly #palette = new Palette();
  readonly #together = new Together(this);
  #columns: number;
  #rows: number;
  readonly #notice: Notice;
  readonly #clipboard: Clipboard;
  #version = 0;
  readonly #listeners = new Set<() => void>();
  readonly #seen: Seen;
  readonly #leaps: Leaps;
  #maxScroll = 0;
  #held = false;
  #painting = false;
  /** A plan was asked for by the last key. */
  #asked = false;
  readonly #arming = new Arming(() => this.#changed());
  /** The dialog of the last frame. */
  #drawn = "";

  constructor(
    store: ViewStore,
    theme: Theme,
    columns: number,
    rows: number,
    settings: Settings = defaultSettings(),
    send?: (sequence: string) => void,
  ) {
    this.store = store;
    this.theme = theme;
    this.settings = settings;
    this.#notice = new Notice(store);
    this.#clipboard = new Clipboard(this.#notice, send);
    this.#leaps = new Leaps(this, this.#notice);
    this.#columns = columns;
    this.#rows = rows;
    this.#seen = new Seen(store, () => this.#changed());
    const { ask } = store.meta;
    if (ask) this.state = { ...this.state, dialog: cardDialogOf(ask) };
    if (settings.tour.due && !ask) {
      this.state = { ...this.state, dialog: { kind: "tour", step: 0 } };
      settings.tour.seen();
    }
  }

  get keymap(): Keymap {
    return this.settings.keymap;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    const off = this.store.subscribe(listener);
    this.#listeners.add(listener);
    return () => {
      off();
      this.#listeners.delete(listener);
    };
  };

  /** Changes when something may look different. */
  readonly getSnapshot = (): string => `${this.store.getSnapshot().version}.${this.#version}`;

  resize(columns: number, rows: number): void {
    this.#columns = columns;
    this.#rows = rows;
    this.#changed();
  }

  /** Keys in the order they were typed, drawn once: fast typing costs one frame, not one a key. */
  keys(keys: readonly Key[]): void {
    this.#held = true;
    const before = this.#together.place();
    try {
      for (const key of keys) {
        this.#key(key);
        if (this.#asked) break; // what was typed ahead of a plan was not meant for it
      }
    } finally {
      this.#held = false;
      this.#asked = false;
      this.#together.moved(before);
      if (keys.length > 0) this.#changed();
    }
  }

  /** What a key means depends on the dialog that is open, then on the registry. */
  #key(key: Key): void {
    const said = this.message !== undefined;
    this.#notice.read();
    this.#changed();
    const { dialog } = this.store;
    const { armed } = this;
    const local = this.state.dialog;
    if (key.mouse) return this.#mouse(key.mouse, said);
    if (dialog) return this.#handled(responseDialogKey(this.state, dialog, key, armed, this.store.company), key);
    if (local?.kind === "palette") return this.#paletteKey(key);
    if (local?.kind === "measures") return this.#measuresKey(local, key);
    if (local) return this.#handled(localDialogKey(this.state, key, armed, this.store), key);
    const { filter } = this.state;
    if (filter.typing && key.name !== "ctrl-s") this.state = { ...this.state, filter: filterKey(filter, key, this.settings.filters.all) };
    else if (filter.typing && filter.text.trim() === "") this.#notice.say("there is nothing to save yet: type a filter first");
    else if (filter.typing) this.state = { ...this.state, dialog: { kind: "name-filter", name: "", text: filter.text.trim() } };
    else this.#obey(resolve(key.name, this.context()));
  }

  #handled(handled: Handled, key: Key): void {
    this.state = { ...handled.state, planScroll: Math.min(handled.state.planScroll, this.#maxScroll) };
    const { dialog } = this.state;
    if (dialog && "scroll" in dialog)
      this.state = { ...this.state, dialog: { ...dialog, scroll: Math.min(dialog.scroll, this.#maxScroll) } };
    const said = handled.notice || undefined;
    if (handled.copy === undefined) this.#notice.say(said);
    else this.#clipboard.take(handled.copy, said);
    if (handled.save) {
      const { name, text } = handled.save;
      const problem = this.settings.filters.save(name, text);
      this.#notice.say(problem ?? `saved as ${name}: Tab in the filter's line offers it`, problem === undefined);
    }
    if (handled.goTo) this.#leaps.to(handled.goTo, "it");
    if (handled.intent) this.#propose(handled.intent);
    if (handled.pass) this.#key(key);
  }

  #obey(found: ReturnType<typeof resolve>): void {
    if (found && "disabled" in found) this.#notice.say(found.disabled);
    if (found && "intent" in found) this.#do(found.intent);
  }

  /** A click or the wheel. No dialog is confirmed by it: what matters takes a key. */
  #mouse(mouse: Mouse, said: boolean): void {
    if (this.store.dialog || (this.state.dialog && this.state.dialog.kind !== "tour")) {
      const keys = inDialog(mouse);
      if (keys.length === 0) this.#notice.say("a dialog takes keys alone: they stand on its last line");
      for (const key of keys) this.#key(key);
      return;
    }
    const pointed = this.#frame && pointedAt(this.#frame, mouse, this.context(), this.store.meta.replay);
    if (!pointed) return;
    if ("pane" in pointed) {
      const scrolled = { ...pointed, top: this.#seen.topOf(pointed.pane) };
      const next = onPane(this.state, mouse, scrolled, this.#panes());
      if (next === "again") this.#call("toggle-fold");
      else this.state = { ...next, following: false };
    } else if (mouse.what !== "click") return;
    else if ("at" in pointed) this.#do({ kind: "seek", to: { at: pointed.at } });
    else if (!said && !this.state.filter.typing) this.#call(pointed.command);
  }

  /** A command by its id, as its key would call it. */
  #call(id: string): void {
    const command = COMMANDS.find((one) => one.id === id);
    if (command) this.#obey(invoke(command, this.context()));
  }

  /** What the open palette offers. */
  palette(): readonly PaletteEntry[] {
    const { dialog } = this.state;
    return dialog?.kind === "palette" ? this.#palette.entries(dialog.text, this) : [];
  }

  #paletteKey(key: Key): void {
    const { state, notice, does } = this.#palette.press(key, this);
    this.state = state;
    this.#notice.say(notice);
    if (does && "command" in does) this.#obey(invoke(does.command, this.context()));
    else if (does && "goTo" in does) this.#leaps.to(does.goTo, "it");
  }

  #measuresKey(dialog: MeasuresDialog, key: Key): void {
    const { state, notice, intent } = measuresKey(this.state, dialog, key, this.measures(dialog), this.armed);
    this.state = state;
    this.#notice.say(notice);
    if (intent) this.#do(intent);
  }

  /** What can be done to the thing that the list was opened on. */
  measures(dialog: MeasuresDialog): readonly MeasureItem[] {
    return measuresFor(this.store.state, dialog.selection);
  }

  /** To be called when the newest frame has reached the terminal. */
  painted(): void {
    this.#arming.painted(this.#dialogToken(), this.store.dialog?.phase === "review");
    this.#together.painted();
  }

  /** Ends its timers. */
  close(): void {
    this.#seen.close();
    this.#arming.close();
  }

  context(): CommandContext {
    return contextOf(this, this.#row());
  }

  lists(): Lists {
    const { toggled, showHidden, filter, sorts } = this.state;
    // a key means what is on the screen: rows that nobody has seen yet are made for a picture alone, which shows them
    return this.#seen.lists({ toggled, showHidden, filter: filter.text, sorts }, !this.#painting);
  }

  get details(): Details {
    return this.#seen.details;
  }

  get world(): WorldMap | string | undefined {
    return this.#seen.world;
  }

  /** What the panes show: the state, or the copy that was frozen. */
  get seen(): State {
    return this.#seen.state;
  }

  get seenNow(): number {
    return this.#seen.now;
  }

  /** Events that came since the picture was frozen; undefined while it goes on. */
  get frozenFor(): number | undefined {
    return this.#seen.frozenFor;
  }

  get filtered(): boolean {
    return parseFilter(this.state.filter.text).length > 0;
  }

  /** Rows of the tree that the filter asked for. */
  get found(): number {
    this.lists();
    return this.#seen.cache.found;
  }

  get hidden(): Hidden {
    this.lists();
    return this.#seen.cache.hidden;
  }

  get live(): number {
    this.lists();
    return this.#seen.cache.live;
  }

  get message(): Message | undefined {
    return this.#notice.message;
  }

  /** The dialog that is open may be confirmed. */
  get armed(): boolean {
    return this.#arming.has(this.#dialogToken());
  }

  frame(): Frame {
    const token = this.#dialogToken();
    if (token !== this.#drawn) {
      const { allowing: _, ...state } = this.state;
      this.state = { ...state, planScroll: 0 }; // another text is read from its start
    }
    this.#drawn = token;
    this.#painting = true;
    try {
      this.lead();
      if (this.state.following && token === "") this.#leaps.follow(this.lists()[this.state.pane]);
      this.state = this.#together.led(this.state);
      this.#frame = paintFrame(this, this.#columns, this.#rows);
    } finally {
      this.#painting = false;
    }
    return this.#frame;
  }

  /** To what the newest message is about; where that is not on the screen, the message says so. */
  lead(): void {
    this.#leaps.lead(this.store.message);
  }

  /** Whether a row carries the analyst's own mark. */
  marked(pane: PaneName, key: string): boolean {
    return this.state.marks.some((mark) => mark.key === key && mark.pane === pane);
  }

  /** First row to show of a pane. */
  top(pane: PaneName, height: number): number {
    return this.#seen.scroll(pane, this.lists()[pane], this.state.cursors[pane], height);
  }

  /** Told by the painter: how far the open dialog can scroll. */
  limitScroll(max: number): void {
    this.#maxScroll = max;
  }

  #do(intent: Intent): void {
    if (isShared(intent)) {
      if (intent.kind === "plan" && outsideScope(this.store.state.card, intent.response)) {
        const { response, measure } = intent;
        this.state = { ...this.state, dialog: { kind: "reason", response, text: "", ...(measure ? { measure } : {}) } };
      } else this.#propose(intent);
    } else if (intent.kind === "leave" && !this.store.state.isolated) this.store.propose({ kind: "quit" });
    else if (intent.kind === "leave" && this.store.meta.mode === "replay") this.store.propose({ kind: "quit" });
    else if (intent.kind === "sockets") {
      if (this.store.meta.mode !== "replay") this.#propose({ kind: "ask-sockets" });
      this.state = reduceScreen(this.state, intent, this.#panes());
    } else if (intent.kind === "freeze") this.#seen.freeze(!this.#seen.frozen);
    else if (intent.kind === "jump") this.#leaps.jump(this.#row()?.selection, intent.to);
    else if (intent.kind === "mark") this.#leaps.mark(this.#row());
    else if (intent.kind === "next-own-mark") this.#leaps.nextMark(this.#row());
    else if (intent.kind === "copy") this.#clipboard.copy(this, this.#row()?.selection, intent.what);
    else if (intent.kind === "jump-back") this.#leaps.back();
    else if (intent.kind === "jump-forward") this.#leaps.forward();
    else this.state = reduceScreen(this.state, intent, this.#panes());
    this.#changed();
  }

  /** A decision is to be seen: a frozen picture goes on with it. */
  #propose(intent: SharedIntent): void {
    if (intent.kind === "plan") this.#asked = true;
    if (isDecision(intent)) this.#seen.freeze(false);
    this.store.propose(intent);
  }

  /** The row with the cursor. */
  #row() {
    const { pane, cursors } = this.state;
    const list: readonly BaseRow[] = this.lists()[pane];
    return list[locate(list, cursors[pane])];
  }

  #panes(): Panes {
    const lists = this.lists();
    return { lists, page: paneSizes(this, this.#columns, this.#rows) };
  }

  #dialogToken(): string {
    return dialogToken(this.store.dialog, this.state.dialog?.kind);
  }

  #changed(): void {
    this.#version++;
    if (this.#held) return;
    for (const listener of this.#listeners) listener();
  }
}
