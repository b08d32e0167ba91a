import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pty from "@lydell/node-pty";
import { HeadlessScreen } from "./screen.ts";

export interface ConsoleInPty {
  screen: HeadlessScreen;
  pid: number;
  /** Types, as a keyboard would: names of keys, or text as it is. */
  press(...keys: string[]): void;
  /** Called with every piece of output as it arrives. */
  onOutput(listener: (data: string) => void): void;
  resize(columns: number, rows: number): void;
  kill(signal: NodeJS.Signals): void;
  /** The terminal is gone: a closed window, a lost connection. */
  hangUp(): void;
  /** The terminal stops reading, or reads again: Ctrl-S, a frozen connection. */
  reads(on: boolean): void;
  /** Exit code, or 128 + signal. */
  readonly exited: Promise<number>;
}

const KEYS: Record<string, string> = {
  enter: "\r",
  escape: "\x1b",
  tab: "\t",
  up: "\x1b[A",
  down: "\x1b[B",
  right: "\x1b[C",
  left: "\x1b[D",
  backspace: "\x7f",
  home: "\x1b[H",
  end: "\x1b[F",
  pageup: "\x1b[5~",
  pagedown: "\x1b[6~",
  "shift-tab": "\x1b[Z",
  delete: "\x1b[3~",
  "ctrl-r": "\x12",
};

/** A terminal of today, and memory as the bootstrap gives it (src/bootstrap/run.mjs). */
const TERMINAL = { TERM: "xterm-256color", COLORTERM: "truecolor", LANG: "C.UTF-8", MALLOC_ARENA_MAX: "2" };

let home: string | undefined;

/** A home of the tests' own, in which the tour was seen: what the machine's user has set or saved must not matter. */
function testHome(): Record<string, string> {
  if (home === undefined) {
    const made = mkdtempSync(join(tmpdir(), "stakeout-home-"));
    mkdirSync(join(made, "stakeout"));
    writeFileSync(join(made, "stakeout", "console.json"), '{"tour":true}');
    process.on("exit", () => rmSync(made, { recursive: true, force: true }));
    home = made;
  }
  return { XDG_STATE_HOME: home, XDG_CONFIG_HOME: home };
}

/** Runs a program in a pseudo-terminal whose screen can be read. */
export function inPty(argv: readonly string[], columns: number, rows: number, env: Record<string, string> = {}): ConsoleInPty {
  const screen = new HeadlessScreen(columns, rows);
  const { CI: _, NO_COLOR: __, ...inherited } = process.env; // Ink prints only the last frame when it sees CI
  const child = pty.spawn(argv[0] as string, argv.slice(1), {
    cols: columns,
    rows,
    name: "xterm-256color",
    env: { ...inherited, ...TERMINAL, ...testHome(), ...env } as Record<string, string>,
  });
  const listeners: ((data: string) => void)[] = [];
  child.onData((data) => {
    for (const listener of listeners) listener(data);
    screen.stdout.write(data);
  });
  const exited = new Promise<number>((resolve) => {
    child.onExit(({ exitCode, signal }) => resolve(signal ? 128 + signal : exitCode));
  });
  return {
    screen,
    pid: child.pid,
    exited,
    press: (...keys) => {
      for (const key of keys) child.write(KEYS[key] ?? key);
    },
    onOutput: (listener) => listeners.push(listener),
    resize: (c, r) => {
      child.resize(c, r);
      screen.resize(c, r);
    },
    kill: (signal) => child.kill(signal),
    hangUp: () => (child as unknown as { destroy(): void }).destroy(),
    reads: (on) => (on ? child.resume() : child.pause()),
  };
}
