import type { BinaryState, ProcessState, State } from "./state.ts";

/** The new binaries that a process runs: the script that it interprets, and its program. */
export function newBinariesOf(state: State, { executable, script }: Pick<ProcessState, "executable" | "script">): BinaryState[] {
  const found: BinaryState[] = [];
  for (const path of [script, executable]) {
    const binary = path === undefined ? undefined : state.binaries.get(path);
    if (binary) found.push(binary);
  }
  return found;
}

/** The same as one that stands for it: a script before what interprets it. */
export const newBinaryOf = (state: State, { executable, script }: Pick<ProcessState, "executable" | "script">): BinaryState | undefined =>
  (script === undefined ? undefined : state.binaries.get(script)) ??
  (executable === undefined ? undefined : state.binaries.get(executable));
