import type { FindingState } from "./decided-state.ts";
import { samePair } from "./findings.ts";
import { standingFindings } from "./selectors.ts";
import type { State } from "./state.ts";

/** The same finding on the same people, once or many times. */
export interface FindingGroup {
  /** Id of the oldest: it stays while others come. */
  key: string;
  /** The newest first; never empty. */
  findings: FindingState[];
  newest: FindingState;
  dismissed: boolean;
}

/** What rules found, repeats folded into one; what stands before what was dismissed, the newest first. */
export function findingGroups(state: State): FindingGroup[] {
  const groups = new Map<string, FindingGroup>();
  for (const finding of standingFindings(state)) {
    const { rule, path, entities } = finding;
    const dismissed = finding.dismissed !== undefined;
    const about = `${dismissed} ${rule} ${samePair(state, entities)} ${path ?? ""}`;
    const group = groups.get(about);
    if (group) {
      group.findings.push(finding);
      group.key = finding.id;
    } else groups.set(about, { key: finding.id, findings: [finding], newest: finding, dismissed });
  }
  return [...groups.values()].sort((a, b) => Number(a.dismissed) - Number(b.dismissed));
}
