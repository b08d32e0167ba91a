import type { Criteria, Tag } from "#model/event";
import { type Criterion, criteriaOf, criterionNames, matcher, namesLogins } from "./criteria.ts";
import type { LoginState, ProcessState, State } from "./state.ts";

/** `sequence` is missing from a tag that is not made yet: it would be the newest. */
export type Judging = Pick<Tag, "id" | "verdict" | "selector" | "hides_flagged"> & { sequence?: number };

/** A tag by criteria that stands. */
export interface Rule {
  tag: Judging;
  match: ReturnType<typeof matcher>;
  /** It can vouch for what a login does. */
  ofLogins: boolean;
  /** Its place among the rules, from the newest. */
  place: number;
}

const NONE: readonly Rule[] = [];
/** Programs, and accounts, for which an answer is remembered: a host runs the same ones over and over. */
const MOST_ANSWERS = 2000;

/** Which rules fit a login, as long as this is its user and its source. */
interface OfLogin {
  user: LoginState["user"];
  source: LoginState["source"];
  rules: readonly Rule[];
}

/**
 * The tags by criteria, newest first, ready to be asked which of them fit a process. That is asked for every process that starts, and most
 * rules look at nothing but its login or its program: of those it is known already what they say, however many they are.
 */
export class Rules {
  readonly all: readonly Rule[];
  readonly #who: Rule[] = [];
  readonly #program: Rule[] = [];
  /** Those that look at more, asked one by one. */
  readonly #others: Rule[] = [];
  readonly #byContent = new Map<string, Rule[]>();

  readonly #ofLogin = new WeakMap<LoginState, OfLogin>();
  readonly #ofUser = new Map<number, { name: string | undefined; rules: readonly Rule[] }>();
  readonly #ofProgram = new Map<string, readonly Rule[]>();

  /** `tags` newest first. */
  constructor(tags: readonly { tag: Judging; criteria: Criteria }[]) {
    this.all = tags.map(({ tag, criteria }, place) => ({ tag, match: matcher(criteria), ofLogins: namesLogins(criteria), place }));
    for (const rule of this.all) {
      const criteria = criteriaOf(rule.tag.selector) ?? {};
      const names = criterionNames(criteria);
      const only = (...some: Criterion[]) => names.every((name) => some.includes(name));
      if (only("user", "source")) this.#who.push(rule);
      else if (only("command") && !criteria.command?.includes(" ")) this.#program.push(rule);
      else this.#others.push(rule);
      if (!only("sha256")) continue;
      const content = criteria.sha256?.toLowerCase() ?? "";
      this.#byContent.set(content, [...(this.#byContent.get(content) ?? []), rule]);
    }
  }

  /** Those on a content alone, newest first. */
  ofContent(sha256: string): readonly Rule[] {
    return this.#byContent.get(sha256) ?? NONE;
  }

  /** Those that fit the process, newest first. */
  fitting(state: State, process: ProcessState): readonly Rule[] {
    const who = this.#who.length === 0 ? NONE : this.#whose(state, process);
    const program = this.#program.length === 0 || process.executable === undefined ? NONE : this.#programs(state, process);
    let others = NONE;
    for (const rule of this.#others) if (rule.match(state, process)) others = [...others, rule];
    return newestFirst(newestFirst(who, program), others);
  }

  #whose(state: State, process: ProcessState): readonly Rule[] {
    if (process.login === undefined) return process.uid === undefined ? NONE : this.#users(state, process, process.uid);
    const login = state.logins.get(process.login);
    if (!login) return NONE;
    const known = this.#ofLogin.get(login);
    if (known && known.user === login.user && known.source === login.source) return known.rules;
    const rules = asked(this.#who, state, process);
    this.#ofLogin.set(login, { user: login.user, source: login.source, rules });
    return rules;
  }

  #users(state: State, process: ProcessState, uid: number): readonly Rule[] {
    const name = state.users.get(uid);
    const known = this.#ofUser.get(uid);
    if (known && known.name === name) return known.rules;
    if (this.#ofUser.size >= MOST_ANSWERS) this.#ofUser.clear();
    const rules = asked(this.#who, state, process);
    this.#ofUser.set(uid, { name, rules });
    return rules;
  }

  #programs(state: State, process: ProcessState): readonly Rule[] {
    const program = process.executable as string;
    const known = this.#ofProgram.get(program);
    if (known) return known;
    if (this.#ofProgram.size >= MOST_ANSWERS) this.#ofProgram.clear();
    const rules = asked(this.#program, state, process);
    this.#ofProgram.set(program, rules);
    return rules;
  }
}

function asked(rules: readonly Rule[], state: State, process: ProcessState): readonly Rule[] {
  const fitting = rules.filter(({ match }) => match(state, process));
  return fitting.length === 0 ? NONE : fitting;
}

function newestFirst(some: readonly Rule[], more: readonly Rule[]): readonly Rule[] {
  if (some.length === 0) return more;
  if (more.length === 0) return some;
  return [...some, ...more].sort((a, b) => a.place - b.place);
}
