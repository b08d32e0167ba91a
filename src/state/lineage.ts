import type { Tag } from "#model/event";
import { criteriaOf, isOfThings, namesLogins, selectorKey } from "./criteria.ts";
import type { TagState } from "./decided-state.ts";
import { processFlag } from "./flags.ts";
import { type Judging, type Rule, Rules } from "./rules.ts";
import type { LoginState, ProcessState, Standing, State } from "./state.ts";

export interface Judgement {
  standing: Standing;
  tag?: string | undefined;
  /** The finding that brought it back into view. */
  finding?: string | undefined;
}

/** The entity that a tag stands on (a login is its sshd process); undefined for one by criteria. */
export const tagRoot = ({ selector }: Pick<Tag, "selector">): string | undefined =>
  "login" in selector ? selector.login : "process" in selector ? selector.process : undefined;

/** The tags that stand, ready to be asked: the newest on each entity, and those by criteria. */
export interface Tagging {
  byRoot: ReadonlyMap<string, Judging>;
  rules: Rules;
}

/** `tags` in the order in which they were made. */
export function taggingWith(tags: Iterable<Judging & { removed?: number }>): Tagging {
  const byRoot = new Map<string, Judging>();
  const rules: ConstructorParameters<typeof Rules>[0][number][] = [];
  for (const tag of tags) {
    if (tag.removed !== undefined) continue;
    const criteria = criteriaOf(tag.selector);
    if (criteria) rules.push({ tag, criteria });
    else byRoot.set(tagRoot(tag) ?? "", tag);
  }
  return { byRoot, rules: new Rules(rules.reverse()) };
}

/** Of each state's tags: those that stand. What is derived is no part of the state. */
const standing = new WeakMap<State["tags"], { judged: number; tagging: Tagging }>();

/** Asked for every process that starts, so it is looked up, not searched for. */
function taggingOf(state: State): Tagging {
  let known = standing.get(state.tags);
  if (known?.judged !== state.judged) {
    known = { judged: state.judged, tagging: taggingWith([...state.tags.values()].sort((a, b) => a.sequence - b.sequence)) };
    standing.set(state.tags, known);
  }
  return known.tagging;
}

/**
 * A tag hides nothing that a finding has brought back: what was entered or abused is suspect, with all below it, until an analyst tags it
 * anew or dismisses the finding. The tag itself stays: it was decided, and this is derived.
 */
function broughtBack(state: State, id: string, given: Judgement, by: Judge): Judgement {
  const finding = state.findings.get(state.exposed.get(id) ?? "");
  if (!finding || finding.dismissed !== undefined || !isHidden(given.standing)) return given;
  // whoever did it turned out to be one of us; who is said to have done it to himself is no witness
  const [actor = ""] = finding.entities;
  const doer = finding.exposes?.includes(actor) ? undefined : state.processes.get(actor);
  if (doer && doer.id !== id && isHidden(by.known(doer).standing)) return given;
  const tag = given.tag === undefined ? undefined : by.find(given.tag);
  return tag && (tag.sequence ?? Number.POSITIVE_INFINITY) > finding.sequence ? given : { standing: "suspect", finding: finding.id };
}

/** The tag made directly on this entity. */
export const hasOwnTag = (state: State, id: string): boolean => taggingOf(state).byRoot.has(id);

/** Tags that stand on the same thing, or on the same things. */
export function tagsOn(state: State, selector: Tag["selector"]): TagState[] {
  const key = selectorKey(selector);
  return [...state.tags.values()].filter((tag) => tag.removed === undefined && selectorKey(tag.selector) === key);
}

const UNKNOWN: Judgement = { standing: "unknown" };
const given = ({ id, verdict }: Judging): Judgement => ({ standing: verdict, tag: id });
/** Tagged away: counted, and shown only on demand. */
export const isHidden = (standing: Standing): boolean => standing === "responder" || standing === "known-good";

/**
 * A service that is known by what it is vouches for itself alone: a shell under a known web server is what an intruder starts through it.
 * What is ours, and what is the intruder's, is so with all that it starts.
 */
const coversBelow = ({ verdict, selector }: Judging): boolean => {
  const criteria = criteriaOf(selector);
  return verdict !== "known-good" || criteria === undefined || !isOfThings(criteria);
};

