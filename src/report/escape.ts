import { printable } from "#model/host-string";

/** Longest host text that a report shows, in characters; the log has it whole. */
const LONGEST = 240;

/**
 * Host text for a Markdown document that may be read raw, rendered, or pasted into HTML. Every character of it stands in a code span
 * (CommonMark 0.31, 6.1: no links, emphasis, entities or HTML in there), except those that could end a span, a table cell or begin a tag:
 * they stand outside as numeric character references, which can never be structure (CommonMark 0.31, 2.5). What {@link printable}
 * keeps is kept without loss; longer text is cut in the middle, where '…' says so.
 */
export function code(text: string, longest = LONGEST): string {
  const safe = middleCut(printable(String(text)), longest); // a forged log can hold a number where a text belongs
  if (safe === "") return "(empty)";
  return safe
    .split(/([`|<>])/)
    .filter((part) => part !== "")
    .map((part) => (/^[`|<>]$/.test(part) ? `&#${part.charCodeAt(0)};` : codeSpan(part)))
    .join("");
}

/** A blank at both ends would be taken off by the renderer: one more is put there for it to take. */
const codeSpan = (part: string) => (/^ .*[^ ].* $/.test(part) ? `\` ${part} \`` : `\`${part}\``);

/** The ends of a command say most, so the middle goes. Counted in code points: none is cut in two. */
function middleCut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const characters = Array.from(text);
  if (characters.length <= longest) return text;
  const head = Math.ceil((longest - 1) * 0.6);
  return `${characters.slice(0, head).join("")}…${characters.slice(characters.length - (longest - 1 - head)).join("")}`;
}

// Letters, digits and the marks of prose. Not among them: what Markdown or HTML reads as structure.
const PROSE = /^[\p{L}\p{N}(][\p{L}\p{N}\p{M} ,.;:!?'()/+-]*$/u;
// What some renderers turn into a link, an emoji or a typographic replacement.
const LINKISH = /\.\p{L}|:\S|\/\/|www\.|\.\.\.|--|\+-|\((?:c|r|tm|p)\)/iu;

/** Words of an analyst, a database or a sensor: as prose where they cannot be anything else, otherwise like host text. */
export const prose = (text: string, longest = LONGEST): string =>
  typeof text === "string" && text.length <= longest && PROSE.test(text) && !LINKISH.test(text) && !text.endsWith(" ")
    ? text
    : code(text, longest);

/** A Markdown table (GFM). The cells are Markdown already; none may hold a pipe or a line break of its own. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}

/** Longest line of a script; those of our own are shorter. */
const LONGEST_LINE = 20_000;

/**
 * A script of our own as an indented block, `indent` columns deep (4, and more below an item of a list): a reader copies it whole, so nothing
 * of it is cut in the middle or stands as an entity. Of what a forged log could hold in its place only what is printable.
 */
export const script = (text: string, indent = 4): string[] =>
  String(text)
    .split("\n")
    .slice(0, 1000)
    .map((line) => line.replace(/[^\x20-\x7e]/g, "?"))
    .map((line) => " ".repeat(indent) + (line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)} # CUT HERE` : line));
