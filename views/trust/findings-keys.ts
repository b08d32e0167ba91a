import { type FindingGroup, findingGroups } from "#state/finding-groups";
import type { State } from "#state/state";
import { edited } from "../field.ts";
import type { Destination } from "../find.ts";
import type { Key } from "../keys.ts";
import type { Handled, ScreenState } from "../screen-state.ts";
import { scrolled } from "../scrolled.ts";
import type { ViewStore } from "../store.ts";
import { chosenGroup, type FindingsDialog } from "./dialog.ts";

const LONGEST_REASON = 300;
/** What is judged in a replay would be judged nowhere. */
const REPLAY = "a replay shows what was recorded: findings are dismissed in the live session";

/** A key while the list of findings is open: it chooses, dismisses with a reason, brings back, undoes. `armed`: the list was on the screen. */
export function findingsKey(
  state: ScreenState,
  dialog: FindingsDialog,
  key: Key,
  armed: boolean,
  { state: host, meta }: Pick<ViewStore, "state" | "meta">,
): Handled {
  if (dialog.dismissing) return reasonOf(state, dialog, dialog.dismissing, key);
  const { dialog: _, ...closed } = state;
  if (["escape", "ctrl-c", "q", "X"].includes(key.name)) return { state: closed };
  const groups = findingGroups(host);
  const at = chosenGroup(groups, dialog);
  const moved = scrolled(at, key.name);
  const on = moved === undefined ? undefined : groups[Math.min(moved, groups.length - 1)]?.key;
  if (moved !== undefined) return { state: { ...state, dialog: { kind: "findings", ...(on === undefined ? {} : { on }) } } };
  if (key.name === "enter") {
    const goTo = evidenceOf(host, groups[at]);
    return goTo === undefined ? { state, notice: "what it names is no longer in the picture" } : { state: closed, goTo };
  }
  if (!["x", "delete", "Z"].includes(key.name)) return { state };
  if (meta.mode === "replay") return { state, notice: REPLAY };
  if (!armed) return { state, notice: "that key came before the list was on the screen: press it again" };
  if (key.name === "Z") return { state, intent: { kind: "undo-findings" } };
  const chosen = groups[at];
  if (!chosen) return { state, notice: "nothing was found yet" };
  const findings = chosen.findings.map(({ id }) => id);
  if (chosen.dismissed) return { state, intent: { kind: "restore-findings", findings } };
  return { state: { ...state, dialog: { kind: "findings", on: chosen.key, dismissing: { findings, text: "" } } } };
}

/** Where the screen shows what a finding is about: the process that did it, its login, the file. */
function evidenceOf(host: State, group: FindingGroup | undefined): Destination | undefined {
  if (!group) return undefined;
  const { entities, path } = group.newest;
  const known = entities.find((id) => host.processes.has(id));
  if (known !== undefined) return { pane: "tree", ids: [`p:${known}`] };
  const login = entities.find((id) => host.logins.has(id));
  if (login !== undefined) return { pane: "tree", ids: [`l:${login}`] };
  return path !== undefined && host.binaries.has(path) ? { pane: "binaries", ids: [`b:${path}`] } : undefined;
}

function reasonOf(state: ScreenState, dialog: FindingsDialog, asked: NonNullable<FindingsDialog["dismissing"]>, key: Key): Handled {
  const { dismissing: _, ...list } = dialog;
  if (key.name === "escape" || key.name === "ctrl-c") return { state: { ...state, dialog: list } };
  if (key.name === "enter") {
    const reason = asked.text.trim();
    if (reason === "") return { state, notice: "write a reason: it is recorded with your name" };
    return { state: { ...state, dialog: list }, intent: { kind: "dismiss-findings", findings: asked.findings, reason } };
  }
  const text = edited(asked.text, key, LONGEST_REASON);
  return text === undefined ? { state } : { state: { ...state, dialog: { ...dialog, dismissing: { ...asked, text } } } };
}
