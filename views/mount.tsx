import { PassThrough, Writable } from "node:stream";
import { render } from "ink";
import { App } from "./App.tsx";
import { AsciiWriter } from "./ascii.ts";
import type { Drawable } from "./drawable.ts";
import { FrameWriter } from "./frame-writer.ts";
import { type Key, KeyParser } from "./keys.ts";
import { LARGEST } from "./layout.ts";
import { Screen } from "./screen.ts";
import { defaultSettings } from "./settings.ts";
import type { ViewStore } from "./store.ts";
import { leaveNow, neverBlock, rawMode, type Streams } from "./terminal.ts";
import { colourLevel, lightBackground, makeTheme, type Theme, unicodeTerminal } from "./theme.ts";

export interface Mounted {
  /** Puts the terminal back as it was. Safe to call at any time, and more than once. */
  unmount(): void;
  /** Resolves after the terminal is back as it was; rejects with what a view threw. */
  waitUntilExit(): Promise<void>;
  /** For terminals whose stdout does not emit "resize" itself. */
  resize(columns: number, rows: number): void;
  /** Gives the terminal to somebody else for a while: as it was, and nothing is drawn. */
  suspend(): void;
  /** Takes it back, whatever was done to it meanwhile, and paints everything anew. */
  resume(): void;
}
export type MountedScreen = Mounted & { readonly screen: Screen };

/** Keys that belong to the terminal, not to the screen. */
export interface Hooks {
  /** Ctrl-Z: in raw mode the terminal makes no signal of it. */
  onStop?(): void;
}

/** A lone Escape is one when nothing follows for this long: sequences of a terminal arrive together, even over ssh. */
const ESCAPE_MS = 40;
/** Nobody types this much at once: text was pasted into a terminal that does not mark pastes, and must not be taken for commands. */
const MOST_KEYS = 1000;

/** Draws the screen on a terminal until `quit` is proposed or {@link Mounted.unmount} is called. */
export function mountScreen(store: ViewStore, streams: Streams, hooks: Hooks = {}): MountedScreen {
  const { settings = defaultSettings() } = streams;
  let over = false;
  const watched: ViewStore = quitWatching(store, () => {
    over = true;
    setImmediate(() => mounted.unmount()); // not from inside the key that asked for it
  });
  let screen: Screen | undefined;
  const make = (theme: Theme, columns: number, rows: number, send: (sequence: string) => void) => {
    screen = new Screen(watched, theme, columns, rows, settings, send);
    return screen;
  };
  const mounted = mount(make, { ...streams, settings }, { ...hooks, over: () => over });
  return { ...mounted, screen: screen as unknown as Screen };
}

