import { descend, judge, judgementOf, judgeOf, setJudgement } from "./lineage.ts";
import type { ProcessState, State } from "./state.ts";

/**
 * Judges processes anew of which something else is known now: what a program is, what speaks against it. Where that changes anything, what
 * they started and what they have open follows.
 */
export function settle(state: State, ids: readonly string[]): void {
  const changed = new Set<string>();
  const by = judgeOf(state);
  for (const id of ids) {
    const process = state.processes.get(id);
    if (!process || !setJudgement(process, judge(state, process, by))) continue;
    changed.add(id);
    if (process.children.size > 0)
      descend(state, process.children, (below) => {
        if (setJudgement(below, judge(state, below, by))) changed.add(below.id);
        return undefined;
      });
  }
  if (changed.size === 0) return;
  state.structure += 1;
  const noted = [...changed].some((id) => state.processes.get(id)?.noted);
  if (noted) follow(state, changed);
}

/** The same for one of which something is known anew with every program that starts: nearly always nothing changes. */
export function settleOne(state: State, process: ProcessState): void {
  const { standing, tag, finding } = judge(state, process);
  if (standing !== process.standing || tag !== process.tag || finding !== process.finding) settle(state, [process.id]);
}

/** The connections of processes have their judgement. */
export function follow(state: State, touched: Pick<ReadonlySet<string>, "has">): void {
  for (const connection of state.connections.values()) {
    if (connection.process === undefined || !touched.has(connection.process)) continue;
    const process = state.processes.get(connection.process);
    if (process) setJudgement(connection, judgementOf(process));
  }
}
