import type { StakeoutEvent } from "#model/event";
import type { Unseen } from "#model/observation";
import type { State } from "#state/state";
import type { Clock } from "./clock.ts";
import type { Collected } from "./collect.ts";
import { code, prose, table } from "./escape.ts";
import { count, figure, WHY_UNSEEN } from "./words.ts";

/** What the recording does not hold, and why: what is not in this report may have happened all the same. */
export function unseenSection(state: State, collected: Collected, broken: number, clock: Clock): string[] {
  const { baseline } = collected;
  const lines = [
    "What is not in this report may have happened all the same. In particular:",
    "",
    `- What happened before ${clock(state.started)} is not in it. At the first look ${count(baseline.processes, "process was", "processes were")} there, ${count(baseline.connections, "open connection")}, ${count(baseline.listeners, "listening port")} and ${count(baseline.logins, "login")}.`,
  ];
  if (state.ended === undefined) lines.push(`- The recording has no end: it was still going on, or was cut off, at ${clock(state.now)}.`);
  if (state.sensors.size === 0) lines.push("- No sensor ever ran: nothing of the host was seen.");
  for (const { id, tier, status, since, report } of state.sensors.values()) {
    lines.push(
      `- Sensor ${prose(id)}, tier ${prose(tier)}: ${prose(status)} since ${clock(since)}${report.reason === undefined ? "" : ` (${prose(report.reason)})`}.`,
    );
    const counted = [
      report.lost === undefined ? "events lost in the kernel: not counted" : `events lost in the kernel: ${figure(report.lost)}`,
      report.raced === undefined
        ? ""
        : `programs whose arguments were gone before they could be read, or too many to be read: ${figure(report.raced)}`,
      report.undecodable ? `lines that could not be decoded: ${figure(report.undecodable)}` : "",
      report.outside ? `kernel events of other hosts on the same machine, dropped: ${figure(report.outside)}` : "",
    ].filter((part) => part !== "");
    for (const part of counted) lines.push(`  - ${part}`);
    for (const blind of report.blind ?? []) lines.push(`  - not seen by this tier: ${prose(blind, 400)}`);
  }
  if (broken) lines.push(`- ${count(broken, "line")} of the log could not be read and ${broken === 1 ? "is" : "are"} not in this report.`);
  const gone = Math.max(0, state.counts.logins - state.logins.size);
  if (gone)
    lines.push(`- ${count(gone, "login")} that came from where most came, and left nothing, ${gone === 1 ? "is" : "are"} only in the log.`);
  if (state.counts.folded)
    lines.push(
      `- ${count(state.counts.folded, "short-lived process", "short-lived processes")} that had ended ${state.counts.folded === 1 ? "is" : "are"} only in the log.`,
    );
  const { unseen } = collected;
  if (unseen.size) {
    const rows = [...unseen.values()]
      .toSorted((a, b) => b.times - a.times)
      .map(({ field, why, times }) => [
        code(field),
        Object.hasOwn(WHY_UNSEEN, why) ? WHY_UNSEEN[why as Unseen] : prose(why),
        figure(times),
      ]);
    lines.push("", "Fields left out of events:", "", ...table(["Field", "Why", "Times"], rows));
  }
  return [...lines, ""];
}

/** Where places and networks come from: the licences ask that it be said. */
export function sourcesSection(start: StakeoutEvent | undefined): string[] {
  const geo = start?.stakeout["geo"];
  const lists = start?.stakeout["known_files"];
  return [
    `- Used in this session: ${geo === undefined ? "not recorded" : prose(String(geo))}.`,
    "- Places of addresses: IP Geolocation by DB-IP, https://db-ip.com, under CC BY 4.0.",
    "- Networks (AS) of addresses: University of Oregon Route Views, https://www.routeviews.org, and DB-IP, under CC BY 4.0, by way of ip-location-db.",
    `- Lists of known files, with how many digests each has: ${typeof lists === "string" ? prose(lists, 1000) : "none was given: no content was held against one"}.`,
    "- Everything else is from the session's own log.",
    "",
  ];
}
