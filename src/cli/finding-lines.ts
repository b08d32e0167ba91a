import type { Finding, StakeoutEvent } from "#model/event";
import { printable } from "#model/host-string";
import { samePair } from "#state/findings";
import type { ProcessState, State } from "#state/state";

/** How long a finding is held back for others like it: one sweep over /proc makes a finding for each login that it meets. */
const TOGETHER_MS = 1000;
const MOST_NAMED = 4;

interface Held {
  at: string;
  finding: Finding;
  /** Who did it, in words; it was known then, and may be folded away when the line is told. */
  who: string;
  /** To whom, in words, and how often. */
  whom: Map<string, number>;
  exposes: boolean;
}

/** Findings as lines: those that one login raises by one rule within a second are one line, which names all whom it concerns. */
export class FindingLines {
  #held: (Held & { key: string }) | undefined;

  /** Takes a finding in. @returns the earlier one, when this begins another line */
  take(event: StakeoutEvent, state: State): string | undefined {
    const { finding } = event.stakeout;
    if (!finding) return undefined;
    const { rule, entities } = finding;
    const key = `${rule} ${samePair(state, entities.slice(0, 1))} ${finding.path ?? ""}`;
    const before = this.#held?.key === key ? undefined : this.rest();
    this.#held ??= { key, at: event["@timestamp"], finding, who: "", whom: new Map(), exposes: false };
    const held = this.#held;
    held.who ||= finding.by ? `${printable(finding.by.name)} (pid ${finding.by.pid})` : doer(state, entities[0]);
    held.exposes ||= (finding.exposes ?? []).length > 0;
    const whom = entities.slice(1).map((id) => sufferer(state, id));
    const words = whom.length === 0 ? "" : whom.slice(0, MOST_NAMED).join(", ");
    held.whom.set(words, (held.whom.get(words) ?? 0) + 1);
    return before;
  }

  /** The held line, if what happened at `now` (RFC 3339) is no part of it. */
  due(now: string): string | undefined {
    return this.#held && Date.parse(now) - Date.parse(this.#held.at) >= TOGETHER_MS ? this.rest() : undefined;
  }

  /** The held line. */
  rest(): string | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held && `${held.at.slice(11, 19)}  ${wordsOf(held)}`;
  }
}

function wordsOf({ finding, who, whom, exposes }: Held): string {
  const { level, title, technique, path } = finding;
  const times = [...whom.values()].reduce((sum, n) => sum + n, 0);
  const named = [...whom].filter(([words]) => words !== "");
  const each = named.slice(0, MOST_NAMED).map(([words, n]) => (n > 1 && named.length > 1 ? `${words} ×${n}` : words));
  const to =
    each.length === 0 ? "" : ` → ${each.join(", ")}${named.length > each.length ? `, and ${named.length - each.length} more` : ""}`;
  const all = named.length <= 1 && times > 1 ? `  ×${times}` : "";
  const ids = technique.length > 0 ? ` (${technique.join(", ")})` : "";
  return `finding   ${level}: ${title}${ids}${exposes ? "; in view again" : ""}${path === undefined ? "" : `  ${printable(path)}`}  ${who}${to}${all}`;
}

const doer = (state: State, id: string | undefined): string => {
  const process = id === undefined ? undefined : state.processes.get(id);
  const login = loginWords(state, process?.login ?? id);
  if (!process || process.id === process.login) return login ?? (process ? program(process) : "process not seen");
  return `${program(process)}${login === undefined ? "" : ` of ${login}`}`;
};

/** Whose it was says more than which of his processes. */
const sufferer = (state: State, id: string): string => {
  const process = state.processes.get(id);
  return loginWords(state, process?.login ?? id) ?? (process ? program(process) : "process not seen");
};

const program = ({ name, executable, pid }: ProcessState): string =>
  `${printable(name ?? executable?.slice(executable.lastIndexOf("/") + 1) ?? "name not seen")} (pid ${pid})`;

function loginWords(state: State, id: string | undefined): string | undefined {
  const login = id === undefined ? undefined : state.logins.get(id);
  if (!login) return undefined;
  return login.ours ? "this console" : `${printable(login.user?.name ?? "?")}@${login.source?.ip ?? "address not seen"}`;
}
