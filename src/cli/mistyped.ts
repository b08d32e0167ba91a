import { HostError } from "#host/errors";
import { EXIT, UserError } from "./exit.ts";

/** A word that is so many letters away from a command's name is taken for a slip of it. */
const MOST_SLIPS = 2;

/** The command that was probably meant by a word: a letter too many, too few, another one, or two that changed places, twice at most. */
export function meantCommand(word: string, names: readonly string[]): string | undefined {
  const most = Math.min(MOST_SLIPS, Math.floor(word.length / 2));
  const near = names.map((name) => ({ name, slips: slips(word.toLowerCase(), name) })).filter(({ slips: n }) => n <= most);
  return near.sort((a, b) => a.slips - b.slips)[0]?.name;
}

/** Optimal string alignment distance. */
function slips(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      const at = (back: number, k: number) => rows[i - back]?.[k] ?? 0;
      let least = Math.min(at(1, j) + 1, (row[j - 1] ?? 0) + 1, at(1, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, at(2, j - 2) + 1);
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

/** One host opens the console; of several words the first was meant as a command. */
export function refuseSecondWord([first = "", ...more]: readonly string[], names: readonly string[]): void {
  if (more.length === 0) return;
  const meant = meantCommand(first, names);
  const next =
    meant === undefined
      ? "A console is opened on one host alone; stakeout --help says which commands there are."
      : `Did you mean 'stakeout ${meant} ${more.join(" ")}'?`;
  throw new UserError(`There is no command '${first}'. ${next}`, EXIT.usage);
}

/** What is told of a host's name that nobody knows: it may have been a slip of a command's. */
export function withMeant(error: unknown, host: string, names: readonly string[]): unknown {
  const meant = error instanceof HostError && error.level === "dns" ? meantCommand(host, names) : undefined;
  if (meant !== undefined && error instanceof Error)
    error.message = `${error.message.replace(/\.$/, "")} (and no command is called that: did you mean 'stakeout ${meant}'?)`;
  return error;
}
