import { doerWords } from "#state/finding-words";
import { isStranger, isTrusted, type Scene, type Suspicion, whoOf } from "./scene.ts";

/** What in the environment of a login without a tag speaks of its intent, whoever it is. */
const TELLING: readonly { is: RegExp; rule: string; does: string; level: Suspicion["level"]; technique: string }[] = [
  {
    // bash(1), HISTFILE, HISTSIZE, HISTFILESIZE; unset in a shell, it does not reach what the shell starts and is not seen
    is: /^(?:HISTFILE=(?:\/dev\/null)?|HIST(?:FILE)?SIZE=0+)$/,
    rule: "hides-history",
    does: "keeps its commands out of the history",
    level: "medium",
    technique: "T1562.003",
  },
  {
    is: /^(?:LD_PRELOAD|LD_AUDIT)=./s,
    rule: "preloads",
    does: "has its programs run other code than their own (LD_PRELOAD, LD_AUDIT)",
    level: "medium",
    technique: "T1574.006",
  },
  {
    // iconv's modules from anywhere: what exploits of set-user-id programs bring (CVE-2021-4034)
    is: /^GCONV_PATH=./s,
    rule: "sets-gconv-path",
    does: "sets GCONV_PATH, as exploits of programs that become root do",
    level: "high",
    technique: "T1068",
  },
];

/** Our own commands have no history either: they are no finding, and who is tagged has rules of his own. */
export function tellingEnvironment({ state, event, actor }: Scene): Suspicion[] {
  const variables = event.event.action === "process.change" ? event.process?.env_vars : undefined;
  if (!variables || !isStranger(actor) || isTrusted(actor) || actor.login === undefined || state.logins.get(actor.login)?.ours) return [];
  return TELLING.filter(({ is }) => variables.some((variable) => is.test(variable))).map(({ rule, does, level, technique }) => ({
    rule,
    title: `${doerWords(actor)} ${does}`,
    level,
    technique: [technique],
    entities: [actor.id],
    about: whoOf(actor),
  }));
}
