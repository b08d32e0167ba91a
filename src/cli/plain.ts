import { say } from "./exit.ts";

/** Terminals that cannot place a cursor: Emacs' shell, a pipe with a name, a system that knows nothing of the terminal. */
const CANNOT = new Set(["dumb", "unknown", ""]);

/** Whether a terminal of that type can place no cursor. */
export const cannotPlace = (term: string): boolean => CANNOT.has(term);

/** Whether sentences are wanted in the place of a screen; a terminal that can do no other gets them, with a word why. */
export function wantsPlain({ plain }: { plain?: boolean }): boolean {
  if (plain) return true;
  const term = process.env["TERM"] ?? "";
  if (!cannotPlace(term)) return false;
  say(
    `${term === "" ? "TERM is not set" : `TERM is "${term}"`}: this terminal can place no cursor, so everything is told in sentences (--plain)`,
  );
  return true;
}
