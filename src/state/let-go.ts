import { binaryFlag } from "./flags.ts";
import { foldTree, mayGo, unnote } from "./folding.ts";
import { descend, hasOwnTag } from "./lineage.ts";
import type { BinaryState, LoginState, State } from "./state.ts";

/** Files that are kept; the log has them all. Any account can make and delete some without end. */
const MOST_FILES = 20_000;
/** So many go at once: to find those that matter least, all are looked at. */
const GO_AT_ONCE = 2000;

/** What came and went and nobody ran goes first, and last what something speaks against, or whose content is not what it was. */
function weight(binary: BinaryState): number {
  const { standing, rewritten, runs, elf, deleted } = binary;
  if (standing === "intruder" || standing === "suspect" || rewritten === true || binaryFlag(binary) !== undefined) return 4;
  return runs > 0 ? 3 : elf === true ? 2 : deleted ? 0 : 1;
}

/** Lets files go where there are too many, the oldest of those that matter least; `but` has just been seen. */
export function letFilesGo(state: State, but: BinaryState): void {
  if (state.binaries.size <= MOST_FILES) return;
  const byWeight: BinaryState[][] = [[], [], [], [], []];
  for (const binary of state.binaries.values()) if (binary !== but) byWeight[weight(binary)]?.push(binary);
  for (const { path, writers } of byWeight.flat().slice(0, GO_AT_ONCE)) {
    state.binaries.delete(path);
    state.counts.let_go += 1;
    for (const writer of writers) unnote(state, writer);
  }
}

/** Logins that are kept. A monitoring server logs in a hundred thousand times a day, and each leaves some programs that it ran. */
const MOST_LOGINS = 4000;
/** To find those that may go all are looked at: with every so many that come. */
const LOOKED_EACH = 200;
const LOGINS_AT_ONCE = 400;

/**
 * Lets logins go that are over, where there are too many: the oldest of the account and address that come most often, so that whoever comes
 * by himself is not put out of the picture by others. Those that were judged, that something was found of, that reached for a secret or a
 * host, that left something running or that something in the picture names stay.
 */
export function letLoginsGo(state: State): void {
  if (state.logins.size <= MOST_LOGINS || state.counts.logins % LOOKED_EACH !== 0) return;
  const stays = whoMatters(state);
  const byWho = Map.groupBy(
    [...state.logins.values()].filter((login) => isOver(state, login) && !stays.has(login.id)),
    ({ user, source }) => `${user?.id ?? user?.name ?? ""} ${source?.ip ?? ""}`,
  );
  const [most = []] = [...byWho.values()].sort((a, b) => b.length - a.length);
  let gone = 0;
  for (const { id } of most) {
    const below = [...descend(state, [id], (process) => process).values()];
    if (!below.every((process) => mayGo(state, process) && process.finding === undefined && !stays.has(process.id))) continue;
    state.logins.delete(id);
    foldTree(state, below);
    if (++gone >= LOGINS_AT_ONCE) return;
  }
}

const isOver = (state: State, { id, end, ours, standing, finding }: LoginState): boolean =>
  end !== undefined && !ours && standing !== "intruder" && standing !== "suspect" && finding === undefined && !hasOwnTag(state, id);

/** Logins and processes that something is known of beside that they were there. */
function whoMatters(state: State): Set<string> {
  const found = new Set<string>(state.exposed.keys());
  for (const { entities } of state.findings.values()) for (const id of entities) found.add(id);
  for (const binary of state.binaries.values()) {
    if (binary.login === undefined || found.has(binary.login) || binaryFlag(binary) === undefined) continue;
    found.add(binary.login);
  }
  const { secrets, hosts } = state.touched;
  for (const { by } of [...secrets.values(), ...hosts.values()]) for (const who of by.keys()) found.add(who);
  return found;
}
