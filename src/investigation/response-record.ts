import type { EventDraft } from "#model/event";
import type { Confirmation, Response } from "#model/response";

type Phase = "proposed" | "confirmed" | "dismissed" | "succeeded" | "failed";

interface Particulars {
  /** Nanoseconds. */
  duration?: number;
  /** RFC 3339; now, where nothing is said. */
  at?: string;
  confirmation?: Confirmation;
}

/** What the log has of a response: an event for each step, by whom, and whether it went beyond the scope. */
export class ResponseRecord {
  readonly #append: (draft: EventDraft) => void;
  readonly #hostNow: () => string;
  /** Goes into every event of the response that is on its way. */
  outside: Response["outside_scope"];

  /** `hostNow`: RFC 3339, the host's time. */
  constructor(append: (draft: EventDraft) => void, hostNow: () => string) {
    this.#append = append;
    this.#hostNow = hostNow;
  }

  /** `type` "change": the host was changed, or was to be. */
  write(phase: Phase, type: "info" | "change", analyst: string, response: Response, particulars: Particulars = {}): void {
    const { duration, at = this.#hostNow(), confirmation } = particulars;
    const placed = this.outside ? { ...response, outside_scope: this.outside } : response;
    this.#append({
      "@timestamp": at,
      event: {
        action: `response.${phase}`,
        category: ["configuration"],
        type: [type],
        ...(phase === "succeeded" ? { outcome: "success" as const } : phase === "failed" ? { outcome: "failure" as const } : {}),
        ...(duration === undefined ? {} : { duration: Math.round(duration) }),
      },
      stakeout: { sensor: "console", tier: "analyst", analyst, response: placed, ...(confirmation ? { confirmation } : {}) },
    });
  }
}

/** The words of an error: what went wrong, and what to do, which some errors say apart and at their end. */
export function errorWords(error: Error): { what: string; next: string } {
  const { remedy } = error as { remedy?: unknown };
  const next = typeof remedy === "string" ? remedy : "";
  const what = next && error.message.endsWith(next) ? error.message.slice(0, -next.length).trimEnd() : error.message;
  return { what, next };
}
