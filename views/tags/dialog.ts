import type { ComposeTag } from "#commands/intent";
import type { Selector, TagScope, Verdict } from "#model/event";
import { type Criterion, criteriaOf } from "#state/criteria";

/** A tag while it is being decided. */
export interface TagDialog {
  kind: "tag";
  /** What can be selected, and which of it is. */
  choices: readonly Selector[];
  at: number;
  verdict: Verdict;
  reason: string;
  scope: TagScope;
  hidesFlagged: boolean;
  /** Letters go to the selector's value, and not to the reason. */
  typing: boolean;
  /** It was said that it hides everything, and the analyst went on. */
  sure: boolean;
  /** The last event when the dialog opened. */
  since: number;
  replaces?: string;
}

/** Tags and suggestions, and what this console is on the host. */
export type TagsDialog = { kind: "tags"; at: number } | { kind: "footprint"; scroll: number };

export const selectorOf = ({ choices, at }: TagDialog): Selector => choices[at] ?? choices[0] ?? {};

export const isTagsDialog = (dialog: { kind: string } | undefined): dialog is TagDialog | TagsDialog =>
  dialog?.kind === "tag" || dialog?.kind === "tags" || dialog?.kind === "footprint";

/** The dialog as it opens: a rule whose value is not known begins with typing it. */
export function tagDialogOf({ choices, since, reason, edits }: ComposeTag): TagDialog {
  const dialog: TagDialog = {
    kind: "tag",
    choices,
    at: 0,
    verdict: edits?.verdict ?? "responder",
    reason: edits?.reason ?? reason ?? "",
    scope: edits?.scope ?? "session",
    hidesFlagged: edits?.hidesFlagged ?? false,
    typing: false,
    sure: false,
    since,
    ...(edits ? { replaces: edits.tag } : {}),
  };
  return { ...dialog, typing: typedValue(selectorOf(dialog)) === "" };
}

/** The part of a selector that can be typed; undefined where there is none. */
const TYPED: readonly Criterion[] = ["source", "command", "cron", "unit", "container", "user", "sha256"];
export const typedPart = (selector: Selector): Exclude<Criterion, "package"> | undefined => {
  const criteria = criteriaOf(selector);
  return criteria && (TYPED.find((name) => criteria[name] !== undefined) as Exclude<Criterion, "package"> | undefined);
};
export function typedValue(selector: Selector): string | undefined {
  const part = typedPart(selector);
  return part && criteriaOf(selector)?.[part];
}
