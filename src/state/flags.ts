import { type BinaryState, type ProcessState, RANDOM_LOOKING, type State } from "./state.ts";

/** What speaks against a new binary whoever runs it, in words; undefined where nothing does. */
export function binaryFlag(binary: BinaryState): string | undefined {
  if (binary.runs === 0) return undefined;
  if (binary.unlinked) return "deleted while it ran";
  return (binary.random ?? 0) >= RANDOM_LOOKING ? "its name looks random" : undefined;
}

/** What speaks against a process by itself, in words. A tag that hides what it comes from does not hide it unless an analyst said so. */
export function processFlag(state: State, { executable }: ProcessState): string | undefined {
  const binary = executable === undefined ? undefined : state.binaries.get(executable);
  return binary && binaryFlag(binary);
}
