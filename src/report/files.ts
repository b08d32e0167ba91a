import { mountWords } from "#model/file-flags";
import { type HostString, visiblePath } from "#model/host-string";
import { programWords } from "#model/program";
import { flagsOf, isInMemory } from "#state/flags";
import { hashedWords, knownWords } from "#state/known";
import { isHidden } from "#state/lineage";
import { isChanged, ownerWords } from "#state/owners";
import { type BinaryState, type OwnerState, RANDOM_LOOKING, type State } from "#state/state";
import type { Cast } from "./cast.ts";
import type { Clock } from "./clock.ts";
import type { Collected, FileStory } from "./collect.ts";
import { code, prose } from "./escape.ts";
import { commandLine, entryWords, loginName } from "./names.ts";
import { count, figure, list } from "./words.ts";

const MOST_FILES = 60;
const MOST_HANDS = 4;

/** New programs, and other files that theirs wrote, the intruder's first. */
export function filesOf(state: State, cast: Cast): { programs: BinaryState[]; others: BinaryState[]; hidden: number; rest: number } {
  const visible = [...state.binaries.values()].filter(({ standing }) => !isHidden(standing));
  const rank = (binary: BinaryState) =>
    binary.standing === "intruder" ? 0 : binary.standing === "suspect" ? 1 : cast.wrote(binary) ? 2 : binary.login !== undefined ? 3 : 4;
  const order = (a: BinaryState, b: BinaryState) => rank(a) - rank(b) || a.first - b.first;
  const isProgram = ({ runs, elf }: BinaryState) => runs > 0 || elf === true;
  const programs = visible.filter(isProgram).toSorted(order);
  const others = visible.filter((binary) => !isProgram(binary) && cast.wrote(binary)).toSorted(order);
  return { programs, others, hidden: state.binaries.size - visible.length, rest: visible.length - programs.length - others.length };
}

export function filesSection(state: State, cast: Cast, collected: Collected, clock: Clock): string[] {
  const { programs, others, hidden, rest } = filesOf(state, cast);
  const lines: string[] = [];
  const block = (binary: BinaryState) => lines.push(...fileBlock(state, binary, collected.files.get(binary.path), clock), "");
  lines.push(...knownBadFiles(state), ...changedFiles(state), ...lookedAt(state));
  if (programs.length) lines.push("Programs that are not from the folders that packages fill, by what was seen of them:", "");
  else lines.push("No new program was seen.", "");
  for (const binary of programs.slice(0, MOST_FILES)) block(binary);
  if (others.length) lines.push("Other files that these processes wrote:", "");
  for (const binary of others.slice(0, MOST_FILES)) block(binary);
  const more = Math.max(0, programs.length - MOST_FILES) + Math.max(0, others.length - MOST_FILES);
  if (more) lines.push(`Left out: ${count(more, "further file")}; the log has them.`, "");
  const aside = [
    ...(hidden ? [`${count(hidden, "file")} of tagged responders`] : []),
    ...(rest ? [`${count(rest, "other changed file")} that no such process is known to have written and that nobody ran`] : []),
  ];
  const { let_go: gone } = state.counts;
  if (gone)
    aside.push(`${count(gone, "other file")} of which too many came for the console to keep: most came and went, and the log has them`);
  if (aside.length) lines.push(`Not shown: ${list(aside)}.`, "");
  return lines;
}

function fileBlock(state: State, binary: BinaryState, story: FileStory | undefined, clock: Clock): string[] {
  const who = (id: string | undefined) => {
    const process = id === undefined ? undefined : state.processes.get(id);
    if (!process) return "a process that was not seen";
    const login = process.login === undefined ? undefined : state.logins.get(process.login);
    const entry = login ? undefined : entryWords(state, process.id);
    const origin = login ? `, login of ${loginName(login)}` : `, under no login${entry === undefined ? "" : `: started by ${entry}`}`;
    return `pid ${process.pid} ${code(commandLine(process) ?? "name not seen", 80)}${origin}`;
  };
  const looks = (binary.random ?? 0) >= RANDOM_LOOKING ? "; the name looks random" : "";
  const facts: string[] = [];
  const size = binary.size === undefined ? "size not seen" : `${figure(binary.size)} bytes`;
  const kind = binary.elf === true ? ", ELF program" : binary.elf === false ? ", no ELF program" : "";
  facts.push(
    `sha256 ${binary.sha256 ? `\`${hex(binary.sha256)}\`${hashedWords(binary.hashed)}` : "not known: it was gone, or could not be read, before it could be hashed"}`,
  );
  for (const { sha256, at } of story?.hashes ?? [])
    if (sha256 !== binary.sha256) facts.push(`an earlier content, seen ${clock(at)}: sha256 \`${hex(sha256)}\``);
  facts.push(`${size}${binary.mode === undefined ? "" : `, mode ${code(binary.mode)}`}${kind}${looks}`);
  const flags = flagsOf(binary);
  if (flags.length > 0) facts.push(`place: ${flags.join(", ")}`);
  if (binary.mount && !binary.mount.root) facts.push(`lies ${code(mountWords(binary.mount), 300)}`);
  if (binary.program) facts.push(`by its own head: ${code(programWords(binary.program), 400)}`);
  if (binary.known) facts.push(`listed: ${prose(knownWords(binary.known), 400)}`);
  facts.push(ownerLine(state.owners.get(binary.path)));
  if (story?.created) facts.push(`written ${clock(story.created.at)} by ${who(story.created.by ?? binary.writer)}`);
  else if (binary.writer !== undefined) facts.push(`changed by ${who(binary.writer)}`);
  else facts.push("nobody saw who wrote it");
  const maker = story?.created?.by ?? binary.writer;
  const hands = binary.writers.filter((id) => id !== maker);
  if (hands.length) facts.push(`also changed by ${list(hands.map(who), MOST_HANDS)}`);
  if (binary.unseenHand && binary.writers.length) facts.push("and by at least one process that was not seen");
  if (binary.runs > 0) {
    facts.push(`run ${binary.runs === 1 ? "once" : `${binary.runs} times`}:`);
    for (const id of binary.runners.slice(0, 8)) {
      const process = state.processes.get(id);
      facts.push(
        `  - ${process ? `${clock(process.start)} ` : ""}${who(id)}${process && process.end === undefined ? "; **still running when the recording ended**" : ""}`,
      );
    }
    if (binary.runs > 8) facts.push(`  - and ${binary.runs - 8} times more`);
  } else facts.push("not seen to run");
  const deleted = story?.deleted;
  if (binary.nameless) facts.push("it never had a name in its folder (O_TMPFILE): the number is its inode's");
  else if (isInMemory(binary)) facts.push("no file has it: it was in memory alone (memfd)");
  else if (binary.deleted) facts.push(deleted ? `deleted ${clock(deleted.at)} by ${who(deleted.by)}` : "deleted; when was not seen");
  else facts.push("not seen to be deleted");
  return [
    `- ${code(visiblePath(binary.path))}`,
    ...facts.map((fact) => (fact.startsWith("  - ") ? `    ${fact.slice(2)}` : `  - ${fact}`)),
  ];
}

