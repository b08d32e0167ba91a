/** Commands of an analyst's own on the host. */
export type CommandDialog =
  /** The line that is typed. */
  | { kind: "compose-command"; text: string }
  /** What one of them wrote; `back` counts from the newest. */
  | { kind: "commands"; back: number; scroll: number };

export const isCommandDialog = (dialog: { kind: string } | undefined): dialog is CommandDialog =>
  dialog?.kind === "compose-command" || dialog?.kind === "commands";
