import type { Selector, Tag, TagEffect, Verdict } from "#model/event";
import { criteriaOf } from "./criteria.ts";
import { binaryJudgement } from "./files.ts";
import { binaryFlag, processFlag } from "./flags.ts";
import { descend, isHidden, type Judge, type Judgement, judge, judgeLogin, rootsOf, taggingWith } from "./lineage.ts";
import type { Judging } from "./rules.ts";
import type { ProcessState, State } from "./state.ts";

export interface Reach extends TagEffect {
  /** What the selector covers at all, however it is judged now. */
  covers: number;
  /** It would leave nothing in sight: no process, or no login. */
  everything: boolean;
}

/** The id of a tag that is not made yet. */
const NEXT = "(next)";

/**
 * What a tag would hide of what is there now, or, where its verdict hides nothing, what it would judge otherwise. Flagged things count as
 * hidden: whether they stay in sight is asked. Nothing of the state is changed.
 * @param instead ids of tags that it takes the place of
 */
export function effectOf(state: State, selector: Selector, verdict: Verdict, instead: readonly string[] = []): Reach {
  const hides = isHidden(verdict);
  const next: Judging = { id: NEXT, selector, verdict, hides_flagged: true };
  const standing = [...state.tags.values()].filter(({ id }) => !instead.includes(id)).sort((a, b) => a.sequence - b.sequence);
  const would = new Map<string, Judgement>();
  const by: Judge = {
    tagging: taggingWith([...standing, next]),
    known: (process) => would.get(process.id) ?? process,
    find: (id) => (id === NEXT ? next : state.tags.get(id)),
  };
  const found: Reach = { logins: 0, processes: 0, connections: 0, binaries: 0, flagged: 0, covers: 0, everything: false };
  const counts = (was: Judgement, is: Judgement) =>
    is.tag === NEXT && (hides ? !isHidden(was.standing) : was.standing !== is.standing || was.tag !== is.tag);

  const roots = new Set(rootsOf(state, next));
  for (const id of instead) {
    const old = state.tags.get(id);
    if (old) for (const root of rootsOf(state, old)) roots.add(root);
  }
  const visit = (process: ProcessState, above: Judgement | undefined) => {
    const judgement = judge(state, process, by, above);
    if (judgement.tag === NEXT) found.covers += 1;
    if (counts(process, judgement)) {
      found.processes += 1;
      if (hides && processFlag(state, process) !== undefined) found.flagged += 1;
    }
    return judgement;
  };
  descend(state, roots, visit, would);
  for (const connection of state.connections.values()) {
    const judgement = connection.process === undefined ? undefined : would.get(connection.process);
    if (judgement && counts(connection, judgement)) found.connections += 1;
  }
  const hashed = criteriaOf(selector)?.sha256 !== undefined;
  for (const binary of state.binaries.values()) {
    if (!hashed && !touches(binary.writers, would) && !touches(binary.runners, would)) continue;
    if (!counts(binary, binaryJudgement(state, binary, by))) continue;
    found.binaries += 1;
    if (hides && binaryFlag(binary) !== undefined) found.flagged += 1;
  }
  let left = 0;
  for (const login of state.logins.values()) {
    const judgement = judgeLogin(state, login, by);
    if (counts(login, judgement)) found.logins += 1;
    else if (!isHidden(judgement.standing)) left += 1;
  }
  found.everything = hides && (allHidden(state, would, found) || (criteriaOf(selector) !== undefined && found.logins > 1 && left === 0));
  return found;
}

function touches(ids: readonly string[], would: ReadonlyMap<string, unknown>): boolean {
  for (const id of ids) if (would.has(id)) return true;
  return false;
}

function allHidden(state: State, would: ReadonlyMap<string, Judgement>, { processes }: Reach): boolean {
  if (processes < 2) return false;
  // the kernel's own threads run no file, and are nobody's
  for (const process of state.processes.values())
    if (process.executable !== undefined && !isHidden((would.get(process.id) ?? process).standing)) return false;
  return true;
}

/** The effect alone, as the log keeps it. */
export const effectFields = ({ logins, processes, connections, binaries, flagged }: TagEffect): NonNullable<Tag["effect"]> => ({
  logins,
  processes,
  connections,
  binaries,
  flagged,
});
