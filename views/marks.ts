import type { OwnMark, ScreenState } from "./screen-state.ts";

/** Marks a row of the pane that has the keys, or takes its mark away; what is to be said of it. */
export function toggleMark(state: ScreenState, key: string, name: string): { state: ScreenState; notice: string } {
  const { pane } = state;
  const marks = state.marks.filter((mark) => mark.pane !== pane || mark.key !== key);
  if (marks.length < state.marks.length) return { state: { ...state, marks, markAt: -1 }, notice: `no longer marked: ${name}` };
  return { state: { ...state, marks: [...marks, { pane, key, name }] }, notice: `marked for you alone, not in the log: ${name}` };
}

/** The mark after the one that the cursor is on, or after the last one gone to; round from the last to the first. */
export function nextMark(state: ScreenState, key: string | undefined): { mark: OwnMark; at: number } | undefined {
  const here = state.marks.findIndex((mark) => mark.pane === state.pane && mark.key === key);
  const at = ((here >= 0 ? here : state.markAt) + 1) % Math.max(1, state.marks.length);
  const mark = state.marks[at];
  return mark && { mark, at };
}
