import type { LinkView } from "#model/link";
import type { SensorState, State } from "#state/state";
import { column, type Span, span, wrapText } from "../row.ts";
import type { Style, Theme } from "../theme.ts";
import { bytes, clock, count, stretch } from "../words.ts";
import { box, keyHint, type Overlay } from "./box.ts";

type Row = [label: string, text: string, style?: Style];

/** How well this session sees: each number that its sensors give of themselves, and all that they cannot see. */
export function sightDialog(
  theme: Theme,
  size: { width: number; height: number },
  { state, now, link, scroll }: { state: State; now: number; link: LinkView | undefined; scroll: number },
): Overlay {
  const width = Math.min(size.width - 4, 110);
  const rows: Row[] = [
    ...(link ? linkRows(link) : []),
    ...[...state.sensors.values()].flatMap((sensor) => sensorRows(sensor, now)),
    ...(state.sensors.size === 0 ? [["", "No sensor has started yet: nothing is watched.", "warn"] satisfies Row] : []),
  ];
  const body: Span[][] = [[]];
  for (const [label, text, style] of rows)
    for (const [i, line] of wrapText(text, width - 4 - LABEL).entries())
      body.push([column(i === 0 ? label : "", LABEL, "faint"), { text: line, style: style ?? "text", flex: true }]);
  body.push([]);
  const foot = [[...keyHint("Esc", "closes"), span("times are UTC, by the host's clock", "faint")]];
  return box(theme, { title: "What we see, and what not", style: "focus", body, foot, width, height: size.height - 2, scroll });
}

const LABEL = 15;

const WAYS = [
  ["program", "programs"],
  ["connection", "connections"],
  ["file", "new files"],
  ["opening", "who opens what"],
] as const;

/** What a test of ours has shown to be seen, and when last; what has none is said. */
const provenWords = ({ proven }: SensorState["report"]): string =>
  WAYS.map(([kind, name]) => {
    const last: unknown = proven?.[kind]; // any log can be read, forged ones too
    const at = typeof last === "string" ? Date.parse(last) : Number.NaN;
    return `${name} ${Number.isNaN(at) ? "not proven" : clock(at)}`;
  }).join(", ");

const linkRows = ({ phase, attempt, seenAgoMs, why }: LinkView): Row[] => [
  ["the host", phase === "away" ? `is lost; reconnecting, attempt ${attempt}` : "is lost, and not tried any more", "alarm"],
  ["last seen", `${stretch(seenAgoMs)} ago`],
  ["because", why],
];

function sensorRows({ id, tier, status, since, seen, report }: SensorState, now: number): Row[] {
  const well = status === "running";
  const of = (n: number | undefined, unit: string, bad: Style): [string, Style?] =>
    n === undefined ? ["not told", "faint"] : [`${count(n)}${unit}`, n > 0 ? bad : "text"];
  const { canaries, clock_offset: offset, kernel_buffer: buffer, blind = [] } = report;
  const missing = canaries ? canaries.sent - canaries.returned : 0;
  return [
    ["sensor", `${id} by ${tier}, ${status} since ${clock(since)}`, well ? "strong" : "alarm"],
    ...(report.reason && !well ? [["because", report.reason, "warn"] satisfies Row] : []),
    ["received", ...of(report.received, " events", "text")],
    ["lost", ...of(report.lost, " events that the kernel dropped, its buffer being full", "bad")],
    ["raced", ...of(report.raced, " programs whose arguments were gone before they could be read, or were too many to be read", "warn")],
    ["unreadable", ...of(report.undecodable, " lines that could not be decoded", "warn")],
    ["elsewhere", ...of(report.outside, " events of no process of this host", "text")],
    ["queue", report.queue === undefined ? "not told" : `${bytes(report.queue)} wait on the host for the line`],
    [
      "clock",
      offset === undefined
        ? "not told"
        : `the host's is ${Math.abs(offset) < 1000 ? `${Math.abs(offset)} ms` : stretch(Math.abs(offset))} ${offset < 0 ? "behind" : "ahead of"} ours`,
    ],
    ["last seen", seen === undefined ? "nothing yet" : `${clock(seen)}, ${stretch(Math.max(0, now - seen))} ago`],
    [
      "tests",
      canaries
        ? `${count(canaries.returned)} of ${count(canaries.sent)} things of our own that had to come back did (programs, connections, files, openings)`
        : "none",
      missing > 4 ? "warn" : "text",
    ],
    ["proven", provenWords(report), "text"],
    ["kernel memory", buffer === undefined ? "not told" : `${bytes(buffer)} of buffers on the host, gone at the end`],
    ...blind.map((sentence, i): Row => [i === 0 ? "cannot see" : "", sentence, "warn"]),
    ["", ""],
  ];
}
