import type { Endpoint, StakeoutEvent } from "#model/event";
import type { LogIndex } from "#session/log-index";

/** Where the log itself, its sensor, or another process is named: what an event tells is none of these. */
const NOT_TOLD = new Set(["prev", "schema", "session", "sensor", "tier", "entity_id", "entry_leader", "parent", "written_by", "asked_by"]);
/** Longer than this nothing stops the keys from being answered. */
const SLICE_MS = 12;

const PID = /^pid:\d+$/;

/** The words of a search as they were typed: each has to be found, in whatever order. */
export const wordsOf = (typed: string): string[] => typed.toLowerCase().split(/\s+/).filter(Boolean);

/** Whether the event tells of all words; `pid:182` is that pid and no other. Arguments are read as one line, far ends as `address:port`. */
export function mentions(event: StakeoutEvent, words: readonly string[]): boolean {
  const told: string[] = [event.event.action, event.event.reason ?? ""];
  const { "@timestamp": _, event: __, host: ___, ...rest } = event;
  gather(rest, told);
  for (const end of [event.source, event.destination]) if (end) told.push(farEnd(end));
  if (event.process?.pid !== undefined) told.push(`pid:${event.process.pid}`);
  const text = told.join("\n").toLowerCase();
  return words.every((word) => (PID.test(word) ? `\n${text}\n`.includes(`\n${word}\n`) : text.includes(word)));
}

const farEnd = ({ ip, port }: Endpoint) => (ip.includes(":") ? `[${ip}]:${port ?? ""}` : `${ip}:${port ?? ""}`);

function gather(value: unknown, told: string[]): void {
  if (typeof value === "string") told.push(value);
  else if (Array.isArray(value) && value.every((one) => typeof one === "string")) told.push(value.join(" "));
  else if (typeof value === "object" && value !== null)
    for (const [name, inner] of Object.entries(value)) if (!NOT_TOLD.has(name)) gather(inner, told);
}

/** What of the words a line of the log must hold as it stands there, in plain ASCII; empty where nothing is sure. */
const sureOf = (words: readonly string[]): string =>
  words
    .flatMap((word) => (PID.test(word) ? [`"${word.replace(":", '":')}`] : (word.match(/[a-z0-9._/-]+/g) ?? [])))
    .reduce((longest, part) => (part.length > longest.length ? part : longest), "");

/** Searches a log; a new search gives up the one before it. */
export class Search {
  readonly #log: LogIndex;
  #current = new AbortController();

  constructor(log: LogIndex) {
    this.#log = log;
  }

  giveUp(): void {
    this.#current.abort();
  }

  /**
   * The place of the next event in that direction that tells of all words, the one at `from` included; undefined when there is none. The
   * blocks of the log that cannot hold the words are not parsed, and keys are answered meanwhile.
   */
  async next(words: readonly string[], from: number, direction: -1 | 1): Promise<number | "given up" | undefined> {
    this.giveUp();
    const current = new AbortController();
    this.#current = current;
    const found = await this.#find(words, from, direction, current.signal);
    return current.signal.aborted ? "given up" : found;
  }

  async #find(words: readonly string[], from: number, direction: -1 | 1, signal: AbortSignal): Promise<number | undefined> {
    const log = this.#log;
    const sure = sureOf(words);
    let began = performance.now();
    for (let at = from; at >= 0 && at < log.length; ) {
      const block = log.blockOf(at);
      const edge = direction > 0 ? block.to : block.from - 1;
      if (sure === "" || log.text(block.from).includes(sure))
        for (; at !== edge; at += direction) {
          const event = log.event(at);
          if (event && mentions(event, words)) return at;
        }
      at = edge;
      if (performance.now() - began < SLICE_MS) continue;
      await new Promise((resolve) => setImmediate(resolve));
      if (signal.aborted) return undefined;
      began = performance.now();
    }
    return undefined;
  }
}
