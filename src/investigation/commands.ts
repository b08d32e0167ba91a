import { type CommandEnd, type EventDraft, LONGEST_COMMAND, type RecordedCommand } from "#model/event";
import type { HostString } from "#model/host-string";

/** How a command went. */
export interface CommandOutcome {
  exit_code?: number;
  ended?: CommandEnd;
  bytes: number;
  /** The beginning, for the log and the screen. */
  output: HostString;
  /** Where all that was kept of it is, in the session's folder. */
  file?: string;
  sha256?: string;
}
/** Runs a command on the host, and keeps what it writes in the session. `signal` ends it. @throws when it could not be run */
export type RunCommand = (command: { id: string; line: string }, signal: AbortSignal) => Promise<CommandOutcome>;

interface CommandDeskOptions {
  run: RunCommand | undefined;
  append: (draft: EventDraft) => void;
  hostNow: () => string;
  changed: () => void;
  /** Why nothing may be done to the host; undefined while it may. */
  blocked: () => string | undefined;
}

/** At once, of all analysts: a shell would be the place for more. */
const MOST_AT_ONCE = 4;

/** Commands of the analysts' own: each is in the log before it runs, and what it wrote is, too. */
export class CommandDesk {
  readonly #options: CommandDeskOptions;
  #made = 0;
  readonly #running = new Map<string, AbortController>();

  constructor(options: CommandDeskOptions) {
    this.#options = options;
  }

  /** Why a line cannot be run; undefined when it can. */
  #problem(line: string): string | undefined {
    if (line === "") return "nothing is written yet";
    if (line.length > LONGEST_COMMAND) return `a command has at most ${LONGEST_COMMAND} characters`;
    if (line.includes("\0")) return "a command holds no NUL";
    const blocked = this.#options.blocked();
    if (blocked !== undefined) return blocked;
    if (!this.#options.run) return "nothing can be run on this host";
    return this.#running.size >= MOST_AT_ONCE ? `${MOST_AT_ONCE} commands run already: wait for one, or end it` : undefined;
  }

  /** Runs `line` by /bin/sh. Resolves when it is over: with what was recorded of it, or with why it was not begun. */
  async run(line: string, analyst: string): Promise<RecordedCommand | string> {
    const given = line.trim();
    const problem = this.#problem(given);
    const { run } = this.#options;
    if (problem !== undefined || !run) return problem ?? "";
    const id = `c${++this.#made}`;
    const abort = new AbortController();
    this.#running.set(id, abort);
    this.#append("command.start", analyst, { id, line: given });
    let command: RecordedCommand;
    try {
      command = { id, line: given, ...(await run({ id, line: given }, abort.signal)) };
    } catch (error) {
      command = { id, line: given, error: error instanceof Error ? error.message : String(error) };
    }
    this.#running.delete(id);
    this.#append("command.end", analyst, command);
    return command;
  }

  /** Ends one that runs. @returns why it was not done */
  stop(id: string): string | undefined {
    const running = this.#running.get(id);
    if (!running) return "it runs no more";
    running.abort();
    return undefined;
  }

  #append(action: "command.start" | "command.end", analyst: string, command: RecordedCommand): void {
    const over = action === "command.end";
    const failed = command.error !== undefined || command.exit_code !== 0;
    this.#options.append({
      "@timestamp": this.#options.hostNow(),
      event: {
        action,
        category: ["process"],
        type: [over ? "end" : "start"],
        ...(over ? { outcome: failed ? ("failure" as const) : ("success" as const) } : {}),
      },
      stakeout: { sensor: "console", tier: "analyst", analyst, command },
    });
    this.#options.changed();
  }
}
