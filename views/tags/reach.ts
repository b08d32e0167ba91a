import { selectorKey } from "#state/criteria";
import { effectOf, type Reach } from "#state/effect";
import type { State } from "#state/state";
import { selectorOf, type TagDialog } from "./dialog.ts";

/** Milliseconds for which an answer is good enough while the host goes on: on a large one it takes a tenth of that to work out. */
const GOOD_FOR_MS = 300;
/** Dialogs that are open at once, on several screens. */
const MOST = 8;

const known = new WeakMap<State, Map<string, { reach: Reach; judged: number; at: number }>>();

/** What the tag would do now. Two screens may ask at each frame, so that the answer is kept for a moment. */
export function reachOf(state: State, dialog: TagDialog): Reach {
  const selector = selectorOf(dialog);
  const key = `${selectorKey(selector)} ${dialog.verdict} ${dialog.replaces ?? ""}`;
  const answers = known.get(state) ?? new Map();
  known.set(state, answers);
  const found = answers.get(key);
  const now = performance.now();
  if (found && found.judged === state.judged && now - found.at < GOOD_FOR_MS) return found.reach;
  const reach = effectOf(state, selector, dialog.verdict, dialog.replaces === undefined ? [] : [dialog.replaces]);
  answers.delete(key);
  answers.set(key, { reach, judged: state.judged, at: now });
  if (answers.size > MOST) answers.delete(answers.keys().next().value ?? "");
  return reach;
}
