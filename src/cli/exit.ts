import { HostError } from "#host/errors";

/** What the program ends with; scripts rely on it. */
export const EXIT = { ok: 0, failed: 1, usage: 2, host: 3, interrupted: 130 } as const;

/** An error that the analyst can act on: its message is all that is shown. */
export class UserError extends Error {
  override name = "UserError";
  readonly code: number;
  constructor(message: string, code: number = EXIT.failed) {
    super(message);
    this.code = code;
  }
}

/** The exit code that belongs to an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof UserError) return error.code;
  if (error instanceof HostError) return error.level === "config" ? EXIT.usage : EXIT.host;
  return EXIT.failed;
}

/** An error as it is told: the message; the place in the code only of what nobody foresaw. */
export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) return error.stack ?? error.message;
  const more = error as { hint?: unknown; remedy?: unknown };
  const next = typeof more.hint === "string" ? more.hint : typeof more.remedy === "string" ? more.remedy : "";
  const message = /[.!?]$/.test(error.message) ? error.message : `${error.message}.`;
  return next && !message.includes(next) ? `${message} ${next}` : message;
}

// Whoever read our words has gone (`2>&1 | head`): what is recorded matters more than what is said.
process.stderr.on("error", () => {});

/** Standard output carries data alone; everything that is said goes here. */
export const say = (line: string): void => {
  process.stderr.write(`stakeout: ${line}\n`);
};
