/** Dialogs of what was done against us, what was taken, and by which sockets one gets at others. */
export interface TrustDialog {
  kind: "findings" | "rotate" | "sockets";
  scroll: number;
}

export const isTrustDialog = (dialog: { kind: string } | undefined): dialog is TrustDialog =>
  dialog?.kind === "findings" || dialog?.kind === "rotate" || dialog?.kind === "sockets";
