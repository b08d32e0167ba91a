import type { CommandContext, Keymap } from "#commands/command";
import { footer } from "#commands/registry";
import type { LinkView } from "#model/link";
import type { SensorState, State } from "#state/state";
import { columns } from "../HostText.ts";
import { paintRow, type Span, span } from "../row.ts";
import type { Message } from "../store.ts";
import type { Style, Theme } from "../theme.ts";
import { age, bytes, count, stretch } from "../words.ts";
import { isolationFinding } from "./isolation.ts";

/** What this session cannot see: always on the screen, since nothing seen is not nothing there. While the host is lost, that alone. */
export function blindLine(theme: Theme, width: number, state: State, now: number, link: LinkView | undefined, keymap: Keymap): string {
  if (link) return lostLine(theme, width, link, keymap);
  const found = isolationFinding(state, now);
  if (found !== undefined)
    return paintRow(theme, width, [span(" finding ", "alarm"), span(" "), { text: found, style: "bad", flex: true }, span(" ")]);
  const blind = [...state.sensors.values()].flatMap((s) => [
    ...(s.report.reason && s.status !== "running" ? [s.report.reason] : []),
    ...(s.report.blind ?? []),
  ]);
  const text =
    state.sensors.size === 0
      ? "nothing is watched yet"
      : blind.length === 0
        ? "the sensor names no blind spot"
        : blind.join(` ${theme.glyphs.dot} `);
  const [sensor] = state.sensors.values();
  const meter = sensor ? sightSpans(theme, sensor, now, width) : [];
  return paintRow(theme, width, [span(" blind ", "warn"), { text, style: "faint", flex: true }, span("  "), ...meter]);
}

/** How fresh and how true our sight is; what is lost and raced stands in the header. The narrower, the less of it. */
function sightSpans(theme: Theme, { report, seen, status }: SensorState, now: number, width: number): Span[] {
  const { queue, clock_offset: offset, canaries, undecodable = 0 } = report;
  const under = canaries ? canaries.sent - canaries.returned : 0;
  const parts: Span[] = [];
  if (undecodable > 0) parts.push(span(`unreadable ${count(undecodable)}`, "warn"));
  if (width >= 140 && canaries) parts.push(span(`tests ${canaries.returned}/${canaries.sent}`, under > 4 ? "warn" : "faint"));
  if (width >= 100 && queue !== undefined) parts.push(span(`queue ${bytes(queue)}`, queue > 1 << 20 ? "warn" : "faint"));
  if (width >= 100 && offset !== undefined)
    parts.push(span(`clock ${offset < 0 ? "" : "+"}${offsetOf(offset)}`, Math.abs(offset) > 5000 ? "warn" : "faint"));
  if (seen !== undefined && status !== "stopped") parts.push(span(`seen ${age(seen, now)} ago`, now - seen > 15_000 ? "warn" : "faint"));
  return parts.flatMap((part) => [part, span(part === parts.at(-1) ? " " : ` ${theme.glyphs.dot} `, "faint")]);
}

const offsetOf = (ms: number) => (Math.abs(ms) < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(Math.abs(ms) < 10_000 ? 1 : 0)} s`);

/** That nothing is seen, for how long, what is done about it, and which keys help. */
function lostLine(theme: Theme, width: number, link: LinkView, keymap: Keymap): string {
  const { phase, attempt, trying, nextInMs, seenAgoMs, why, halted } = link;
  const when = trying || nextInMs === undefined ? "" : `, next in ${stretch(nextInMs)}`;
  const what = phase === "away" ? `reconnecting, attempt ${attempt}${when}` : halted ? "nothing is collected" : "not tried any more";
  const keys: Span[] = [
    span("   "),
    span(keymap.label("reconnect"), "key"),
    span(phase === "away" ? " tries now  " : halted ? " begins again  " : " tries again  ", "soft"),
    ...(phase === "away" ? [span(keymap.label("stop-reconnecting"), "key"), span(" stops  ", "soft")] : []),
  ];
  return paintRow(theme, width, [
    span(halted ? " NOT WATCHED " : " LOST ", "alarm"),
    span(` ${what}, last seen ${stretch(seenAgoMs)} ago`, "strong"),
    ...keys,
    { text: why, style: "faint", flex: true },
    span(" "),
  ]);
}

const LEVEL: Record<Message["level"], Style> = { info: "strong", warn: "warn", error: "bad" };

/** The keys that matter now, or the message that answers the last one. */
export function footerLine(theme: Theme, width: number, context: CommandContext, message: Message | undefined): string {
  if (message) {
    // an error begins with what it means; what else is told may end in a file's name
    const cut = message.level === "error" ? "end" : "middle";
    return paintRow(theme, width, [span(" "), { text: message.text, style: LEVEL[message.level], flex: true, cut }, span(" ")]);
  }
  return paintRow(theme, width, [span(" "), ...placed(width, context).flatMap(({ spans }) => spans)]);
}

/** The command whose key stands at that column of the footer. */
export function itemAt(width: number, context: CommandContext, x: number): string | undefined {
  let from = 1;
  for (const { id, size } of placed(width, context)) {
    if (x >= from && x < from + size - GAP) return id;
    from += size;
  }
  return undefined;
}

/** Blanks between two keys. */
const GAP = 3;

/** The items that fit, in their order. */
function placed(width: number, context: CommandContext): { id: string; spans: Span[]; size: number }[] {
  const items = footer(context).map((item) => {
    const spans = [
      span(item.key, item.disabled ? "faint" : "key"),
      span(` ${item.title}`, item.disabled ? "faint" : "soft"),
      span(" ".repeat(GAP)),
    ];
    return { id: item.id, spans, size: spans.reduce((sum, s) => sum + columns(s.text), 0) };
  });
  // The way to all the other keys is always there, however many come before it.
  let left = width + 1 - (items.find(({ id }) => id === "help")?.size ?? 0);
  let full = false;
  return items.filter(({ id, size }) => {
    if (id === "help") return true;
    full ||= size > left;
    if (!full) left -= size;
    return !full;
  });
}
