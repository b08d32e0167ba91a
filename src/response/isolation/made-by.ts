import type { ExistingIsolation } from "./facts/host-facts.ts";

/**
 * Who an isolation is by, in the host's own words: `session s-1, by a plan of 2026-11-24 21:04:11 UTC`. The rules carry the time of their plan,
 * which somebody may have read for minutes before he pressed Enter: since when the host is cut off is not in them.
 */
export function planOf({ session, since }: Pick<ExistingIsolation, "session" | "since">): string {
  const time = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(since ?? "");
  const at = time ? `${time[1]} ${time[2]} UTC` : (since ?? "a time that is not told");
  return `session ${session ?? "unknown"}, by a plan of ${at}`;
}
