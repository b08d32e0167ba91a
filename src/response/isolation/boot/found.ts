import { readAbout, type Said } from "../methods/shell-words.ts";

/** Where an administrator's units are (systemd.unit(5), "Unit File Search Path"): it is there before any network is. */
export const UNITS = "/etc/systemd/system";
/** What names of ours begin with; the nonce is behind it. */
const NAME = "stakeout-isolation-";

/** Of the isolation with this mark. */
export function paths(nonce: string): { name: string; unit: string; rules: string; link: string } {
  const name = `${NAME}${nonce}.service`;
  return { name, unit: `${UNITS}/${name}`, rules: `${UNITS}/${NAME}${nonce}.nft`, link: `${UNITS}/sysinit.target.wants/${name}` };
}

/** Files of one isolation that were found on the host's disk; what they say of themselves root can forge. */
export interface FoundFiles extends Said {
  nonce: string;
  files: string[];
}

/** More than this is no isolation, it is an attack on us. */
const MOST = 16;

/** Reads what {@link findFiles} printed. Only names that ours could have are taken: they go into scripts. */
export function parseFiles(text: string): FoundFiles[] {
  const found = new Map<string, FoundFiles>();
  for (const line of text.split("\n").slice(0, 256)) {
    const [path = "", first = ""] = line.split("\t");
    const nonce = new RegExp(`^${UNITS}/(?:sysinit\\.target\\.wants/)?${NAME}([0-9a-f]{12})\\.(?:service|nft)(?:\\.new)?$`).exec(path)?.[1];
    if (nonce === undefined || (!found.has(nonce) && found.size >= MOST)) continue;
    const one = found.get(nonce) ?? { nonce, files: [] };
    found.set(nonce, { ...readAbout(first), ...one, files: [...one.files, path] });
  }
  return [...found.values()];
}

/** Prints the path of whatever on the disk is named like ours; of rules also the first line, a tab before it. `bound` ends a tool that hangs. */
export const findFiles = (bound: string): string => `for f in ${UNITS}/${NAME}* ${UNITS}/*/${NAME}*; do
  [ -e "$f" ] || [ -L "$f" ] || continue
  l=; case $f in *.nft) [ -f "$f" ] && l=$(${bound} head -c 256 "$f" | head -n 1);; esac
  printf '%s\\t%s\\n' "$f" "$l"
done 2>/dev/null | head -n 256`;
