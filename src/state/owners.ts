import type { StakeoutEvent } from "#model/event";
import { settle } from "./settle.ts";
import type { OwnerState, State } from "./state.ts";
import type { Millis } from "./time.ts";

/** Files of which it is kept; the log has all. */
const MOST_OWNERS = 20_000;

/** Somebody looked which package a file belongs to. */
export function packageTold(state: State, event: StakeoutEvent, at: Millis): void {
  const { file, package: owner, stakeout } = event;
  if (!file || !stakeout.ownership) return;
  const before = state.owners.get(file.path);
  if (!before && state.owners.size >= MOST_OWNERS) return;
  state.owners.set(file.path, {
    ...stakeout.ownership,
    ...(owner ? { package: owner.name } : {}),
    ...(owner?.version === undefined ? {} : { version: owner.version }),
    ...(file.hash ? { sha256: file.hash.sha256 } : {}),
    ...(stakeout.known ? { known: stakeout.known } : {}),
    at,
  });
  // a tag may be on what the console's list vouches for, and does not hide what is known as bad: what is running is judged anew
  const judged = (one: Pick<OwnerState, "console" | "known"> | undefined) => `${one?.console === "same"} ${one?.known?.verdict === "bad"}`;
  if (state.tags.size === 0 || judged(before) === judged(state.owners.get(file.path))) return;
  const runners = [...state.processes.values()].filter(({ executable }) => executable === file.path);
  settle(
    state,
    runners.map(({ id }) => id),
  );
}

/** The rule of a file that is not what its package ships. */
export const CHANGED_FILE = "package-file-changed";

/** The file is not what its package ships, by the host's own list or by the console's. */
export const isChanged = ({ host, console: ours }: OwnerState): boolean => host === "differs" || ours === "differs";

const OURS = {
  same: "the same as in the console's list",
  differs: "CHANGED: it differs from the console's list",
  unlisted: "not in the console's list",
  "other-version": "the console's list has other versions of it alone: not compared",
} as const;

/** What the host says it by. */
export const listOf = ({ manager }: Pick<OwnerState, "manager">): string =>
  manager === "rpm" ? "the host's own rpm database" : "the host's own list";

/**
 * Whose a file is, in words. What was not asked is never called owned by nobody, and what the host's own list says is called that:
 * root on the host can edit it. Holds host text.
 */
export function ownerWords(owner: OwnerState | undefined): string {
  if (!owner) return "not looked at";
  const { state, host, console: ours, package: name, version, file, why } = owner;
  const list = listOf(owner);
  const leads = file === undefined ? "" : ` (${file})`;
  const compared = ours === undefined ? "" : `; ${OURS[ours] ?? ours}`;
  if (state === "none") return `no package${leads}, by ${list}${compared}`;
  if (state !== "owned" || name === undefined) return `not known: ${why ?? "the host did not say"}${compared}`;
  const by =
    host === "same"
      ? `unchanged by ${list}, which root there can edit`
      : host === "differs"
        ? `CHANGED: ${why ?? `it differs from ${list}`}`
        : (why ?? `${list} has no digest of it`);
  return `${name}${version === undefined ? "" : ` ${version}`}${leads}, ${by}${compared}`;
}
