import { type FileFlag, fileFlags } from "#model/file-flags";
import { type BinaryState, type ProcessState, RANDOM_LOOKING, type State } from "./state.ts";

/** A program that no file has (memfd_create(2)): /proc calls it so. */
export const isInMemory = ({ path }: Pick<BinaryState, "path">): boolean => path.startsWith("/memfd:");

/** Where it lies that few programs do, in the words of the log. */
export const flagsOf = ({ path, deleted, mount }: Pick<BinaryState, "path" | "deleted" | "mount">): FileFlag[] =>
  fileFlags(path, { deleted, mount });

/** What speaks against a new binary whoever runs it, in words; undefined where nothing does. */
export function binaryFlag(binary: BinaryState): string | undefined {
  if (binary.known?.verdict === "bad") return "its content is known as bad";
  if (binary.runs === 0) return undefined;
  if (isInMemory(binary)) return "it ran from memory alone";
  if (binary.unlinked) return "deleted while it ran";
  return (binary.random ?? 0) >= RANDOM_LOOKING ? "its name looks random" : undefined;
}

/** What speaks against a process by itself, in words. A tag that hides what it comes from does not hide it unless an analyst said so. */
export function processFlag(state: State, { executable, script }: Pick<ProcessState, "executable" | "script">): string | undefined {
  const run = script === undefined ? undefined : state.binaries.get(script);
  const flagged = run && binaryFlag(run);
  if (flagged !== undefined) return flagged;
  const binary = executable === undefined ? undefined : state.binaries.get(executable);
  const owner = executable === undefined ? undefined : state.owners.get(executable);
  return (binary && binaryFlag(binary)) ?? (owner?.known?.verdict === "bad" ? "its program's content is known as bad" : undefined);
}
