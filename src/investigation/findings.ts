import type { EventDraft } from "#model/event";
import type { FindingState } from "#state/decided-state";
import { findingNow } from "#state/finding-words";
import type { State } from "#state/state";

interface FindingDeskOptions {
  state: State;
  append: (draft: EventDraft) => void;
  /** RFC 3339: the host's time now. */
  hostNow: () => string;
  changed: () => void;
}

const LONGEST_REASON = 300;
/** Decisions of one analyst that can be undone. */
const MOST_UNDONE = 100;

/** What one key did: findings that were dismissed with a reason, or brought back, with the reasons that they had. */
type Decision = { dismissed: string[] } | { restored: { id: string; reason: string }[] };

/** Findings are dismissed and brought back; each is an event. The methods say why it was not done. */
export class FindingDesk {
  readonly #options: FindingDeskOptions;
  readonly #done = new Map<string, Decision[]>();

  constructor(options: FindingDeskOptions) {
    this.#options = options;
  }

  dismiss(ids: readonly string[], reason: string, analyst: string): string | undefined {
    const why = Array.from(reason.trim()).slice(0, LONGEST_REASON).join("");
    if (why === "") return "write a reason: it is recorded with your name";
    const standing = this.#those(ids, false);
    if (standing.length === 0) return "it was dismissed already, or is not known";
    for (const finding of standing) this.#append("finding.dismiss", finding, analyst, why);
    this.#remember(analyst, { dismissed: standing.map(({ id }) => id) });
    return undefined;
  }

  restore(ids: readonly string[], analyst: string): string | undefined {
    const dismissed = this.#those(ids, true);
    if (dismissed.length === 0) return "it stands";
    const restored = dismissed.map(({ id, dismissed: how }) => ({ id, reason: how?.reason ?? "" }));
    for (const finding of dismissed) this.#append("finding.restore", finding, analyst);
    this.#remember(analyst, { restored });
    return undefined;
  }

  /** Undoes what the analyst did last with findings. @returns what was undone, or why nothing was */
  undo(analyst: string): string {
    const decision = this.#done.get(analyst)?.pop();
    if (!decision) return "you have done nothing with findings that could be undone";
    const ids = "dismissed" in decision ? decision.dismissed : decision.restored.map(({ id }) => id);
    const those = this.#those(ids, "dismissed" in decision);
    if (those.length === 0) return "somebody has changed that since: it is as it should be";
    for (const finding of those)
      if ("dismissed" in decision) this.#append("finding.restore", finding, analyst);
      else this.#append("finding.dismiss", finding, analyst, decision.restored.find(({ id }) => id === finding.id)?.reason ?? "");
    const [first] = those;
    return `undone: ${first && findingNow(this.#options.state, first)}${those.length > 1 ? ` ×${those.length}` : ""}`;
  }

  #those(ids: readonly string[], dismissed: boolean): FindingState[] {
    const found = [...new Set(ids)].map((id) => this.#options.state.findings.get(id));
    return found.filter((finding) => finding !== undefined && (finding.dismissed !== undefined) === dismissed) as FindingState[];
  }

  #remember(analyst: string, decision: Decision): void {
    const stack = this.#done.get(analyst) ?? [];
    this.#done.set(analyst, stack);
    stack.push(decision);
    if (stack.length > MOST_UNDONE) stack.shift();
  }

  #append(action: "finding.dismiss" | "finding.restore", finding: FindingState, analyst: string, reason?: string): void {
    const { id, rule, title, level, technique, entities } = finding;
    this.#options.append({
      "@timestamp": this.#options.hostNow(),
      event: { action, category: ["configuration"], type: ["change"], ...(reason === undefined ? {} : { reason }) },
      stakeout: { sensor: "console", tier: "analyst", analyst, finding: { id, rule, title, level, technique, entities } },
    });
    this.#options.changed();
  }
}
