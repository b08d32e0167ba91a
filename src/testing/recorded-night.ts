import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The recorded night that the repository holds. */
export const NIGHT = join(import.meta.dirname, "../../sessions/the-night");

/** How many events it has; and the last one before its isolation was planned: the intruder is tagged, and the host is not cut off yet. */
export function momentsOfTheNight(): { length: number; beforeCut: number } {
  const lines = readFileSync(join(NIGHT, "events.jsonl"), "utf8").trimEnd().split("\n");
  return { length: lines.length, beforeCut: lines.findIndex((line) => line.includes('"response.proposed"')) };
}

/** A number as the screen writes it. */
export const told = (n: number): string => n.toLocaleString("en-US");
