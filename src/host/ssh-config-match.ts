import { matchesPatternList } from "./host-pattern.ts";
import { type ConfigLine, configError } from "./ssh-config-lines.ts";

/** What a Match line is held against: the host as typed, and what the lines before have set. */
export interface MatchFacts {
  alias: string;
  hostName: string;
  user: string;
  localUser: string;
}

/** Criteria that cannot be judged here, and why: the block is skipped, and the analyst is told. */
const NOT_JUDGED: Record<string, string> = {
  exec: "'exec' runs a command, which this console does not",
  canonical: "names are not made canonical here",
  final: "there is no second pass here",
  localnetwork: "'localnetwork' is not understood",
  tagged: "'tagged' is not understood",
  command: "'command' is not understood",
  version: "'version' is not understood",
  sessiontype: "'sessiontype' is not understood",
};

/**
 * Whether a `Match` line is in effect (ssh_config(5), Match): all, host, originalhost, user and localuser, each with `!`; the first
 * that does not hold ends it. @returns true, false, or a sentence on why it cannot be judged, which counts as false
 * @throws HostError for a criterion that ssh does not know either, or one without its patterns
 */
export function judgeMatch(line: ConfigLine, facts: MatchFacts): boolean | string {
  const words = [...line.args];
  let holds = true;
  let unjudged: string | undefined;
  while (words.length > 0) {
    const word = (words.shift() as string).toLowerCase();
    const negated = word.startsWith("!");
    const [name = "", attached] = (negated ? word.slice(1) : word).split("=", 2);
    if (name === "all") continue;
    if (name === "canonical" || name === "final") {
      unjudged ??= NOT_JUDGED[name];
      continue;
    }
    const patterns = attached ?? words.shift();
    if (patterns === undefined) throw configError(line, `Match ${name} has no patterns`);
    const subject = { host: facts.hostName, originalhost: facts.alias, user: facts.user, localuser: facts.localUser }[name];
    if (subject === undefined) {
      if (NOT_JUDGED[name] === undefined) throw configError(line, `'${name}' is nothing that Match knows`);
      if (holds) unjudged ??= NOT_JUDGED[name];
    } else if (matchesPatternList(patterns.split(","), subject) === negated) holds = false;
  }
  if (!holds) return false;
  return unjudged ?? true;
}
