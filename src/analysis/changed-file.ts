import type { EventDraft, StakeoutEvent } from "#model/event";
import { CHANGED_FILE, isChanged, listOf } from "#state/owners";
import type { State } from "#state/state";

/** Processes that a finding names as evidence. */
const MOST_RUNNERS = 32;
/** Contents that are remembered, so that each is raised once. */
const MOST_RAISED = 20_000;

/**
 * A file of a package that is not what the package ships: a finding, once for each content of it, whoever runs it. Looks at each event
 * after the state has taken it in. Live only; a replay has the findings in its log.
 */
export class ChangedFiles {
  readonly #raised = new Set<string>();
  #count = 0;

  look(state: State, event: StakeoutEvent): EventDraft[] {
    const path = event.file?.path;
    const owner = event.event.action === "file.package" && path !== undefined ? state.owners.get(path) : undefined;
    if (!owner || path === undefined || !isChanged(owner)) return [];
    const file = owner.file ?? path; // a link and what it leads to are one
    const key = `${file} ${owner.sha256 ?? ""}`;
    if (this.#raised.has(key)) return [];
    if (this.#raised.size >= MOST_RAISED) this.#raised.clear();
    this.#raised.add(key);
    const entities: string[] = [];
    for (const { id, executable } of state.processes.values())
      if ((executable === path || executable === file) && entities.length < MOST_RUNNERS) entities.push(id);
    const lists = owner.host !== "differs" ? "the console's list" : owner.console === "differs" ? "both lists" : listOf(owner);
    const title = `a file belongs to ${owner.package ?? "a package"}, changed: it differs from ${lists}`;
    return [
      {
        "@timestamp": event["@timestamp"],
        event: { action: "finding.create", category: ["intrusion_detection"], type: ["info"], kind: "alert", reason: title },
        file: { path: file },
        stakeout: {
          sensor: "analysis",
          tier: "packages",
          finding: { id: `p${++this.#count}`, rule: CHANGED_FILE, title, level: "high", technique: ["T1554"], entities, path: file },
        },
      },
    ];
  }
}
