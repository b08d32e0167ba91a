import type { Socket } from "node:net";
import type { PseudoTtyInfo, ServerChannel } from "ssh2";
import { KeysIn, pumpKeys } from "./keys-in.ts";
import { ScreenOut } from "./screen-out.ts";

/** One analyst's terminal at the far end of a channel: the two streams and the hints that a screen is mounted on. */
export interface PairTerminal {
  readonly stdin: KeysIn;
  /** Emits "resize"; "close" when the client has gone. */
  readonly stdout: ScreenOut;
  /** What it can show, as variables of an environment. The client's own variables are never taken. */
  readonly env: { readonly TERM: string; readonly COLORTERM?: string; readonly LANG: string };
}

export type Size = Pick<PseudoTtyInfo, "cols" | "rows">;

const LARGEST = { columns: 500, rows: 200 };
/** A client that drags its window, or floods sizes, gives so many new screens a second at most. */
const RESIZE_EVERY_MS = 50;

/** A size as a client gives it, in bounds; zero means that it does not know (RFC 4254, section 6.2). */
export function boundedSize({ cols, rows }: Size): { columns: number; rows: number } {
  const bounded = (n: number, most: number, unknown: number) => (Number.isInteger(n) && n > 0 ? Math.min(n, most) : unknown);
  return { columns: bounded(cols, LARGEST.columns, 80), rows: bounded(rows, LARGEST.rows, 24) };
}

/** Terminals that show 24-bit colours and name themselves in TERM: COLORTERM, which says so elsewhere, is not taken from a client. */
const TRUE_COLOUR = /-direct$|^(?:xterm-(?:kitty|ghostty)|alacritty|foot|wezterm|contour|iterm2)/;

/** The hints that follow from the terminal type of the client's pty request. */
export function hintsOf(term: string): PairTerminal["env"] {
  const TERM = /^[A-Za-z0-9][\w.+-]{0,63}$/.test(term) ? term : "xterm";
  return { TERM, LANG: "C.UTF-8", ...(TRUE_COLOUR.test(TERM) ? { COLORTERM: "truecolor" } : {}) };
}

/** Makes the terminal of a client. `close` takes no more keys, and calls `sent` when the last that was written has left, if it ever does. */
export function openTerminal(
  channel: ServerChannel,
  socket: Socket,
  pty: PseudoTtyInfo,
  on: { stalledMs: number; key(): void; flood(): void; stalled(): void },
): { terminal: PairTerminal; resize(size: Size): void; close(sent: () => void): void } {
  const stdin = new KeysIn();
  const stdout = new ScreenOut({ channel, socket, ...boundedSize(pty), stalledMs: on.stalledMs, onStalled: on.stalled });
  const stopKeys = pumpKeys(channel, stdin, { onKey: on.key, onFlood: on.flood });
  let wanted: Size | undefined;
  let timer: NodeJS.Timeout | undefined;
  const apply = () => {
    timer = undefined;
    if (!wanted) return;
    const { columns, rows } = boundedSize(wanted);
    wanted = undefined;
    timer = setTimeout(apply, RESIZE_EVERY_MS);
    stdout.resize(columns, rows);
  };
  const gone = () => stdout.destroy();
  channel.once("close", gone);
  socket.once("close", gone);
  return {
    terminal: { stdin, stdout, env: hintsOf(pty.term) },
    resize: (size) => {
      wanted = size;
      if (!timer) apply();
    },
    close: (sent) => {
      clearTimeout(timer);
      stopKeys();
      stdin.end();
      stdout.end(sent);
    },
  };
}
