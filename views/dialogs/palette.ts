import { fieldSpans } from "../field.ts";
import { columns } from "../HostText.ts";
import type { PaletteDialog, PaletteEntry } from "../palette.ts";
import { type Span, span, wrapText } from "../row.ts";
import type { Theme } from "../theme.ts";
import { type BoxLine, box, keyHint, type Overlay } from "./box.ts";

/** Lines for what the chosen one does. */
const EXPLAINED = 2;

/** What can be done, a line an entry, and what the chosen one does in full below. */
export function paletteDialog(
  theme: Theme,
  size: { width: number; height: number },
  dialog: PaletteDialog,
  entries: readonly PaletteEntry[],
): Overlay {
  const width = Math.min(size.width - 4, 96);
  const inner = width - 4;
  const height = Math.min(size.height - 4, 26);
  const room = height - 7 - EXPLAINED;
  const at = Math.min(dialog.at, Math.max(0, entries.length - 1));
  const top = Math.max(0, Math.min(at - Math.floor(room / 2), entries.length - room));
  const list = entries.slice(top, top + room).map((entry, i) => line(theme, entry, top + i === at));
  const nothing: BoxLine[] = [
    [span("Nothing is called that.", "soft")],
    [span("Commands, named filters, pids, addresses and paths are looked for here.", "faint")],
  ];
  const rows = list.length > 0 ? list : nothing;
  const body: BoxLine[] = [
    [
      span("> ", "key"),
      ...fieldSpans(theme, dialog.text, inner - 2, "what do you want to do? some letters of it, or a pid, address, path"),
    ],
    [],
    ...rows,
    // the frame keeps its height while the list becomes shorter: nothing jumps while somebody types
    ...Array.from({ length: Math.max(0, room - rows.length) }, (): BoxLine => []),
  ];
  const chosen = entries[at];
  const style = chosen?.disabled !== undefined || chosen?.dangerous ? "warn" : "soft";
  const said = wrapText(explanation(chosen), inner);
  const foot: Span[][] = [
    // the last of these lines takes what is left, and is cut where that is too long
    ...Array.from({ length: EXPLAINED }, (_, i): Span[] => [
      { text: (i + 1 < EXPLAINED ? said[i] : said.slice(i).join(" ")) ?? "", style, flex: true, cut: "end" },
    ]),
    [
      ...keyHint("Enter", "does it", chosen !== undefined && chosen.disabled === undefined),
      ...keyHint("↑ ↓", "choose"),
      ...keyHint("Esc", "closes"),
    ],
  ];
  const count = entries.length > room ? ` ${at + 1} of ${entries.length}` : "";
  return { ...box(theme, { title: `Palette${count}`, style: "focus", body, foot, width, height: height + 1 }), maxScroll: 0 };
}

function explanation(entry: PaletteEntry | undefined): string {
  if (!entry) return "";
  if (entry.disabled !== undefined) return `Not now: ${entry.disabled}`;
  return entry.dangerous ? `Changes the host, after it has asked. ${entry.help}` : entry.help;
}

function line(theme: Theme, entry: PaletteEntry, chosen: boolean): BoxLine {
  const off = entry.disabled !== undefined;
  const spans: Span[] = [
    span(chosen ? theme.glyphs.cursor : " ", "focus"),
    span(entry.dangerous ? "! " : "  ", "warn"),
    {
      text: entry.title,
      style: off ? "soft" : entry.dangerous ? "warn" : "strong",
      width: Math.max(16, columns(entry.title, 48)),
      cut: "middle",
    },
    span("  "),
    { text: off ? `not now: ${entry.disabled}` : entry.help, style: off ? "faint" : "soft", flex: true },
    span(` ${entry.keys} `, off ? "faint" : "key"),
  ];
  return chosen ? { spans, ground: "selected" } : spans;
}