/** The words of {@link ownerWords} as the host's: they hold its text. */
const ownerLine = (owner: OwnerState | undefined): string => `belongs to: ${owner ? code(ownerWords(owner), 500) : "not looked at"}`;

/** Files whose content is on a list of known-bad files, whoever ran or wrote them, tagged or not; nothing where none was seen. */
function knownBadFiles(state: State): string[] {
  const bad = [...state.binaries.values(), ...[...state.owners].map(([path, owner]) => ({ path: path as HostString, ...owner }))].filter(
    ({ known }) => known?.verdict === "bad",
  );
  const byPath = new Map(bad.map((one) => [one.path, one]));
  if (byPath.size === 0) return [];
  return [
    `Files that are known as bad, by lists that the analyst brought (${count(byPath.size, "file")}):`,
    "",
    ...[...byPath.values()]
      .slice(0, MOST_FILES)
      .map(
        ({ path, sha256, known }) =>
          `- ${code(visiblePath(path))}, sha256 \`${hex(sha256 ?? "")}\`: ${known ? prose(knownWords(known), 400) : ""}`,
      ),
    "",
    ...(byPath.size > MOST_FILES ? [`Left out: ${count(byPath.size - MOST_FILES, "further file")}; the log has them.`, ""] : []),
  ];
}

/** Files that packages ship and that are not what these ship, whoever ran them; nothing where none was seen. */
function changedFiles(state: State): string[] {
  const changed = [...state.owners].filter(
    ([path, owner]) => isChanged(owner) && !(owner.file !== undefined && owner.file !== path && state.owners.has(owner.file)),
  );
  if (changed.length === 0) return [];
  return [
    `Files of the distribution that are not what their package ships (${count(changed.length, "file")}):`,
    "",
    ...changed
      .slice(0, MOST_FILES)
      .flatMap(([path, owner]) => [
        `- ${code(visiblePath(path))}`,
        `  - ${ownerLine(owner)}`,
        `  - sha256 ${owner.sha256 === undefined ? "not known" : `\`${hex(owner.sha256)}\``}`,
      ]),
    "",
    ...(changed.length > MOST_FILES ? [`Left out: ${count(changed.length - MOST_FILES, "further file")}; the log has them.`, ""] : []),
  ];
}

/** What was looked at of packages, and what that is worth. */
function lookedAt(state: State): string[] {
  const all = [...state.owners.values()];
  if (all.length === 0) return ["No file was held against a package's list.", ""];
  const n = (is: (owner: OwnerState) => boolean) => all.filter(is).length;
  const ours = n(({ console: compared }) => compared !== undefined);
  const text = [
    `${count(all.length, "program")} of the host ${all.length === 1 ? "was" : "were"} held against the host's own package list, which root there can edit:`,
    `${n(({ host }) => host === "same")} as in it, ${n(({ host }) => host === "differs")} changed, ${n(({ host }) => host === "undigested")} without a digest,`,
    `${n(({ state: what }) => what === "none")} of no package, ${n(({ state: what }) => what === "unknown")} not known.`,
    ours === 0
      ? "No list from elsewhere was given: none of them is vouched for."
      : `Against the list at the console: ${n(({ console: c }) => c === "same")} the same, ${n(({ console: c }) => c === "differs")} changed, ${n(({ console: c }) => c === "other-version")} in other versions alone, ${n(({ console: c }) => c === "unlisted")} not listed.`,
  ];
  return [text.join(" "), ""];
}

/** The schema of the log lets any text be a hash. */
const hex = (sha256: string) => (/^[0-9a-f]{64}$/.test(sha256) ? sha256 : "not a hash");
