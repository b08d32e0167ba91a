import { FILE_FLAGS } from "#model/file-flags";

const FIELDS = ["user", "ip", "country", "as", "pid", "exe", "path", "flag", "standing"] as const;
export type Field = (typeof FIELDS)[number];

export interface Term {
  /** Where to look; in all visible text when left out. */
  field?: Field;
  /** In small letters, never empty. */
  value: string;
  exclude: boolean;
}
/** All of its terms must hold. */
export type Filter = readonly Term[];

/** What a row offers to a filter, in small letters: the text that can be seen of it, and its fields where they are known. */
export interface Subject {
  text: string;
  fields: Partial<Record<Field, readonly string[]>>;
}

/** Whether it asks for far ends, which come without a process coming or going. */
export const asksForEnds = (filter: Filter): boolean => filter.some(({ field }) => field === "ip" || field === "country" || field === "as");

/** Longest filter that is read, in UTF-16 units. */
export const LONGEST_FILTER = 200;

/**
 * Words, `field:value`, `-` before either to exclude, "quotes" around blanks. Any text is a filter: an unknown field is a word like
 * `203.0.113.66:443`, a value that is still being typed asks for nothing. No regular expressions: the time is linear.
 */
export function parseFilter(text: string): Filter {
  const terms: Term[] = [];
  for (const word of wordsOf(text.slice(0, LONGEST_FILTER).toLowerCase())) {
    const exclude = word.length > 1 && word.startsWith("-");
    const rest = exclude ? word.slice(1) : word;
    const colon = rest.indexOf(":");
    const field = FIELDS.find((name) => colon === name.length && rest.startsWith(name));
    const value = (field ? rest.slice(colon + 1) : rest).replaceAll('"', "");
    if (value !== "") terms.push({ ...(field ? { field } : {}), value, exclude });
  }
  return terms;
}

function wordsOf(text: string): string[] {
  const found: string[] = [];
  let word = "";
  let quoted = false;
  for (const char of text) {
    if (char === '"') quoted = !quoted;
    if (char.trim() === "" && !quoted) {
      if (word) found.push(word);
      word = "";
    } else word += char;
  }
  if (word) found.push(word);
  return found;
}

const STANDINGS = ["intruder", "suspect", "unknown", "responder", "known-good"];

/** What is probably not meant as it is written, in words for whoever is typing it; undefined where nothing is odd. */
export function filterProblem(text: string): string | undefined {
  if ((text.match(/"/g)?.length ?? 0) % 2 === 1) return 'the " is still open: another one ends it';
  for (const term of parseFilter(text)) {
    const { field, value } = term;
    if (field === "pid" && !/^\d+$/.test(value)) return `pid: is a number, not ${value}`;
    if (field === "ip" && !/^[\da-f.:]+$/.test(value)) return `ip: is an address or its start, not ${value}`;
    if (field === "flag" && !FILE_FLAGS.some((one) => one.startsWith(value))) return `flag: is one of ${FILE_FLAGS.join(" ")}`;
    if (field === "standing" && !STANDINGS.some((one) => one.startsWith(value))) return `standing: is one of ${STANDINGS.join(" ")}`;
    if (field) continue;
    const [, unknown] = /^(?![\da-f:]+$)([a-z]{2,}):(?!\/)/.exec(value) ?? [];
    if (unknown) return `no field ${unknown}: so it is a word; fields are ${FIELDS.map((one) => `${one}:`).join(" ")}`;
    if (/\.\*|\.\+|\\[dws]|\[[^\]]*\]\+?|^\^|\$$/.test(value))
      return `${value} is looked for letter by letter: there are no regular expressions`;
  }
  return undefined;
}

/** Whether the subject is what the filter asks for. A field that is not known is never what was asked for, nor what was excluded. */
export const matches = (filter: Filter, subject: Subject): boolean => filter.every((term) => holds(term, subject) !== term.exclude);

function holds({ field, value }: Term, subject: Subject): boolean {
  if (!field) return subject.text.includes(value);
  const known = subject.fields[field] ?? [];
  if (field === "pid") return known.includes(value);
  // the start of an address or a code says more than its middle: ip:10. must not find 192.168.10.
  if (field === "ip" || field === "flag" || field === "standing") return known.some((one) => one.startsWith(value));
  if (field === "country") return known.some((one) => one === value || (value.length > 2 && one.startsWith(value)));
  return known.some((one) => one.includes(value));
}
