import type { EventDraft, Selector, Tag, TagScope, Verdict } from "#model/event";
import { criteriaOf, selectorProblem } from "#state/criteria";
import type { TagState } from "#state/decided-state";
import { effectFields, effectOf } from "#state/effect";
import { isHidden, tagsOn } from "#state/lineage";
import type { State } from "#state/state";

/** The reason of the tags that the console makes by itself, on its own logins alone. */
export const OWN_LOGIN = "the console's own login";

/** Rules that stand at once: each is asked for every program that starts. */
const MOST_RULES = 200;
const MOST_TAGS = 10_000;
/** Decisions of one analyst that can be undone. */
const MOST_UNDONE = 100;
const LONGEST_REASON = 500;

/** A tag as it was decided. */
export interface TagRequest {
  selector: Selector;
  verdict: Verdict;
  reason: string;
  scope?: TagScope;
  hides_flagged?: true;
  /** A tag that it takes the place of, besides those on the same thing. */
  replaces?: string;
  /** `state.sequence` when the analyst began to decide; what others decided since then on the same thing was not known to him. */
  since?: number;
  /** It was decided in an earlier session. */
  kept?: { since: string; analyst: string };
}

/** Where tags of a wider scope are remembered: on the analyst's machine. Both say what went wrong, in words. */
export interface TagKeeper {
  keep(tag: Tag, analyst: string): string | undefined;
  forget(tag: Tag): string | undefined;
}

interface TagDeskOptions {
  state: State;
  append: (draft: EventDraft) => void;
  hostNow: () => string;
  changed: () => void;
  keeper?: TagKeeper;
}

/** What one key did: tags that were made and tags that were taken back, by id. */
interface Decision {
  made: string[];
  gone: string[];
}

/** Tags are made, taken back, undone and done again. Each of the methods says why it was not done, or what else is to be known. */
export class TagDesk {
  readonly #options: TagDeskOptions;
  #made = 0;
  readonly #done = new Map<string, Decision[]>();
  readonly #undone = new Map<string, Decision[]>();

  constructor(options: TagDeskOptions) {
    this.#options = options;
  }

