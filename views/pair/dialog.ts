import type { Subject } from "#model/presence";

/** Dialogs of two analysts on one session. */
export type PairDialog =
  /** Who is here and how somebody joins. `keys`: whose keys may join, while that is typed. */
  | { kind: "people"; scroll: number; keys?: string }
  | { kind: "who-did-what"; scroll: number }
  /** A line of chat, or a note on a thing. */
  | { kind: "compose"; what: "chat" | "note"; on?: Subject; text: string };

export const isPairDialog = (dialog: { kind: string } | undefined): dialog is PairDialog =>
  dialog?.kind === "people" || dialog?.kind === "who-did-what" || dialog?.kind === "compose";
