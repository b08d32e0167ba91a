import { writeSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import type { Settings } from "./settings.ts";

/** A terminal's two ends: the process's own, or a channel of an ssh server. */
export interface Streams {
  stdin: Readable & { isTTY?: boolean; setRawMode?(on: boolean): unknown };
  stdout: Writable & { columns?: number; rows?: number; isTTY?: boolean };
  /** Variables that say what the terminal can show; the process's own when left out. */
  env?: Record<string, string | undefined>;
  /** What the analyst has chosen; without it, a screen has no mouse. */
  settings?: Settings;
}

/**
 * What takes a terminal back to how every shell expects it: synchronized output ended, colours off, pastes not bracketed, no mouse,
 * the cursor shown, the alternate screen left (DEC private modes 2026, 2004, 1000, 1002, 1003, 1006, 25, 1049; xterm's ctlseqs).
 */
export const LEAVE = "\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?25h\x1b[?1049l";

interface Handle {
  fd?: number;
  setBlocking?(on: boolean): unknown;
}

/** Takes the terminal's own line editing away, or gives it back. */
export function rawMode(stdin: Streams["stdin"], on: boolean): void {
  if (!stdin.isTTY) return;
  try {
    stdin.setRawMode?.(on);
  } catch {
    // EIO: the terminal is gone, and with it its modes
  }
}

/**
 * Writes to a terminal must not wait: Node makes them block, and a terminal that stops reading (Ctrl-S, a frozen ssh) would stop the
 * recording. After this they are queued, and `write` says when the terminal falls behind.
 */
export function neverBlock(stdout: Streams["stdout"]): void {
  if (stdout.isTTY) (stdout as { _handle?: Handle })._handle?.setBlocking?.(false);
}

/** Puts the terminal back at once, past all that still waits in the stream's queue: for the moment in which the process ends. */
export function leaveNow(stdout: Streams["stdout"]): void {
  const fd = (stdout as { _handle?: Handle })._handle?.fd;
  if (fd === undefined || fd < 0 || stdout.writableLength === 0) return;
  try {
    writeSync(fd, LEAVE);
  } catch {
    // EAGAIN: a terminal that does not read cannot be told; EIO: it is gone
  }
}
