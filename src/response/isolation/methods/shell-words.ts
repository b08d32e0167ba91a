/**
 * The host's own folders of administration, behind whatever PATH we were given; and where /run is read-only, a lock for iptables-legacy that
 * is no file, since it does nothing without one.
 */
export const PREAMBLE = "PATH=$PATH:/usr/sbin:/sbin; [ -w /run ] || export XTABLES_LOCKFILE=/dev/null";

/** A tool that hangs is ended after `seconds`, where the host has timeout(1). */
export const bounded = (has: boolean, seconds: number): string => (has ? `timeout -k 1 ${seconds} ` : "");

/** Text for printf(1) inside double quotes that stand inside single quotes: no quote, dollar or backslash of its own may be in it. */
export function printed(lines: readonly string[]): string {
  const text = lines.join("\n");
  if (/['"$`\\%]/.test(text)) throw new Error(`Not fit for a line of printf: ${text}`);
  return `printf "${lines.join("\\n")}\\n"`;
}

/** By whom, in which session, since when: for the next console that connects. At most 124 bytes (libnftnl keeps 128). */
export function about(input: { analyst: string; session: string; since: string; nonce: string }): string {
  const safe = (text: string, most: number) => text.replace(/[^\w.:@-]/g, "_").slice(0, most);
  return `stakeout analyst=${safe(input.analyst, 16)} session=${safe(input.session, 36)} since=${safe(input.since, 20)} nonce=${input.nonce}`;
}

export interface Said {
  analyst?: string;
  session?: string;
  since?: string;
  nonce?: string;
}

/** Reads back what {@link about} wrote, wherever it stands in `text`. Root on the host can forge it. */
export function readAbout(text: string): Said {
  const said: Said = {};
  const comment = /"stakeout ([\w.:@= -]{1,128})"/.exec(text)?.[1] ?? "";
  for (const pair of comment.split(" ")) {
    const [key, value] = pair.split("=");
    if (value && (key === "analyst" || key === "session" || key === "since" || key === "nonce")) said[key] = value;
  }
  return said;
}
