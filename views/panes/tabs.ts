import { ALL_KEY, PANES, type PaneName } from "#commands/pane";
import { columns } from "../HostText.ts";
import { paintRow, type Span, span } from "../row.ts";
import type { Theme } from "../theme.ts";
import { count } from "../words.ts";

/** The views and their keys: which one is on the screen, and what the others hold. */
export function tabsLine(
  theme: Theme,
  width: number,
  now: { focus: PaneName; zoomed: boolean; counts: Readonly<Record<PaneName, number>> },
): string {
  const whole = tabs(now, true, true);
  const room = (spans: readonly Span[]) => spans.reduce((sum, s) => sum + columns(s.text), 0) <= width;
  const plain = tabs(now, true, false);
  return paintRow(theme, width, room(whole) ? whole : room(plain) ? plain : tabs(now, false, false));
}

function tabs({ focus, zoomed, counts }: Parameters<typeof tabsLine>[2], long: boolean, counted: boolean): Span[] {
  const gap = span(long ? "  " : " ");
  const all = [{ key: ALL_KEY, title: "All", shown: !zoomed, focused: false, count: "" }];
  const those = PANES.map(({ name, key, title, short }) => ({
    key,
    title: long ? title : short,
    shown: zoomed && focus === name,
    focused: focus === name,
    count: counted && name !== "activity" ? ` ${count(counts[name])}` : "",
  }));
  return [
    span(" "),
    ...[...all, ...those].flatMap(({ key, title, shown, focused, count }) =>
      shown
        ? [span(` ${key} ${title}${count} `, "button"), gap]
        : [
            span(long ? ` ${key}` : key, "key"),
            span(` ${title}`, focused ? "focus" : "soft"),
            span(`${count}${long ? " " : ""}`, "faint"),
            ...(long ? [span("")] : [gap]),
          ],
    ),
  ];
}
