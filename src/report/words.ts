import type { Unseen } from "#model/observation";
import type { Millis } from "#state/time";

/** A number as it is read; from a forged log it may be something else. */
export const figure = (n: number): string => Number(n).toLocaleString("en");

/** "1 login", "3 logins". */
export const count = (n: number, one: string, many = `${one}s`): string => `${figure(n)} ${n === 1 ? one : many}`;

/** "a", "a and b", "a, b and c"; of more than `most`, how many others there are. */
export function list(things: readonly string[], most = 12): string {
  const shown = things.length > most ? [...things.slice(0, most), `${things.length - most} more`] : things;
  return shown.length < 2 ? (shown[0] ?? "") : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}

/** "1.2 s", "26 s", "4 min 10 s", "3 h 5 min". */
export function duration(ms: Millis): string {
  const seconds = ms / 1000;
  if (seconds < 1) return `${Math.max(0, Math.round(ms))} ms`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export const capital = (word: string): string => `${word[0]?.toUpperCase() ?? ""}${word.slice(1)}`;

/** Why something was not seen, by the event's own word; of the thing itself ("it"). */
export const WHY_UNSEEN: Readonly<Record<Unseen, string>> = {
  raced: "gone before it could be read",
  denied: "we were not allowed to read it",
  lost: "dropped on the way, or too much at once to be read",
};
