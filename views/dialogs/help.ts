import { type CommandContext, GROUPS } from "#commands/command";
import { COMMANDS, titleOf } from "#commands/registry";
import { fieldSpans } from "../field.ts";
import { columns } from "../HostText.ts";
import { MARK_KINDS } from "../panes/scrubber.ts";
import { column, type Span, span, wrapText } from "../row.ts";
import type { Style, Theme } from "../theme.ts";
import { box, keyHint, type Overlay } from "./box.ts";

type Line = Span[];
interface Section {
  title: string;
  lines: Line[];
}

/**
 * Every command by groups, then what the glyphs and colours say, then the mouse; narrowed to what holds all typed words. In two columns where there is room.
 */
export function helpDialog(
  theme: Theme,
  size: { width: number; height: number },
  context: CommandContext,
  dialog: { scroll: number; text: string },
  mouse: boolean,
): Overlay {
  const width = Math.min(size.width - 4, size.width >= 150 ? 180 : 104);
  const inner = width - 4;
  const two = inner >= 140;
  const wanted = dialog.text.toLowerCase().split(" ").filter(Boolean);
  const fits = (...texts: string[]) => wanted.every((word) => texts.some((text) => text.toLowerCase().includes(word)));
  const part = two ? Math.floor((inner - 4) / 2) : inner;
  const sections = [...commandSections(context, part, fits), ...legend(theme, mouse, fits, part)].filter(({ lines }) => lines.length > 0);
  const lines =
    sections.length === 0
      ? [[span(`Nothing in the help holds "${dialog.text}". Backspace takes a letter away.`, "soft")]]
      : two
        ? sideBySide(sections, part)
        : stacked(sections);
  const foot: Line[] = [
    [span("find ", "soft"), ...fieldSpans(theme, dialog.text, inner - 5, "type to narrow")],
    [
      ...keyHint("Esc", dialog.text ? "shows all" : "closes"),
      ...keyHint("↑ ↓", "scroll"),
      ...(inner >= 60 ? [span("times are UTC, by the host's clock", "faint")] : []),
    ],
  ];
  return box(theme, { title: "Help", style: "focus", body: lines, foot, width, height: size.height - 2, scroll: dialog.scroll });
}

const KEYS_WIDTH = 11;
const NAME_WIDTH = 14;

type Fits = (...texts: string[]) => boolean;

function commandSections(context: CommandContext, width: number, fits: Fits): Section[] {
  return (Object.entries(GROUPS) as [keyof typeof GROUPS, string][]).map(([group, title]) => ({
    title,
    lines: COMMANDS.filter((command) => (command.group ?? "look") === group).flatMap((command): Line[] => {
      const keys = context.keymap.labels(command.id).join(" ");
      const name = titleOf(command, context);
      if (!fits(keys || context.keymap.label("palette"), name, command.title, command.help, title)) return [];
      const text = command.dangerous ? `${command.help} Changes the host.` : command.help;
      // what has no key is typed into the palette: its name is what there is to press
      const typed = [column(context.keymap.label(command.id), KEYS_WIDTH + 1 + NAME_WIDTH, "key")];
      const pressed = [column(keys, KEYS_WIDTH, "key"), span(" "), column(name, NAME_WIDTH, "strong")];
      const blank = [column("", KEYS_WIDTH + 1 + NAME_WIDTH)];
      return wrapText(text, width - KEYS_WIDTH - NAME_WIDTH - 2).map((line, i) => [
        ...(i > 0 ? blank : keys === "" ? typed : pressed),
        span(" "),
        span(line, command.dangerous ? "warn" : "soft"),
      ]);
    }),
  }));
}

function legend({ glyphs }: Theme, mouse: boolean, fits: Fits, width: number): Section[] {
  const entry = (glyph: string, style: Style, text: string): Line[] =>
    fits(text) ? wrapText(text, width - 5).map((line, i) => [span(i === 0 ? `  ${glyph}  ` : "     ", style), span(line, "soft")]) : [];
  const said = (text: string): Line[] => (fits(text) ? wrapText(text, width - 2).map((line) => [span("  "), span(line, "soft")]) : []);
  return [
    {
      title: "Standing",
      lines: [
        ...entry(glyphs.standing.intruder, "intruder", "intruder: tagged as the attacker's"),
        ...entry(glyphs.standing.suspect, "suspect", "suspect: tagged as not explained yet"),
        ...entry(glyphs.standing.unknown, "unknown", "unknown: nobody has judged it"),
        ...entry(glyphs.standing.responder, "responder", "responder: our own work, hidden and counted"),
        ...entry(glyphs.standing["known-good"], "good", "known good: hidden and counted"),
      ],
    },
    {
      title: "Connections, binaries, marks",
      lines: [
        ...entry(glyphs.established, "good", "open: both sides have answered"),
        ...entry(glyphs.attempt, "warn", "trying: no answer yet"),
        ...entry(glyphs.closed, "soft", "closed: it was open"),
        ...entry(glyphs.refused, "soft", "failed: it never got through"),
        ...entry(glyphs.listening, "soft", "listens: waits for others"),
        ...entry(glyphs.binary, "warn", "runs a new binary; in the list of binaries: an ELF file"),
        ...entry(glyphs.mark, "mark", "your own mark, at the end of a row; not in the log"),
      ],
    },
    {
      title: "Letters on the line of a replay",
      lines: MARK_KINDS.flatMap(({ letter, style, means }) => entry(letter, style, means)),
    },
    {
      title: "Mouse",
      lines: mouse
        ? [
            ...said(
              "A click selects, a second one opens or folds; on the line of a replay it goes to that moment; on a key below it presses that key. The wheel scrolls.",
            ),
            ...said(
              "Hold Shift to select text as usual. Dialogs that change something take keys alone. Off by mouse: false in the config file.",
            ),
          ]
        : said("The mouse is left to the terminal: mouse: false in the config file says so."),
    },
  ];
}

const heading = (title: string): Line => [span(title, "focus")];

const stacked = (sections: readonly Section[]): Line[] =>
  sections.flatMap(({ title, lines }, i) => [...(i > 0 ? [[]] : []), heading(title), ...lines]);

/** Sections in order, the first column as long as the second or a little longer. */
function sideBySide(sections: readonly Section[], width: number): Line[] {
  const sizes = sections.map(({ lines }) => lines.length + 2);
  const half = sizes.reduce((sum, size) => sum + size, 0) / 2;
  let count = 0;
  for (let sum = 0; count < sections.length && sum + (sizes[count] ?? 0) / 2 < half; count++) sum += sizes[count] ?? 0;
  const [left, right] = [stacked(sections.slice(0, count)), stacked(sections.slice(count))];
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => {
    const line = left[i] ?? [];
    const used = line.reduce((sum, s) => sum + (s.width ?? columns(s.text)), 0);
    return [...line, span(" ".repeat(Math.max(0, width - used) + 4)), ...(right[i] ?? [])];
  });
}
