/** Dialogs of what was done against us, what was taken, and by which sockets one gets at others. */
export type TrustDialog = FindingsDialog | { kind: "rotate" | "sockets"; scroll: number };

export interface FindingsDialog {
  kind: "findings";
  /** Key of the group that is chosen; the newest before one was. New ones come above it, and it stays the chosen one. */
  on?: string;
  /** While the reason is typed for which these are dismissed. */
  dismissing?: { findings: readonly string[]; text: string };
}

/** Place of the chosen group. */
export const chosenGroup = (groups: readonly { key: string }[], { on }: FindingsDialog): number =>
  Math.max(
    0,
    groups.findIndex(({ key }) => key === on),
  );
