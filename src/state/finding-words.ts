import type { Finding } from "#model/event";
import { isHidden } from "./lineage.ts";
import type { LoginState, ProcessState, Standing, State } from "./state.ts";

/** What a finding is worded by: who did it, whom it was done to, and since when it stands. */
type Told = Pick<Finding, "title" | "entities" | "exposes"> & { sequence: number };
type Thing = Pick<LoginState | ProcessState, "standing" | "tag" | "finding">;

/** Whose doing it is, as a finding begins: by what is called of him at that moment. */
export function doerWords({ standing, finding }: Pick<Thing, "standing" | "finding">): string {
  if (finding !== undefined) return "a tagged login in view again";
  return standing === "unknown" ? "a login without a tag" : `a login tagged ${standing}`;
}
const DOER = /^a (?:login without a tag|login tagged \S+|tagged login in view again)(?= )/;

/** Who uses an address that somebody of ours called. */
export const userWords = (standing: Standing): string =>
  standing === "intruder" ? "an intruder uses" : standing === "suspect" ? "a suspect uses" : `${somebody(standing)} uses`;
const somebody = (standing: Standing) => (standing === "unknown" ? "somebody without a tag" : `a ${standing}`);
const USER = /\b(?:an intruder uses|a suspect uses)$/;

/** To whom it was done: such a tag hid him. */
const TARGET = /\ba tagged (process|login|tmux or screen)(?! in view again|'s)/;

/**
 * A finding in words that are true when they are read: its title is what was true when it was made, and tags come and go. Who is tagged since
 * is called so, and so is who has lost his tag; of whom the picture has lost it is said that he had none then.
 */
export function findingNow(state: State, { title, entities, exposes, sequence }: Told): string {
  const doer = thingOf(state, entities[0]);
  const target = thingOf(state, exposes?.[0] ?? entities[1]);
  return title
    .replace(DOER, (then) => {
      if (!doer) return then.replace("without a tag", "that had no tag then");
      const now = doerWords(doer);
      return now !== then && newer(state, doer, sequence) ? now.replace("a login tagged", "a login since tagged") : now;
    })
    .replace(USER, (then) => (doer ? userWords(doer.standing) : then))
    .replace(TARGET, (then, what: string) => (!target || isTagged(target) ? then : `a ${what} that was vouched for then`));
}

/** What became of a finding's words since they were said, for who reads both; undefined where they still are true. */
export function findingSince(state: State, finding: Told): string | undefined {
  const now = findingNow(state, finding);
  return now === finding.title ? undefined : now;
}

const thingOf = ({ processes, logins }: State, id = ""): Thing | undefined => processes.get(id) ?? logins.get(id);
const isTagged = ({ standing, finding }: Thing): boolean => isHidden(standing) || finding !== undefined;
const newer = ({ tags }: State, { tag }: Thing, sequence: number): boolean => (tags.get(tag ?? "")?.sequence ?? -1) > sequence;
