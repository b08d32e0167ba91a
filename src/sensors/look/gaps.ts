import type { HostString } from "#model/host-string";
import type { Past } from "#model/past";
import type { Absent, Shipped } from "./answer.ts";
import type { AuthLine } from "./auth-log.ts";
import { type Stay, UTMP, type UtmpRecord } from "./utmp.ts";

/** A silence is told when it is longer than this, and than ten times what is usual in that log. */
const SILENCE_MS = 6 * 3_600_000;
const SILENCES = 5;

interface Logs {
  wtmp: readonly { file: Shipped; records: readonly UtmpRecord[] }[];
  logs: readonly { file: Shipped; times: readonly number[]; lines: readonly AuthLine[] }[];
  absent: readonly Absent[];
  stays: readonly Stay[];
  lines: readonly AuthLine[];
  sameLoginMs: number;
  now: number;
}

/**
 * Where something is missing that should be there: a history that leads to nowhere, an emptied log, records that were wiped or are out
 * of order, a silence in a log that usually speaks, and logins that one source tells and the other, which covers the time, does not.
 */
export function gapsIn({ wtmp, logs, absent, stays, lines, sameLoginMs, now }: Logs): Past[] {
  const gaps: Past[] = [];
  const gap = (path: HostString, text: string, first: number, last: number, count = 1) =>
    gaps.push({ kind: "gap", from: ["comparison"], first, last, count, path, text: text as HostString });
  for (const { path, why, to, kind } of absent)
    if (why === "link") gap(path, `a ${kind === "shell" ? "history" : "log"} that is a link${to === undefined ? "" : ` to ${to}`}`, 0, 0);
  for (const { file, records } of wtmp) {
    if (file.size === 0) gap(file.path, "empty: it was emptied, or rotated just now", file.mtime, file.mtime);
    const wiped = records.filter((record) => record.wiped).length;
    if (wiped > 0)
      gap(
        file.path,
        `${wiped === 1 ? "a record" : `${wiped} records`} of nothing but zeros: that is how records are wiped`,
        0,
        file.mtime,
        wiped,
      );
    // times fall only where a clock was set, which leaves a record of its own, or where somebody wrote into the file
    let before = 0;
    for (const { at, type, wiped: zero } of records) {
      if (zero || at === 0) continue;
      if (at < before - 1000 && type !== UTMP.boot && type !== UTMP.runLevel && type < 3)
        gap(file.path, "a record that is older than the one before it", at, before);
      before = Math.max(before, at);
    }
  }
  for (const { file, times } of logs) {
    if (file.size === 0) gap(file.path, "empty: it was emptied, or rotated just now", file.mtime, file.mtime);
    for (const { from, to } of silences(times))
      gap(file.path, `nothing for ${hours(to - from)}, where it usually says something`, from, to);
    const back = times.find((at, i) => i > 0 && at < (times[i - 1] as number) - 60_000);
    if (back !== undefined) gap(file.path, "a line that is older than the one before it", back, back);
  }
  const covered = logs.flatMap(({ times }) =>
    times.length > 1 ? [{ from: Math.min(times[0] as number, now), to: times.at(-1) as number }] : [],
  );
  const accepted = lines.filter(({ what }) => what === "accepted");
  for (const { record } of stays) {
    if (record.ip === undefined && record.host === "") continue; // from nowhere: a console, a terminal multiplexer
    if (!covered.some(({ from, to }) => record.at >= from + sameLoginMs && record.at <= to)) continue;
    const told = accepted.some(({ user, at }) => user === record.user && Math.abs(at - record.at) < sameLoginMs);
    if (!told && gaps.length < 200)
      gap(
        "auth.log" as HostString,
        `wtmp has a login of ${record.user} from ${record.host || record.ip}, and the log has none: its line was taken out, or wtmp's record was put in`,
        record.at,
        record.at,
      );
  }
  return gaps;
}

/** The longest times between two lines, where they stand out. */
function silences(times: readonly number[]): { from: number; to: number }[] {
  if (times.length < 20) return []; // too few to know what is usual
  const pauses = times.slice(1).map((to, i) => ({ from: times[i] as number, to, length: to - (times[i] as number) }));
  const sorted = pauses.map(({ length }) => length).sort((a, b) => a - b);
  const usual = sorted[Math.floor(sorted.length * 0.95)] as number;
  return pauses
    .filter(({ length }) => length > SILENCE_MS && length > usual * 10)
    .sort((a, b) => b.length - a.length)
    .slice(0, SILENCES);
}

const hours = (ms: number): string => (ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`);