/** A rule that hides sshd or the unit that it runs in hides no login: who comes in there is somebody of his own. */
function crosses({ login }: ProcessState, above: ProcessState, { verdict, selector }: Judging): boolean {
  if (login === undefined || above.login === login || !isHidden(verdict)) return false;
  const criteria = criteriaOf(selector);
  return criteria !== undefined && !namesLogins(criteria);
}

/** Ancestors that are asked: in a forged log a process can descend from itself. */
const MOST_ABOVE = 10_000;

/** What judges: the tags that stand, and what is known of the processes above. Of the state itself, or of what would be with one more tag. */
export interface Judge {
  tagging: Tagging;
  known(process: ProcessState): Judgement;
  find(tag: string): Judging | undefined;
}
export const judgeOf = (state: State): Judge => ({ tagging: taggingOf(state), known: asItIs, find: (id) => state.tags.get(id) });
/** A process carries its judgement: it is read at once, and no copy is made for each of thousands. */
const asItIs = (process: ProcessState): Judgement => process;

/** What comes down to a process from what it comes from; `nearest` is what is known of its parent, where that is at hand. */
function inherited(state: State, process: ProcessState, { tagging, known, find }: Judge, nearest?: Judgement): Judgement {
  if (nearest) {
    const tag = nearest.tag === undefined ? undefined : find(nearest.tag);
    if (!tag || criteriaOf(tag.selector) === undefined) return nearest; // a tag on one thing holds for all below it
  }
  let above = process.parent === undefined ? undefined : state.processes.get(process.parent);
  if (!above) {
    // its sshd is gone: the tag on the login holds all the same
    const own = process.login === undefined || process.login === process.id ? undefined : tagging.byRoot.get(process.login);
    return own ? given(own) : UNKNOWN;
  }
  for (let depth = 0; above && depth < MOST_ABOVE; depth++) {
    const judgement = known(above);
    const tag = judgement.tag === undefined ? undefined : find(judgement.tag);
    if (!tag) return judgement;
    if (coversBelow(tag)) return crosses(process, above, tag) ? UNKNOWN : judgement;
    above = above.parent === undefined ? undefined : state.processes.get(above.parent);
  }
  return UNKNOWN;
}

/**
 * What tags by criteria make of what comes down. What is called bad stays so, whatever else fits; and what a program is, or where
 * it runs, vouches for nothing that a login does for which nobody vouched: who logged in chose it.
 */
function byRules(process: ProcessState, above: Judgement, fitting: readonly Rule[]): Judgement {
  let hiding: Judging | undefined;
  for (const { tag, ofLogins } of fitting) {
    const hides = isHidden(tag.verdict);
    if (hides && (hiding || above.standing !== "unknown")) continue; // hidden it is already, or called bad
    if (hides && !ofLogins && process.login !== undefined) continue;
    if (!hides) return given(tag);
    hiding = tag;
  }
  return hiding ? given(hiding) : above;
}

/**
 * What cron, at or a service manager begins because an intruder told it to is his, though it hangs at theirs. The other way about nothing is
 * vouched for: an entry that one of us wrote can have been changed since.
 */
function planted(state: State, { planter }: ProcessState, above: Judgement, by: Judge): Judgement {
  if (planter === undefined || !(above.standing === "unknown" || isHidden(above.standing))) return above;
  const login = state.logins.get(planter);
  const found = login && judgeLogin(state, login, by);
  return found && found.standing !== "unknown" && !isHidden(found.standing) ? found : above;
}

/**
 * The judgement on a process: the tag on itself, else by criteria, else what its parent has. Per event O(1), and O(tags by criteria that
 * look at more than its login or its program).
 */
export function judge(state: State, process: ProcessState, by: Judge = judgeOf(state), nearest?: Judgement): Judgement {
  const { byRoot, rules } = by.tagging;
  if (byRoot.size === 0 && rules.all.length === 0) return UNKNOWN;
  const own = byRoot.get(process.id);
  const above = own ? given(own) : inherited(state, process, by, nearest);
  const come = own ? above : planted(state, process, above, by);
  const decided = own || rules.all.length === 0 ? come : byRules(process, come, rules.fitting(state, process));
  const found = state.exposed.size === 0 ? decided : broughtBack(state, process.id, decided, by);
  if (found.tag === undefined || !isHidden(found.standing)) return found;
  return by.find(found.tag)?.hides_flagged === true || processFlag(state, process) === undefined ? found : UNKNOWN;
}

