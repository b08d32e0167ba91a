import { doerGlyph, doerStyle, sparkText, spread } from "../charts/activity.ts";
import { column, paintRow, span } from "../row.ts";
import type { ActivityRow } from "../rows/activity.ts";
import { count } from "../words.ts";
import { ageSpans, cursorSpan } from "./title.ts";
import type { RowContext } from "./tree-row.ts";

/** One row of those who did something, exactly `width` columns wide. */
export function activityRow(row: ActivityRow, context: RowContext): string {
  const { theme, now, width, selected, focused } = context;
  const style = doerStyle(row.doer);
  const spark = Math.max(8, Math.min(60, width - 66));
  return paintRow(
    theme,
    width,
    [
      cursorSpan(theme, selected, focused),
      span(`${doerGlyph(theme, row.doer)} `, style),
      { text: row.title, style: row.doer === "unknown" ? "strong" : style, flex: true, cut: "middle" },
      span(" "),
      span(sparkText(theme, spark, spread(row.counts, spark)), style),
      column(count(row.total), 9, "text", { align: "right" }),
      span("  "),
      column(row.doer === "known-good" ? "known good" : row.doer === "service" ? "not judged" : row.doer, 10, style),
      ...ageSpans(theme, row.at, now, "soft", row.at),
      span(" "),
    ],
    selected && focused ? "selected" : undefined,
  );
}
