import { readFile, stat } from "node:fs/promises";
import { oneName, type PackagedFile, type PackageList } from "#model/package-list";
import { packagesOfBaseline } from "./baseline-file.ts";
import { EXIT, UserError } from "./exit.ts";

/** A distribution has some 200,000 files in 3,000 packages: 30 MB. */
const LARGEST = 256 << 20;
const MOST_LINES = 2_000_000;
/** Versions of one file that are kept. */
const MOST_VERSIONS = 64;

/** sha256sum's own two blanks, then two more before the package: a path may hold single ones. */
const LINE = /^([0-9a-f]{64})[ ][ *](\/.*?)[ ]{2}(\S{1,200})[ ](\S{1,200})$/;

/**
 * Reads what a distribution ships, from a list that was made where the host under investigation could not edit it: a line a file,
 * `sha256  /path  package version`. Empty lines and lines that begin with # are passed over.
 * Whose list it is, is the analyst's word. A file of `stakeout baseline save` is taken as well.
 * @throws UserError with the line that is wrong
 */
export async function readPackageList(file: string): Promise<PackageList> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`--packages ${file} cannot be read: ${error.message}.`, EXIT.usage);
  });
  if (!found.isFile()) throw new UserError(`--packages ${file} is no file.`, EXIT.usage);
  if (found.size > LARGEST)
    throw new UserError(`--packages ${file} is larger than ${LARGEST >> 20} MB: it is no list of packages.`, EXIT.usage);
  const text = await readFile(file, "utf8");
  if (!text.startsWith("{")) return parsePackageList(text, file);
  return packagesOfBaseline(file);
}

/** The list of a file's text. @throws UserError with the line that is wrong */
export function parsePackageList(text: string, file: string): PackageList {
  const list = new Map<string, PackagedFile[]>();
  const wrong = (line: number, why: string) => new UserError(`--packages ${file}, line ${line}: ${why}.`, EXIT.usage);
  let number = 0;
  for (const raw of text.split("\n")) {
    number += 1;
    const line = raw.replace(/\s+$/, "");
    if (line === "" || line.startsWith("#")) continue;
    if (number > MOST_LINES) throw wrong(number, `there are more than ${MOST_LINES} lines`);
    const [, sha256, path, name, version] = LINE.exec(line) ?? [];
    if (sha256 === undefined || path === undefined || name === undefined || version === undefined) throw wrong(number, whatIsWrong(line));
    const key = oneName(path);
    const versions = list.get(key) ?? [];
    if (versions.length >= MOST_VERSIONS) throw wrong(number, `there are more than ${MOST_VERSIONS} versions of ${path}`);
    versions.push({ sha256, package: name, version });
    if (versions.length === 1) list.set(key, versions);
  }
  if (list.size === 0) throw new UserError(`--packages ${file} has no line of a file: it would vouch for nothing.`, EXIT.usage);
  return list;
}

function whatIsWrong(line: string): string {
  if (!/^[0-9a-f]{64}(?:\s|$)/.test(line)) return "it does not begin with a sha256 (64 digits of 0-9 and a-f)";
  if (!/^[0-9a-f]{64}[ ][ *]\//.test(line)) return "behind the sha256 come two blanks and a path that begins with /";
  return "behind the path come two blanks, the package, a blank and its version";
}
