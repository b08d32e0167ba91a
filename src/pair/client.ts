import type { Socket } from "node:net";
import type { Connection, PseudoTtyInfo, ServerChannel } from "ssh2";
import type { Limits } from "./admission.ts";
import type { ListedAnalyst } from "./analysts.ts";
import { openTerminal, type PairTerminal } from "./terminal.ts";

/** A screen on a client's terminal. */
export interface Mounted {
  /** Puts the terminal back as it was; may be called at any time, and more than once. */
  unmount(): void;
  /** Settles when the screen is over; rejects with what went wrong in it. */
  waitUntilExit(): Promise<void>;
}
/** `address`: where the client comes from. */
export type Mount = (terminal: PairTerminal, analyst: ListedAnalyst, address: string) => Mounted;

export interface Seat {
  readonly analyst: ListedAnalyst;
  /** Ends the screen and then the connection; `why` is told on the client's terminal. */
  leave(why?: string): void;
}

/** What has left is waited for this long before the connection is cut. */
const FAREWELL_MS = 2000;

/**
 * Serves a client that has shown who it is: one session with a terminal and a screen on it, and nothing else. Programs, files, subsystems,
 * variables, agents, displays and ports are refused, by saying nothing to the requests: ssh2 rejects what nobody listens to.
 * `full` says why there is no room for one more; `onSeated` is called when the screen is there, `onLeft` once when it is over.
 */
export function serveClient(
  client: Connection,
  socket: Socket,
  analyst: ListedAnalyst,
  options: { limits: Limits; mount: Mount; full(): string | undefined; onSeated(seat: Seat): void; onLeft(seat: Seat): void },
): void {
  let taken = false;
  client.on("session", (accept, reject) => {
    if (taken) return reject();
    taken = true;
    const session = accept();
    let pty: PseudoTtyInfo | undefined;
    let open: ReturnType<typeof openScreen> | undefined;
    session.on("pty", (agree, refuse, info) => {
      if (pty) return refuse?.();
      pty = info;
      agree?.();
    });
    session.on("window-change", (agree, _refuse, size) => {
      agree?.();
      if (open) open.resize(size);
      else if (pty) pty = { ...pty, cols: size.cols, rows: size.rows };
    });
    session.on("signal", (agree) => {
      agree?.();
      open?.seat.leave();
    });
    session.once("shell", (agree) => {
      const channel = agree();
      channel.on("error", () => {}); // the close that follows says enough
      const full = options.full();
      if (!pty) return sayAndEnd(channel, socket, 1, "a terminal is needed: ssh without -T and without a command.");
      if (full !== undefined) return sayAndEnd(channel, socket, 1, full);
      open = openScreen(client, socket, channel, pty, analyst, options);
    });
  });
}

function openScreen(
  client: Connection,
  socket: Socket,
  channel: ServerChannel,
  pty: PseudoTtyInfo,
  analyst: ListedAnalyst,
  { limits, mount, onSeated, onLeft }: Parameters<typeof serveClient>[3],
) {
  let mounted: Mounted | undefined;
  let over = false;
  const seat: Seat = { analyst, leave };
  const idle = setTimeout(() => leave(`nothing was pressed for ${Math.round(limits.idleMs / 60_000)} minutes.`), limits.idleMs);
  const { terminal, resize, close } = openTerminal(channel, socket, pty, {
    stalledMs: limits.stalledMs,
    key: () => void idle.refresh(),
    flood: () => leave("too many keys at once."),
    stalled: () => {
      leave();
      socket.destroy(); // it takes nothing: what is said would only wait
    },
  });
  const gone = () => leave();
  channel.once("close", gone);
  client.once("close", gone);
  try {
    mounted = mount(terminal, analyst, socket.remoteAddress ?? "an unknown address");
    onSeated(seat);
    mounted.waitUntilExit().then(gone, (error: Error) => leave(`the screen failed (${error.message}).`, 1));
  } catch (error) {
    leave(`the screen could not be opened (${(error as Error).message}).`, 1);
  }
  function leave(why?: string, code = 0): void {
    if (over) return;
    over = true;
    clearTimeout(idle);
    try {
      mounted?.unmount(); // while the channel still carries what puts the terminal back
    } finally {
      cutLater(socket);
      close(() => sayAndEnd(channel, socket, code, why));
      if (mounted) onLeft(seat);
    }
  }
  return { seat, resize };
}

function sayAndEnd(channel: ServerChannel, socket: Socket, code: number, why: string | undefined): void {
  if (channel.writable && !socket.destroyed) {
    if (why !== undefined) channel.write(`\r\nstakeout: ${why}\r\n`);
    channel.exit(code);
    channel.end();
  }
  cutLater(socket);
}

function cutLater(socket: Socket): void {
  const cut = setTimeout(() => socket.destroy(), FAREWELL_MS);
  cut.unref();
  socket.once("close", () => clearTimeout(cut));
}
