/** Signals that ask a program to end. SIGQUIT (Ctrl-\) would leave a core file and the terminal as it is; SIGKILL cannot be answered. */
const ENDS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/** Calls `end` once when a signal asks the program to end; the function it gives takes that back. */
export function onEndSignal(end: (signal: NodeJS.Signals) => void): () => void {
  const handlers = ENDS.map((signal) => [signal, () => end(signal)] as const);
  for (const [signal, handler] of handlers) process.once(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  };
}

interface Stops {
  /** Before the program is stopped. */
  stop(): void;
  /** When it goes on; also after a SIGSTOP, which nobody could announce. */
  resume(): void;
}

/**
 * Job control, as a shell does it: SIGTSTP stops the program once `stop` has put things in order, SIGCONT lets it go on. `ask` is for
 * Ctrl-Z, of which a terminal in raw mode makes no signal: the whole foreground job is stopped, as the terminal would have.
 */
export function onStopSignal({ stop, resume }: Stops): { ask(): void; off(): void } {
  const stopped = () => {
    stop();
    process.kill(process.pid, "SIGSTOP"); // returns when we go on
  };
  process.on("SIGTSTP", stopped);
  process.on("SIGCONT", resume);
  return {
    ask: () => process.kill(0, "SIGTSTP"),
    off: () => {
      process.off("SIGTSTP", stopped);
      process.off("SIGCONT", resume);
    },
  };
}
