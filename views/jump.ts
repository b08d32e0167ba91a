import type { Keymap, Selection } from "#commands/command";
import { originOf, rootOf, runningOf } from "#state/origins";
import type { ProcessState, State } from "#state/state";
import { AllOpen } from "./filter/apply.ts";
import type { Destination } from "./find.ts";
import type { Lists } from "./rows/cache.ts";
import type { BaseRow } from "./rows/list.ts";
import { buildTree } from "./rows/tree.ts";
import type { ScreenState } from "./screen-state.ts";

export type JumpTo = "process" | "connection" | "binary" | "login";
/** The things that belong to a process, connection, binary or login; in words, why there are none. */
export function jumpTarget(state: State, from: Selection, to: JumpTo): Destination | string {
  const processes = owners(state, from);
  const newest = processes.toSorted((a, b) => b.active - a.active);
  const isOwner = (id: string | undefined) => id !== undefined && processes.some((process) => process.id === id);
  if (to === "process") return newest.length > 0 ? { pane: "tree", ids: newest.map(({ id }) => `p:${id}`) } : "no process of it is known";
  if (to === "login") {
    const login = from.kind === "login" ? from.id : (newest.find(({ login }) => login !== undefined)?.login ?? behind(state, from, newest));
    return login === undefined ? "no login of it is known" : { pane: "tree", ids: [`l:${login}`] };
  }
  if (to === "connection") {
    if (from.kind === "place") return { pane: "connections", ids: (from.members ?? []).toReversed() };
    const ids = [...state.connections.values()].filter(({ process }) => isOwner(process)).map(({ id }) => id);
    return ids.length > 0 ? { pane: "connections", ids: ids.reverse() } : "no connection of it was seen";
  }
  const ids = [...state.binaries.values()]
    .filter(
      ({ path, writer, runners }) => isOwner(writer) || runners.some(isOwner) || processes.some(({ executable }) => executable === path),
    )
    .map(({ path }) => `b:${path}`);
  return ids.length > 0 ? { pane: "binaries", ids: ids.reverse() } : "it neither ran nor wrote a new binary, as far as was seen";
}

/** The login that what has none goes back to: it wrote the entry of the job, or asked for it. */
const behind = (state: State, from: Selection, processes: readonly ProcessState[]): string | undefined =>
  [originAt(state, from), ...processes.map(({ id }) => originOf(state, id))].find((origin) => origin?.login !== undefined)?.login;

/** What began again and again, where the cursor is on it: its row, or its entry in the set-up. */
const originAt = (state: State, { kind, id, origin }: Selection) => state.origins.get(origin ?? (kind === "set-up" ? id : ""));

/** The processes that a thing belongs to; those of a login are all that run under it. */
function owners(state: State, from: Selection): ProcessState[] {
  const { kind, id, members } = from;
  const of = (ids: readonly (string | undefined)[]) => ids.flatMap((one) => (one === undefined ? [] : (state.processes.get(one) ?? [])));
  const origin = originAt(state, from);
  if (origin) return [...new Set([...of([id]), ...runningOf(state, origin), ...of([rootOf(state, origin)?.id])])];
  if (kind === "set-up") return of([state.binaries.get(state.setUp.get(id)?.name ?? "")?.writer]);
  if (kind === "process") return of([id]);
  if (kind === "connection") return of([state.connections.get(id)?.process]);
  if (kind === "login") return [...state.processes.values()].filter(({ login }) => login === id && id !== undefined);
  if (kind === "place") return of((members ?? []).map((one) => state.connections.get(one)?.process));
  if (kind === "binary") return of([...(state.binaries.get(id)?.runners ?? []), state.binaries.get(id)?.writer]);
  return of(members ?? []);
}

/** The screen with the cursor on a row that was asked for; in words, why there is none. `what` names it in that sentence. */
export function goTo(
  screen: { state: ScreenState; seen: State; filtered: boolean; lists(): Lists; keymap: Keymap },
  target: Destination,
  what: string,
): ScreenState | string {
  const { state, seen, filtered, keymap } = screen;
  const wanted = new Set(target.ids);
  const of = (row: { key: string; selection: { id: string } }) => wanted.has(row.key) || wanted.has(row.selection.id);
  // rows of the tree may be folded: they are looked for with everything open, and what they hang under is opened
  const open = new Set(state.toggled);
  let row: BaseRow | undefined = (screen.lists()[target.pane] as readonly BaseRow[]).find(of);
  if (!row && target.pane === "tree" && !filtered) {
    const all = buildTree(seen, { toggled: new AllOpen(), showHidden: state.showHidden });
    const byKey = new Map(all.map((one) => [one.key, one]));
    row = target.ids.map((id) => byKey.get(id)).find((one) => one !== undefined);
    for (let above = byKey.get(row?.key ?? "")?.parent; above !== undefined; above = byKey.get(above)?.parent)
      if (AllOpen.foldedByDefault(above)) open.add(above);
      else open.delete(above);
  }
  if (row)
    return {
      ...state,
      pane: target.pane,
      toggled: open,
      following: false,
      cursors: { ...state.cursors, [target.pane]: { key: row.key, index: 0 } },
    };
  if (filtered) return `${what} is not among what the filter shows: ${keymap.label("clear-filter")} takes the filter away`;
  return state.showHidden
    ? `${what} is no longer in the picture`
    : `${what} is not shown: tags may hide it, ${keymap.label("show-hidden")} shows what they hide`;
}
