import { isHidden } from "#state/lineage";
import { column, paintRow, span } from "../row.ts";
import type { PlaceRow } from "../rows/places.ts";
import type { Style } from "../theme.ts";
import { plural } from "../words.ts";
import { ageSpans, cursorSpan } from "./title.ts";
import { type RowContext, standingStyle } from "./tree-row.ts";

/** One row of the places beside the map, exactly `width` columns wide. */
export function placeRow(row: PlaceRow, context: RowContext): string {
  const { theme, now, width, selected, focused } = context;
  const { glyphs } = theme;
  const hidden = isHidden(row.standing);
  const as = (style: Style): Style => (hidden ? "responder" : style);
  const style = standingStyle(row.standing);
  const way = `${row.goes ? glyphs.egress : " "}${row.comes ? glyphs.ingress : " "}`;
  return paintRow(
    theme,
    width,
    [
      cursorSpan(theme, selected, focused),
      span(`${glyphs.standing[row.standing]} `, style),
      column(way, 3, as("soft")),
      column(row.code ?? "", 3, as("place")),
      { text: row.title, style: row.code === undefined ? as("soft") : row.standing === "unknown" ? as("strong") : style, flex: true },
      ...(width >= 90 ? [span(" "), column(row.cities.join(", "), 24, as("place"))] : []),
      ...(width >= 70 ? [span(" "), column(row.networks.join(", "), width >= 90 ? 28 : 18, as("soft"))] : []),
      ...(width >= 60 ? [column(plural(row.ends, "address", "addresses"), 15, as("soft"), { align: "right" })] : []),
      ...(width >= 46 ? [column(row.live > 0 ? `${row.live} live` : "", 10, as("warn"), { align: "right" })] : []),
      column(`${glyphs.times}${row.attempts}`, 6, as(row.attempts >= 5 && row.code !== undefined ? "warn" : "soft"), { align: "right" }),
      ...ageSpans(theme, row.at, now, as("soft"), row.at),
      span(" "),
    ],
    selected && focused ? "selected" : undefined,
  );
}
