import { type HostString, printable } from "#model/host-string";

/**
 * Where on the way to the host something failed, in the order in which a connection is made: reading our own settings,
 * finding the address, reaching it, trusting its key, being let in, running a command. `timeout` is a host that stopped answering.
 */
export type HostErrorLevel = "config" | "dns" | "socket" | "hostkey" | "auth" | "exec" | "timeout";

/** A failure on the way to the host: `message` says what happened and where, `hint` what the analyst can do next. */
export class HostError extends Error {
  override readonly name = "HostError";
  readonly level: HostErrorLevel;
  readonly hint: string;
  /** What the host itself said, if anything: hostile, and never longer than {@link SAID_LIMIT}. */
  readonly said: HostString | undefined;

  constructor(level: HostErrorLevel, message: string, hint: string, options: { said?: HostString | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.level = level;
    this.hint = hint;
    this.said = options.said;
  }
}

/** Characters of host text that an error, a banner or an identification may carry. */
export const SAID_LIMIT = 1024;

/** Host text cut to `limit` characters, still raw: print it through `printable`. */
export function bounded(text: string, limit = SAID_LIMIT): HostString {
  return (text.length > limit ? `${text.slice(0, limit)}…` : text) as HostString;
}

/** Host text as part of one of our own sentences: one line, made safe, short. */
export function quoted(text: string): string {
  return `"${printable(bounded(text, 200))}"`;
}
