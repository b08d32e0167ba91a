/** Dialogs of what was done against us and what was taken. */
export type TrustDialog = { kind: "findings"; scroll: number } | { kind: "rotate"; scroll: number };

export const isTrustDialog = (dialog: { kind: string } | undefined): dialog is TrustDialog =>
  dialog?.kind === "findings" || dialog?.kind === "rotate";
