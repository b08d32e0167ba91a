import type { EventDraft } from "#model/event";
import type { HostString } from "#model/host-string";

/** The names of an address, asked of the analyst's own resolver. Rejects with why there is no answer. */
export type AskNames = (ip: string) => Promise<string[]>;

const MOST_NAMES = 16;
/** What a name may have (RFC 1035, 2.3.4). */
const LONGEST = 255;

interface NamesOptions {
  ask: AskNames | undefined;
  append: (draft: EventDraft) => void;
  hostNow: () => string;
  changed: () => void;
}

/** Names of addresses, on request alone: each question leaves the analyst's machine, and the answer is whatever the address's owner wrote. */
export class Names {
  readonly #options: NamesOptions;
  readonly #asking = new Set<string>();

  constructor(options: NamesOptions) {
    this.#options = options;
  }

  /** Resolves when the answer is in the log. @returns why nobody was asked */
  async ask(ip: string, analyst: string): Promise<string | undefined> {
    const { ask, append, hostNow, changed } = this.#options;
    if (!ask) return "this session cannot ask anybody";
    if (this.#asking.has(ip)) return "it is being asked for already";
    this.#asking.add(ip);
    try {
      const [names, why] = await ask(ip).then(
        (found): [string[], string | undefined] => [found, undefined],
        (error: Error): [string[], string] => [[], error.message],
      );
      const told = names.slice(0, MOST_NAMES).map((name) => name.slice(0, LONGEST) as HostString);
      append({
        "@timestamp": hostNow(),
        event: { action: "network.names", category: ["network"], type: ["info"] },
        destination: { ip },
        stakeout: { sensor: "console", tier: "analyst", analyst, names: { items: told, ...(why === undefined ? {} : { why }) } },
      });
      changed();
    } finally {
      this.#asking.delete(ip);
    }
    return undefined;
  }
}
