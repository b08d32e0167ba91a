import type { FindingState } from "#state/decided-state";
import { findingGroups } from "#state/finding-groups";
import type { State } from "#state/state";
import { type Span, span } from "../row.ts";
import type { Style } from "../theme.ts";
import { count } from "../words.ts";

const LEVELS = ["critical", "high", "medium", "low", "informational"] as const;
const STYLES: Record<FindingState["level"], Style> = { critical: "bad", high: "bad", medium: "warn", low: "text", informational: "soft" };

interface Found {
  groups: number;
  worst: FindingState["level"];
}
/** They change only with findings and tags; the header is painted with every event. */
const kept = new WeakMap<State, { structure: number; found: Found | undefined }>();

function found(state: State): Found | undefined {
  const known = kept.get(state);
  if (known?.structure === state.structure) return known.found;
  const standing = findingGroups(state).filter(({ dismissed }) => !dismissed);
  const levels = new Set(standing.flatMap(({ findings }) => findings.map(({ level }) => level)));
  const worst = LEVELS.find((level) => levels.has(level));
  const counted = worst === undefined ? undefined : { groups: standing.length, worst };
  kept.set(state, { structure: state.structure, found: counted });
  return counted;
}

/** How many findings stand, coloured by the worst, and the key that shows them; nothing where nothing was found. */
export function foundSpans(state: State, key: string, brief: boolean): Span[] {
  const now = found(state);
  if (!now) return [];
  const words = brief ? "found" : now.groups === 1 ? "finding" : "findings";
  return [span(`${count(now.groups)} ${words}`, STYLES[now.worst]), span(` ${key}`, "key")];
}
