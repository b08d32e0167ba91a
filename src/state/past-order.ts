import { PAST_KINDS, type PastKind } from "#model/past";
import { type Concern, concernsIn } from "./past-concerns.ts";
import type { PastState, State } from "./state.ts";

/** What is missing comes first: it says how far the rest can be believed. */
const KINDS: readonly PastKind[] = ["gap", ...PAST_KINDS.filter((kind) => kind !== "gap")];

/**
 * What the host remembers, kind by kind, and of each kind what speaks most against it first; where nothing tells two apart, of refusals
 * the most, then the newest. Histories stand as they were typed: in another order their lines would mean nothing.
 */
export function worstPast(state: State): readonly PastState[] {
  const concerns = concernsIn(state);
  const order = ({ past: a, weight: x }: Weighed, { past: b, weight: y }: Weighed) =>
    KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind) ||
    (a.kind === "shell" ? 0 : y - x || (a.kind === "failed" ? b.count - a.count : 0) || b.last - a.last);
  return state.past.rows
    .map((past) => ({ past, weight: weightOf(concerns(past)) }))
    .sort(order)
    .map(({ past }) => past);
}
interface Weighed {
  past: PastState;
  weight: number;
}

/** The gravest decides; of two with the same, what else speaks against them. */
const weightOf = (concerns: readonly Concern[]): number => concerns.reduce((sum, { grade }) => sum + (grade < 0 ? -1 : 2 ** grade), 0);

/** Why a row stands where it does among those of its kind, the gravest reason first; none where only its time decides. */
export const pastConcerns = (state: State, past: PastState): string[] =>
  concernsIn(state)(past)
    .toSorted((a, b) => b.grade - a.grade)
    .map(({ words }) => words);
