/** One version of a file, as a list that the analyst brought has it. */
export interface PackagedFile {
  sha256: string;
  package: string;
  version: string;
}
/** What the distribution ships, by path, from a place that the host could not edit. Before and after the merge of /usr is one path: {@link oneName}. */
export type PackageList = ReadonlyMap<string, readonly PackagedFile[]>;

/** `/bin/ls` and `/usr/bin/ls` are one file on every host whose /usr is merged: lists have the one, hosts show the other. */
export const oneName = (path: string): string => (/^\/(?:s?bin|lib\w*)\//.test(path) ? `/usr${path}` : path);

/** A file as its host says it is, against the list. */
export function compareWithList(
  list: PackageList,
  path: string,
  sha256: string,
  version: string | undefined,
): "same" | "differs" | "unlisted" | "other-version" {
  const known = list.get(oneName(path));
  if (!known || known.length === 0) return "unlisted";
  if (known.some((one) => one.sha256 === sha256)) return "same";
  // the version is the host's word: who edits that is not called changed, and never unchanged either
  return version !== undefined && known.every((one) => one.version !== version) ? "other-version" : "differs";
}