/** Draws what `make` makes, for the size and the colours that the terminal has; it may `send` escape sequences of its own making. */
export function mount(
  make: (theme: Theme, columns: number, rows: number, send: (sequence: string) => void) => Drawable,
  streams: Streams,
  hooks: Hooks & { over?(): boolean } = {},
): Mounted {
  const { stdin, stdout, env = process.env, settings } = streams;
  const sizeOf = () => [clamped(stdout.columns ?? 80, LARGEST.columns), clamped(stdout.rows ?? 24, LARGEST.rows)] as const;
  const [columns, rows] = sizeOf();
  const unicode = unicodeTerminal(env);
  const writer = new (unicode ? FrameWriter : AsciiWriter)(stdout, columns, rows, settings?.mouse);
  const ours = (stdout as unknown) === process.stdout;
  const broken = Promise.withResolvers<never>();
  let restored = false;
  let suspended = false;
  const look = { ...settings?.look, palette: settings?.look.palette ?? (lightBackground(env) ? "light" : "dark") } as const;
  const drawn = make(makeTheme(colourLevel(env), unicode, look), columns, rows, (sequence) => writer.send(sequence));
  const keys = keysOf((pressed) => {
    if (hooks.over?.() || suspended) return;
    if (pressed.length > MOST_KEYS) return;
    for (const key of pressed) if (key.name === "ctrl-z") hooks.onStop?.();
    try {
      drawn.keys(pressed.filter(({ name }) => name !== "ctrl-z"));
    } catch (error) {
      if (ours) throw error;
      broken.reject(error); // another analyst's screen: it ends alone
      unmount();
    }
  });

  const resize = (c: number, r: number) => {
    writer.resize(clamped(c, LARGEST.columns), clamped(r, LARGEST.rows));
    drawn.resize(writer.columns, writer.rows);
  };
  const resized = () => {
    if (!suspended) resize(...sizeOf());
  };
  writer.on("painted", () => drawn.painted());
  const take = () => {
    neverBlock(stdout);
    writer.enter();
    rawMode(stdin, true);
    stdin.on("data", keys.feed);
    stdin.resume();
  };
  const give = () => {
    keys.close();
    stdin.off("data", keys.feed);
    rawMode(stdin, false);
    stdin.pause();
    writer.leave();
  };
  take();
  stdout.on("resize", resized);
  // A size that came and went faster than we looked is no "resize", but the terminal has shifted and cut what it showed.
  if (ours) process.on("SIGWINCH", resized);
  stdout.on("error", unmount);
  stdout.on("close", unmount);
  stdin.on("end", unmount);
  stdin.on("error", unmount); // EIO: the terminal is gone
  // a crash is told on the terminal's own screen, not on one that is gone a moment later
  process.on("uncaughtExceptionMonitor", restoreNow);
  process.on("exit", restoreNow);

  // Ink must not read the keyboard: its parser hands over what is typed ahead as one event
  const silent = Object.assign(new PassThrough(), { isTTY: false });
  // nor does it write: the rows go to the terminal past it
  const nowhere = Object.assign(new Writable({ write: (_chunk, _encoding, done) => done() }), { isTTY: true, columns, rows });
  const view = render(<App screen={drawn} draw={draw} gone={restore} />, {
    stdout: nowhere as unknown as NodeJS.WriteStream,
    stderr: nowhere as unknown as NodeJS.WriteStream,
    stdin: silent as unknown as NodeJS.ReadStream,
    debug: true,
    interactive: true,
    patchConsole: false,
    exitOnCtrlC: false,
  });
  function draw(frame: string): void {
    writer.write(frame);
  }
  const ended = Promise.race([broken.promise, view.waitUntilExit()]).then(restore, (error: unknown) => {
    restore();
    throw error;
  });
  ended.catch(() => {}); // whoever waits is told; an error nobody waits for must not end the process

  function restore(): void {
    if (restored) return;
    restored = true;
    drawn.close();
    stdin.off("end", unmount);
    stdout.off("resize", resized);
    if (ours) process.off("SIGWINCH", resized);
    stdout.off("close", unmount);
    process.off("uncaughtExceptionMonitor", restoreNow);
    if (!suspended) give();
    if (stdout.writable) stdout.write("", () => process.off("exit", restoreNow)); // until then the end of the process could overtake it
  }
  function restoreNow(): void {
    restore();
    leaveNow(stdout);
  }
  function unmount(): void {
    restore();
    view.unmount();
  }
  return {
    unmount,
    waitUntilExit: () => ended.then(() => {}),
    resize,
    suspend: () => {
      if (restored || suspended) return;
      suspended = true;
      give();
      leaveNow(stdout);
    },
    resume: () => {
      if (restored) return;
      if (!suspended) give(); // stopped by a signal that cannot be caught: the shell has the terminal as it wants it
      suspended = false;
      take();
      resized();
    },
  };
}

const clamped = (n: number, most: number) => Math.max(1, Math.min(most, Math.floor(n) || 1));

function quitWatching(store: ViewStore, quit: () => void): ViewStore {
  return {
    subscribe: (listener) => store.subscribe(listener),
    getSnapshot: () => store.getSnapshot(),
    get state() {
      return store.state;
    },
    get meta() {
      return store.meta;
    },
    get dialog() {
      return store.dialog;
    },
    get message() {
      return store.message;
    },
    get company() {
      return store.company;
    },
    get suggestions() {
      return store.suggestions;
    },
    now: () => store.now(),
    propose(intent) {
      store.propose(intent);
      if (intent.kind === "quit") quit();
    },
  };
}

/** The keyboard's bytes as keys. */
export function keysOf(press: (keys: readonly Key[]) => void) {
  const parser = new KeyParser();
  let timer: NodeJS.Timeout | undefined;
  return {
    feed(chunk: Uint8Array | string): void {
      clearTimeout(timer);
      press(parser.feed(chunk));
      if (parser.waiting) timer = setTimeout(() => press(parser.flush()), ESCAPE_MS);
    },
    close: () => clearTimeout(timer),
  };
}
