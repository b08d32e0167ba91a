import type { Endpoint } from "#model/event";
import { isHidden } from "#state/lineage";
import type { ConnectionState, Tried } from "#state/state";
import type { Millis } from "#state/time";
import { sparkText, spread } from "../charts/activity.ts";
import { column, paintRow, span } from "../row.ts";
import { type ConnectionRow, mostOf } from "../rows/connections.ts";
import type { Glyphs, Style, Theme } from "../theme.ts";
import { address, bytes, network, place } from "../words.ts";
import { ageSpans, cursorSpan, headOfAge } from "./title.ts";
import { type RowContext, standingStyle } from "./tree-row.ts";

/** How a connection stands, as a glyph, a word that can be read aloud, and a colour. */
export function phaseOf(c: ConnectionState, glyphs: Glyphs): { glyph: string; word: string; style: Style } {
  if (c.phase === "established") return { glyph: glyphs.established, word: "open", style: "good" };
  if (c.phase === "attempt" && c.transport === "udp") return { glyph: glyphs.attempt, word: "aimed", style: "soft" };
  if (c.phase === "attempt") return { glyph: glyphs.attempt, word: "trying", style: "warn" };
  if (c.phase === "listening") return { glyph: glyphs.listening, word: "listens", style: "soft" };
  return c.outcome === "failure"
    ? { glyph: glyphs.refused, word: "failed", style: "faint" }
    : { glyph: glyphs.closed, word: "closed", style: "faint" };
}

const addressWidth = (width: number) => (width >= 130 ? 27 : 21);
const ownerWidth = (width: number) => (width >= 130 ? 16 : width >= 96 ? 13 : width >= 70 ? 12 : 8);
const triesWidth = (width: number) => (width >= 118 ? 12 : width >= 104 ? 8 : 0);
/** What was sent stands in the list where there is room: that something is carried out is to be seen without opening each. */
const SENT_FROM = 130;
const placeWidth = (width: number) => (width >= 150 ? 30 : width >= 110 ? 19 : width >= 90 ? 15 : width >= 70 ? 14 : 8);
/** With the country in full where it fits. */
const where = (far: Endpoint, width: number) => {
  const { country_name: country, city_name: city } = far.geo ?? {};
  return width >= 150 && country !== undefined && city !== undefined ? `${place(far)}, ${country}` : place(far);
};
const listensTo = (ip: string) =>
  ip === "0.0.0.0" || ip === "::" ? "all addresses" : ip.startsWith("127.") || ip === "::1" ? "this host only" : "one address";

/** The attempts at a far end from the first until now; empty where there was one alone. */
export function triesLine(theme: Theme, width: number, tried: Tried | undefined, now: Millis): string {
  if (!tried || tried.attempts < 3) return " ".repeat(width);
  const { width: each, first, counts } = tried.tries;
  const quiet = Math.min(10_000, Math.max(0, Math.floor(now / each) - (first + counts.length - 1)));
  return sparkText(theme, width, spread([...counts, ...Array.from({ length: quiet }, () => 0)], width), 3);
}

/** What the columns of such a row are. */
export const connectionHead = (theme: Theme, width: number): string =>
  paintRow(theme, width, [
    column("", 5),
    ...(width >= 96 ? [column("state", 8, "faint")] : []),
    column("", 2),
    column("far end", addressWidth(width), "faint"),
    span(" "),
    column("place", placeWidth(width), "faint"),
    span(" "),
    { text: "network", style: "faint", flex: true },
    span(" "),
    column("program", ownerWidth(width), "faint"),
    ...(width >= 84 ? [column("pid", 8, "faint", { align: "right" })] : []),
    ...(width >= SENT_FROM ? [column("sent", 9, "faint", { align: "right" })] : []),
    ...(triesWidth(width) > 0 ? [span(" "), column("tries", triesWidth(width), "faint")] : []),
    column(triesWidth(width) > 0 ? "" : "tries", 6, "faint", { align: "right" }),
    ...headOfAge(),
  ]);

/** One row of the connections, exactly `width` columns wide. */
export function connectionRow(row: ConnectionRow, context: RowContext): string {
  const { theme, now, width, selected, focused } = context;
  const { latest, far } = row;
  const { glyphs } = theme;
  const hidden = isHidden(latest.standing);
  const phase = phaseOf(latest, glyphs);
  const over = latest.phase === "ended";
  const [tries, most] = [triesWidth(width), mostOf(row)];
  const carried = context.state.connections.get(latest.id)?.carried;
  const as = (style: Style): Style => (hidden ? "responder" : style);
  const listens = latest.phase === "listening";
  const abroad = far.geo?.country_iso_code !== undefined;
  const main: Style =
    latest.standing === "intruder" || latest.standing === "suspect" ? standingStyle(latest.standing) : over && !abroad ? "faint" : "strong";
  return paintRow(
    theme,
    width,
    [
      cursorSpan(theme, selected, focused),
      span(
        `${hidden || main === standingStyle(latest.standing) ? glyphs.standing[latest.standing] : " "} `,
        standingStyle(latest.standing),
      ),
      span(`${phase.glyph} `, as(phase.style)),
      ...(width >= 96 ? [column(phase.word, 8, as(phase.style))] : []),
      span(`${listens ? " " : latest.direction === "egress" ? glyphs.egress : glyphs.ingress} `, as("soft")),
      column(address(far), addressWidth(width), as(main), { cut: "middle" }),
      span(" "),
      column(listens ? listensTo(far.ip) : where(far, width), placeWidth(width), as(abroad ? "place" : "faint")),
      span(" "),
      { text: network(far), style: as("soft"), flex: true },
      span(" "),
      column(row.owner, ownerWidth(width), as(over ? "faint" : "text"), { cut: "middle" }),
      ...(width >= 84 ? [column(row.pid === undefined ? "" : ` ${row.pid}`, 8, as("soft"), { align: "right" })] : []),
      ...(width >= SENT_FROM ? [span(" "), column(listens || !carried ? "" : bytes(carried.sent), 8, as("soft"), { align: "right" })] : []),
      ...(tries > 0 ? [span(" "), span(triesLine(theme, tries, row.tried, now), as("warn"))] : []),
      span(" "),
      column(most > 1 ? `${row.tried?.shared ? "<=" : glyphs.times}${most}` : "", 5, as(most >= 5 && !listens ? "warn" : "soft"), {
        align: "right",
      }),
      ...ageSpans(theme, latest.end ?? latest.start, now, as("soft"), row.at),
      span(" "),
    ],
    selected && focused ? "selected" : undefined,
  );
}
