/** One line of an authorized_keys file, taken apart (sshd(8), AUTHORIZED_KEYS FILE FORMAT). */
export interface AuthorizedLine {
  /** Names of options in lower case, with their values. */
  options: { name: string; value?: string }[];
  type: string;
  /** Base64, as it stands there. */
  blob: string;
  comment: string;
}

const KEY = /^(?<type>[a-z0-9][\w@.-]*)[ \t]+(?<blob>AAAA[A-Za-z0-9+/]+={0,3})(?:[ \t]+(?<comment>.*))?$/;

/** @returns the parts; undefined for a blank line or a comment; a sentence's end on what is wrong with it */
export function readAuthorizedLine(line: string): AuthorizedLine | string | undefined {
  const text = line.trim();
  if (text === "" || text.startsWith("#")) return undefined;
  const bare = KEY.exec(text)?.groups;
  if (bare) return lineOf([], bare);
  const split = takeOptions(text);
  if (typeof split === "string") return split;
  const groups = KEY.exec(split.rest)?.groups;
  return groups ? lineOf(split.options, groups) : "it holds no public key";
}

const lineOf = (options: AuthorizedLine["options"], groups: Record<string, string | undefined>): AuthorizedLine => ({
  options,
  type: groups["type"] ?? "",
  blob: groups["blob"] ?? "",
  comment: (groups["comment"] ?? "").trim(),
});

/** Options end at the first blank outside of double quotes; in quotes a double quote is written \". */
function takeOptions(text: string): { options: AuthorizedLine["options"]; rest: string } | string {
  const options: AuthorizedLine["options"] = [];
  const option = /([A-Za-z0-9@.-]+)(?:="((?:[^"\\]|\\.)*)")?(,|[ \t]+|$)/y;
  for (;;) {
    const match = option.exec(text);
    if (!match) return "its options cannot be read";
    const [, name = "", value, end] = match;
    options.push({ name: name.toLowerCase(), ...(value === undefined ? {} : { value: value.replaceAll('\\"', '"') }) });
    if (end !== ",") return { options, rest: text.slice(option.lastIndex) };
  }
}