/** What is flagged stays in sight under a tag that hides, unless that was confirmed. */
export const vouched = (found: Judgement, by: Judge, flag: () => string | undefined): boolean =>
  found.tag === undefined || !isHidden(found.standing) || by.find(found.tag)?.hides_flagged === true || flag() === undefined;

/** The judgement on a login: that of its sshd, which may be in the picture no more. */
export function judgeLogin(state: State, { id, start }: LoginState, by: Judge = judgeOf(state)): Judgement {
  const root = state.processes.get(id);
  if (root) return by.known(root);
  const gone: ProcessState = { ...GONE, id, login: id, start };
  return judge(state, gone, by);
}
const GONE: Omit<ProcessState, "id" | "start"> = {
  pid: 0,
  children: new Set(),
  origin: "sshd",
  active: 0,
  baseline: false,
  standing: "unknown",
};

/** The standing and the tag that a process or login carries, and nothing else of it. */
export function judgementOf({ standing, tag, finding }: Judgement): Judgement {
  if (finding !== undefined) return { standing, finding };
  return tag === undefined ? { standing } : { standing, tag };
}

/**
 * Puts a judgement on a thing; a tag that no longer stands is taken off. Says whether it is another one. Nothing is deleted: an object that
 * lost a field is looked up in many times as slowly from then on (V8's dictionary mode), and a tag is on thousands.
 */
export function setJudgement(thing: Judgement, { standing, tag, finding }: Judgement): boolean {
  if (thing.standing === standing && thing.tag === tag && thing.finding === finding) return false;
  thing.standing = standing;
  if (thing.tag !== tag) thing.tag = tag;
  if (thing.finding !== finding) thing.finding = finding;
  return true;
}

/** The tag that would hide a login as one of us if no finding had brought it back: it was decided, and abuse by others does not undo that. */
export function responderTag(state: State, login: LoginState): Judging | undefined {
  const { byRoot, rules } = taggingOf(state);
  const own = byRoot.get(login.id);
  if (own) return own.verdict === "responder" ? own : undefined;
  const root = state.processes.get(login.id);
  return root && rules.fitting(state, root).find(({ tag }) => tag.verdict === "responder")?.tag;
}

/**
 * Walks processes and everything below them, parents before children, each once. `visit` is given what it made of the one above, where that
 * was visited too: thousands are walked, and to look it up again takes longer than to judge. What was made of each goes into `made`, by id.
 */
export function descend<T>(
  state: State,
  roots: Iterable<string>,
  visit: (process: ProcessState, above: T | undefined) => T,
  made: Map<string, T> = new Map(),
): Map<string, T> {
  const todo: string[] = [...roots];
  const aboves: (T | undefined)[] = todo.map(() => undefined);
  for (let id = todo.pop(); id !== undefined; id = todo.pop()) {
    const above = aboves.pop();
    const process = made.has(id) ? undefined : state.processes.get(id);
    if (!process) continue;
    const one = visit(process, above);
    made.set(id, one);
    if (process.children.size === 0) continue;
    for (const child of process.children) {
      todo.push(child);
      aboves.push(one);
    }
  }
  return made;
}

/** The first processes of what these logins had begun by others. */
export function plantedBy(state: State, logins: ReadonlySet<string>): string[] {
  const roots = [...state.origins.values()].flatMap((origin) => (logins.has(origin.login ?? "") ? origin.roots : []));
  return roots.filter((id) => state.processes.get(id)?.planter !== undefined);
}

/** Where a tag begins to hold: its entity, and of a login also what its sshd left behind; of criteria, every process without a parent. */
export function rootsOf(state: State, tag: Pick<Tag, "selector">): string[] {
  const root = tagRoot(tag);
  if (root === undefined) return [...state.orphans];
  const roots = state.processes.has(root) ? [root] : [];
  if ("login" in tag.selector) for (const id of state.orphans) if (id !== root && state.processes.get(id)?.login === root) roots.push(id);
  return roots;
}

/** Judges `roots` and everything below them anew, parents before children; gives those that were looked at, by id. */
export function rejudge(state: State, roots: Iterable<string>): Map<string, ProcessState> {
  const by = judgeOf(state);
  return descend(state, roots, (process, above: ProcessState | undefined) => {
    setJudgement(process, judge(state, process, by, above));
    return process;
  });
}
