import type { ExistingIsolation } from "./facts/host-facts.ts";
import { planOf } from "./made-by.ts";

/** A response that cannot be made safely on this host: why, and what the analyst can do instead. */
export class ResponseRefused extends Error {
  readonly reason: string;
  readonly remedy: string;

  constructor(reason: string, remedy: string) {
    super(`${reason} ${remedy}`);
    this.name = "ResponseRefused";
    this.reason = reason;
    this.remedy = remedy;
  }
}

/** Another console was quicker: the host is isolated as it is wanted, by that one, and nothing of ours is put on top. */
export class IsolatedMeanwhile extends ResponseRefused {
  readonly found: ExistingIsolation;

  constructor(found: ExistingIsolation) {
    super(
      `${found.analyst ?? "Another console"} isolated this host (${planOf(found)}) while this plan was made: it is isolated, and this plan is not needed.`,
      "Look at who is let in; a new plan would replace it.",
    );
    this.name = "IsolatedMeanwhile";
    this.found = found;
  }
}
