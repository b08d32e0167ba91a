import { isMap, isNode, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from "yaml";
import type { z } from "zod";
import { printable } from "#model/host-string";
import { EXIT, UserError } from "../exit.ts";

const MOST_PROBLEMS = 12;

/** A mistake, by its offset in the text. */
export interface Problem {
  at: number;
  what: string;
}
type Path = readonly PropertyKey[];

/** A file that was read: what is in it, where each value stands, and how more mistakes are told. */
export interface CheckedYaml<T> {
  data: T;
  /** Where a value stands in the text, or its key; the nearest thing around it where it has no place of its own. */
  place(path: Path, wantKey?: boolean): number;
  refusal(problems: readonly Problem[]): UserError;
}

/**
 * YAML by a schema, checked as a whole: either all of it holds, or none.
 * @param unknown what is said of a name that is not in the schema; `path` is where it stands
 * @throws UserError (exit code 2) that names every mistake as `file:line:column: what is wrong`, in the order of the file
 */
export function checkedYaml<Schema extends z.ZodType>(
  text: string,
  file: string,
  schema: Schema,
  unknown: (path: Path, name: string) => string,
): CheckedYaml<z.output<Schema>> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const refuse = (problems: readonly Problem[]) => refusal(file, lines, problems);
  if (document.errors.length > 0) throw refuse(document.errors.map(({ pos, message }) => ({ at: pos[0], what: message })));
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw refuse([{ at: 0, what: (error as Error).message }]);
  }
  const root = document.contents;
  const result = schema.safeParse(plain);
  if (!result.success)
    throw refuse(
      result.error.issues.flatMap((issue): Problem[] => {
        if (issue.code !== "unrecognized_keys") return [{ at: placeOf(root, issue.path, false), what: issue.message }];
        return issue.keys.map((name) => ({ at: placeOf(root, [...issue.path, name], true), what: unknown(issue.path, name) }));
      }),
    );
  return { data: result.data, place: (path, wantKey = false) => placeOf(root, path, wantKey), refusal: refuse };
}

function placeOf(root: ParsedNode | null, path: Path, wantKey: boolean): number {
  let node: unknown = root;
  let at = root?.range[0] ?? 0;
  for (const [i, name] of path.entries()) {
    if (isSeq(node)) {
      node = node.items[Number(name)];
      if (isNode(node) && node.range) at = node.range[0];
      continue;
    }
    if (!isMap(node)) break;
    const pair = node.items.find(({ key }) => (isScalar(key) ? String(key.value) : "") === String(name));
    if (!pair) break;
    const target = wantKey && i === path.length - 1 ? pair.key : (pair.value ?? pair.key);
    if (isNode(target) && target.range) at = target.range[0];
    node = pair.value;
  }
  return at;
}

function refusal(file: string, lines: LineCounter, problems: readonly Problem[]): UserError {
  const told = problems.toSorted((a, b) => a.at - b.at).slice(0, MOST_PROBLEMS);
  const text = told.map(({ at, what }) => {
    const { line, col } = lines.linePos(at);
    return `${file}:${Math.max(1, line)}:${Math.max(1, col)}: ${printable(what.split("\n")[0] ?? "")}`;
  });
  const more = problems.length > told.length ? [`and ${problems.length - told.length} more`] : [];
  return new UserError([...text, ...more, "Nothing of the file was taken."].join("\n"), EXIT.usage);
}