  /** Tags what `selector` selects; older tags on the same are taken back first. */
  tag(request: TagRequest, analyst: string): string | undefined {
    const { state } = this.#options;
    const { selector, verdict, scope, replaces } = request;
    const problem = this.#problem(request);
    if (problem !== undefined) return problem;
    const edited = replaces === undefined ? undefined : state.tags.get(replaces);
    if (replaces !== undefined && (!edited || edited.removed !== undefined)) return "the tag was taken back meanwhile: nothing was changed";
    const before = tagsOn(state, selector);
    const clash = this.#clash(before, request, analyst);
    if (clash !== undefined) return clash;
    const instead = [...new Set([...before, ...(edited ? [edited] : [])])];
    const effect = effectFields(
      effectOf(
        state,
        selector,
        verdict,
        instead.map(({ id }) => id),
      ),
    );
    for (const old of instead) this.#remove(old, analyst);
    const id = `t${++this.#made}`;
    const reason = Array.from(request.reason).slice(0, LONGEST_REASON).join("");
    const tag: Tag = {
      id,
      verdict,
      selector,
      reason,
      ...(scope === undefined || scope === "session" ? {} : { scope }),
      ...(request.hides_flagged ? { hides_flagged: true as const } : {}),
      ...(replaces === undefined ? {} : { replaces }),
      ...(request.kept ? { kept: request.kept } : {}),
      effect,
    };
    this.#apply(tag, analyst);
    this.#remember(analyst, { made: [id], gone: instead.map((old) => old.id) });
    const notes = instead.map((old) => (request.kept ? undefined : this.#forget(old)));
    if (!request.kept) notes.push(this.#keep(tag, analyst));
    const others = instead.filter((old) => old.analyst !== analyst && old.id !== replaces);
    if (others.length > 0) notes.push(`it takes the place of ${others.map((old) => `${old.analyst}'s ${old.verdict}`).join(", ")}`);
    return words(notes);
  }

  /** The console's own login is hidden by what it is; nobody decided it, so nobody undoes it. */
  own(login: string, analyst: string): void {
    this.#apply({ id: `t${++this.#made}`, verdict: "responder", selector: { login }, reason: OWN_LOGIN }, analyst);
  }

  untag(id: string, analyst: string): string | undefined {
    const tag = this.#options.state.tags.get(id);
    if (!tag || tag.removed !== undefined) return "it was taken back already";
    if (this.#isOwn(tag)) return "this is the console's own login: it is known by its connection, and told as our footprint";
    this.#remove(tag, analyst);
    this.#remember(analyst, { made: [], gone: [id] });
    return this.#forget(tag);
  }

  /** Makes a tag again that was taken back. */
  restore(id: string, analyst: string): string | undefined {
    const tag = this.#options.state.tags.get(id);
    if (!tag || tag.removed === undefined) return "it stands";
    const { selector, verdict, reason, scope, hides_flagged } = tag;
    return this.tag({ selector, verdict, reason, ...(scope ? { scope } : {}), ...(hides_flagged ? { hides_flagged } : {}) }, analyst);
  }

  /** Undoes what the analyst did last with tags. */
  undo(analyst: string): string | undefined {
    return this.#turn(this.#done, this.#undone, analyst, "you have done nothing with tags that could be undone", "undone");
  }

  redo(analyst: string): string | undefined {
    return this.#turn(this.#undone, this.#done, analyst, "nothing was undone", "done again");
  }

  #turn(from: Map<string, Decision[]>, to: Map<string, Decision[]>, analyst: string, none: string, word: string): string | undefined {
    const decision = from.get(analyst)?.pop();
    if (!decision) return none;
    const { state } = this.#options;
    const stands = decision.made.map((id) => state.tags.get(id)).filter((tag) => tag !== undefined && tag.removed === undefined);
    const gone = decision.gone.map((id) => state.tags.get(id)).filter((tag) => tag !== undefined && tag.removed !== undefined);
    if (stands.length === 0 && gone.length === 0) return "somebody has changed that since: it is as it should be";
    const blocked = gone.find((old) => old && tagsOn(state, old.selector).some(({ id }) => !decision.made.includes(id)));
    if (blocked) return "somebody has tagged the same since: v shows it";
    const notes: (string | undefined)[] = [];
    for (const tag of stands)
      if (tag) {
        this.#remove(tag, analyst);
        notes.push(this.#forget(tag));
      }
    for (const tag of gone)
      if (tag) {
        const { analyst: _, applied: _at, sequence: _sequence, removed: _removed, ...again } = tag;
        this.#apply(again, analyst);
        notes.push(this.#keep(again, analyst));
      }
    push(to, analyst, { made: gone.map((tag) => tag?.id ?? ""), gone: stands.map((tag) => tag?.id ?? "") });
    return words([`${word}: ${[...stands, ...gone].map((tag) => `${tag?.verdict} (${tag?.reason})`).join(", ")}`, ...notes]);
  }

  #problem({ selector, scope, replaces }: TagRequest): string | undefined {
    const { state } = this.#options;
    const wrong = selectorProblem(selector);
    if (wrong !== undefined) return wrong;
    const criteria = criteriaOf(selector);
    if (!criteria && scope !== undefined && scope !== "session") return "one login or process is of this session alone";
    if (criteria?.package !== undefined && ![...state.binaries.values()].some((binary) => binary.package))
      return "nothing is known of the host's packages: nobody looked";
    let [rules, standing] = [0, 0];
    for (const tag of state.tags.values())
      if (tag.removed === undefined && tag.id !== replaces) {
        standing += 1;
        if (criteriaOf(tag.selector)) rules += 1;
      }
    if (criteria && rules >= MOST_RULES) return `there are ${MOST_RULES} rules already: take some back first`;
    if (standing >= MOST_TAGS) return `there are ${MOST_TAGS} tags already: take some back first`;
    if ("process" in selector && !state.processes.has(selector.process)) return "it ended and is no longer in the picture; the log has it";
    if ("login" in selector && !state.logins.has(selector.login) && !state.processes.has(selector.login))
      return "the login is not in the picture; the log has it";
    return undefined;
  }

  /**
   * Two who decide at once: what another called bad, while this one decided, is not hidden unseen; and who says the same again is told so.
   */
  #clash(before: readonly TagState[], { verdict, since, replaces, scope, hides_flagged }: TagRequest, analyst: string): string | undefined {
    for (const old of before) {
      const { verdict: was, analyst: by } = old;
      if (old.id === replaces || since === undefined || old.sequence <= since || by === analyst) continue;
      if (was === verdict && old.scope === (scope === "session" ? undefined : scope) && old.hides_flagged === hides_flagged)
        return `${by} has just tagged it ${was}: nothing is left to do`;
      if (isHidden(verdict) && !isHidden(was)) return `${by} tagged it ${was} while you decided: it stays so until you decide again`;
    }
    return undefined;
  }

  #isOwn({ selector, reason }: TagState): boolean {
    return reason === OWN_LOGIN && "login" in selector && this.#options.state.logins.get(selector.login)?.ours === true;
  }

  #remember(analyst: string, decision: Decision): void {
    push(this.#done, analyst, decision);
    this.#undone.delete(analyst);
  }

  #keep(tag: Tag, analyst: string): string | undefined {
    return tag.scope === undefined || tag.scope === "session" ? undefined : this.#options.keeper?.keep(tag, analyst);
  }
  #forget(tag: Tag): string | undefined {
    return tag.scope === undefined || tag.scope === "session" ? undefined : this.#options.keeper?.forget(tag);
  }

  #apply(tag: Tag, analyst: string): void {
    this.#append("tag.apply", "creation", analyst, tag);
  }

  #remove({ id, verdict, selector, reason }: Tag, analyst: string): void {
    this.#append("tag.remove", "deletion", analyst, { id, verdict, selector, reason });
  }

  #append(action: "tag.apply" | "tag.remove", type: string, analyst: string, tag: Tag): void {
    this.#options.append({
      "@timestamp": this.#options.hostNow(),
      event: { action, category: ["configuration"], type: [type] },
      stakeout: { sensor: "console", tier: "analyst", analyst, tag },
    });
    this.#options.changed();
  }
}

function push(stacks: Map<string, Decision[]>, analyst: string, decision: Decision): void {
  const stack = stacks.get(analyst) ?? [];
  stacks.set(analyst, stack);
  stack.push(decision);
  if (stack.length > MOST_UNDONE) stack.shift();
}

const words = (notes: readonly (string | undefined)[]): string | undefined => {
  const told = notes.filter((note) => note !== undefined);
  return told.length === 0 ? undefined : told.join("; ");
};
