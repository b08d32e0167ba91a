import type { EventDraft, StakeoutEvent } from "#model/event";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import type { State } from "#state/state";
import { teller, text } from "./events.ts";

/** The sensor of the events that are played. */
export const SEEN = { sensor: "collector", tier: "tracefs+proc" };

/** A host on which somebody whom a tag vouches for (the process B:7:1) runs a file, and what a rule finds when something is told of it. */
export function judgedFile(rule: { look(state: State, event: StakeoutEvent): EventDraft[] }, executable: string) {
  const tell = teller();
  const state = emptyState();
  const play = (draft: Parameters<typeof tell>[0]) => {
    const event = tell(draft);
    reduce(state, event);
    const found = rule.look(state, event);
    for (const one of found) reduce(state, tell({ ...one, stakeout: { ...SEEN, ...one.stakeout } }));
    return found;
  };
  play({
    event: { action: "process.start" },
    process: { entity_id: "B:7:1", pid: 7, executable: text(executable) },
    stakeout: { ...SEEN, binary: { origin: "exec" } },
  });
  play({
    event: { action: "tag.apply" },
    stakeout: { ...SEEN, tag: { id: "t1", verdict: "responder", selector: { process: "B:7:1" }, reason: "us" } },
  });
  return { state, play, standing: () => state.processes.get("B:7:1")?.standing };
}
