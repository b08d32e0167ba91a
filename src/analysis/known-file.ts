import type { EventDraft, StakeoutEvent } from "#model/event";
import type { KnownFiles } from "#model/known-files";
import { KNOWN_BAD, WEAK_NAMES } from "#state/known";
import type { State } from "#state/state";

/** Processes that a finding names as evidence. */
const MOST_ENTITIES = 32;
/** Files that are remembered, so that each is raised once for each content. */
const MOST_RAISED = 20_000;

/** Stamps what the analyst's lists say of a file's content, before the append: a replay needs no list. */
export function recognise(draft: EventDraft, known: KnownFiles | undefined): EventDraft {
  const found = draft.file?.hash && known?.find(draft.file.hash);
  return found ? { ...draft, stakeout: { ...draft.stakeout, known: found } } : draft;
}

/**
 * A file whose content is on a list of known-bad files: a finding, once for each path and content, whoever wrote or runs it. Looks at each
 * event after the state has taken it in. Live only; a replay has the findings in its log.
 */
export class KnownBadFiles {
  readonly #raised = new Set<string>();
  #count = 0;

  look(state: State, event: StakeoutEvent): EventDraft[] {
    const { file, stakeout } = event;
    const { known } = stakeout;
    if (!file?.hash || known?.verdict !== "bad") return [];
    const key = `${file.path} ${file.hash.sha256}`;
    if (this.#raised.has(key)) return [];
    if (this.#raised.size >= MOST_RAISED) this.#raised.clear();
    this.#raised.add(key);
    const binary = state.binaries.get(file.path);
    const runners = [...state.processes.values()]
      .filter(({ executable, script }) => executable === file.path || script === file.path)
      .map(({ id }) => id);
    const entities = [...new Set([...runners, ...(binary?.runners ?? []), ...(binary?.writers ?? [])])].slice(0, MOST_ENTITIES);
    const words = known.words === undefined ? "" : `: ${known.words}`;
    const by = known.by === undefined ? "" : ` and its ${WEAK_NAMES[known.by]}`;
    const title = `a file is known as bad, by the list ${known.list}${by}${words}`;
    return [
      {
        "@timestamp": event["@timestamp"],
        event: { action: "finding.create", category: ["malware"], type: ["info"], kind: "alert", reason: title },
        file: { path: file.path, hash: file.hash },
        stakeout: {
          sensor: "analysis",
          tier: "lists",
          known,
          finding: { id: `k${++this.#count}`, rule: KNOWN_BAD, title, level: "critical", technique: [], entities, path: file.path },
        },
      },
    ];
  }
}
