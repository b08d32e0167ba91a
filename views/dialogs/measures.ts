import type { MeasureItem } from "#commands/measures";
import type { MeasuresDialog } from "../measures-keys.ts";
import { type Span, span } from "../row.ts";
import type { Theme } from "../theme.ts";
import { type BoxLine, box, keyHint, type Overlay } from "./box.ts";

/** What can be done to the selected thing that is less than an isolation, and what of that can be taken back. */
export function measuresDialog(
  theme: Theme,
  size: { width: number; height: number },
  dialog: MeasuresDialog,
  items: readonly MeasureItem[],
  armed: boolean,
): Overlay {
  const width = Math.min(size.width - 4, 100);
  const room = Math.max(3, size.height - 10);
  const at = Math.min(dialog.at, Math.max(0, items.length - 1));
  const top = Math.max(0, Math.min(at - Math.floor(room / 2), items.length - room));
  const line = ({ title }: MeasureItem, i: number): BoxLine => {
    const chosen = top + i === at;
    const spans: Span[] = [
      span(chosen ? theme.glyphs.cursor : " ", "focus"),
      span(" "),
      { text: title, style: chosen ? "strong" : "text", flex: true, cut: "middle" },
    ];
    return chosen ? { spans, ground: "selected" } : spans;
  };
  const body: BoxLine[] = [
    [],
    ...items.slice(top, top + room).map(line),
    ...(items.length === 0 ? [[span("nothing can be done to it", "soft")]] : []),
    [],
  ];
  const foot: Span[][] = [
    [span("Enter makes the plan and shows it; nothing is changed yet.", "soft")],
    [...keyHint("Enter", "makes the plan", armed && items.length > 0), ...keyHint("↑ ↓", "choose"), ...keyHint("Esc", "closes")],
  ];
  return { ...box(theme, { title: "Block or stop", style: "focus", body, foot, width, height: size.height }), maxScroll: 0 };
}
