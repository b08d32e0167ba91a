import { readdirSync, readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { HostError } from "./errors.ts";
import { matchesPattern } from "./host-pattern.ts";

/** One line of ssh_config(5) that says something. */
export interface ConfigLine {
  file: string;
  /** Counted from 1. */
  line: number;
  /** In lower case, as it compares. */
  keyword: string;
  args: string[];
  /** What follows the keyword, as it was written: a command is the rest of its line. */
  rest: string;
}

/** What is wrong with our settings, and in which line. */
export function configError(at: { file: string; line: number }, message: string, hint = "Mend that line and connect again."): HostError {
  return new HostError("config", `${at.file}:${at.line}: ${message}`, hint);
}

/**
 * The lines of one file: keyword, then blanks or one `=`, then arguments; quotes hold an argument together and a `#` where an
 * argument would start ends the line (ssh_config(5)). @throws HostError for an open quote or a keyword without an argument
 */
export function readConfigLines(text: string, file: string): ConfigLine[] {
  const lines: ConfigLine[] = [];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const trimmed = raw.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const at = { file, line: index + 1 };
    const [, word = "", rest = ""] = /^"?([^\s="]*)"?\s*=?\s*(.*)$/s.exec(trimmed) ?? [];
    const args = splitArguments(rest, at);
    if (word === "") throw configError(at, "the line does not start with a keyword");
    if (args.length === 0) throw configError(at, `${word} has no value`);
    lines.push({ ...at, keyword: word.toLowerCase(), args, rest });
  }
  return lines;
}

function splitArguments(text: string, at: { file: string; line: number }): string[] {
  const args: string[] = [];
  let current: string | undefined;
  let quote = "";
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    const next = text[i + 1];
    if (c === "\\" && (next === "\\" || next === '"' || next === "'" || (quote === "" && next === " "))) {
      current = (current ?? "") + next;
      i++;
    } else if (quote !== "") {
      if (c === quote) quote = "";
      else current += c;
    } else if (c === '"' || c === "'") {
      quote = c;
      current ??= "";
    } else if (c === " " || c === "\t") {
      if (current !== undefined) args.push(current);
      current = undefined;
    } else if (c === "#" && current === undefined) break;
    else current = (current ?? "") + c;
  }
  if (quote !== "") throw configError(at, `a ${quote} is opened and not closed`);
  if (current !== undefined) args.push(current);
  return args;
}

/** The text of a configuration file, or undefined when there is none. @throws HostError when it cannot be read */
export function readConfigFile(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new HostError(
      "config",
      `The ssh configuration ${file} cannot be read (${code})`,
      "Make it readable for you, or name another file.",
      { cause },
    );
  }
}

/** The files that an Include pattern names, in order: `*` and `?` in each part of the path, a leading dot only if it is written (glob(7)). */
export function includedFiles(pattern: string, folder: string): string[] {
  const parts = (isAbsolute(pattern) ? pattern : join(folder, pattern)).split("/").slice(1);
  let paths = ["/"];
  for (const part of parts) {
    paths = /[*?]/.test(part)
      ? paths.flatMap((path) =>
          namesIn(path)
            .filter((name) => matchesPattern(part, name) && (part.startsWith(".") || !name.startsWith(".")))
            .map((name) => join(path, name)),
        )
      : paths.map((path) => join(path, part));
  }
  return paths;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return []; // an Include that finds nothing is no error (ssh_config(5))
  }
}
