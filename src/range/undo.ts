/** Takes back one part of what was made on the machine. */
export interface Undo {
  /** Names it in an error: "the suspect host's processes". */
  what: string;
  run(): Promise<void>;
}

/** No part of a range takes so long to go, on a busy machine either; what hangs is left to the next start, which sweeps up. */
const LIMIT_MS = 30_000;

/** Takes back all parts, the last made first. One that fails or hangs keeps no other from going; then it throws, with each by name. */
export async function undoAll(parts: readonly Undo[], limitMs = LIMIT_MS): Promise<void> {
  const left: string[] = [];
  for (const { what, run } of parts.toReversed()) {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not gone within ${limitMs / 1000} s`)), limitMs);
    });
    await Promise.race([run(), late])
      .catch((error: Error) => left.push(`${what}: ${error.message}`))
      .finally(() => clearTimeout(timer));
  }
  if (left.length > 0) throw new Error(`The range is not gone whole (the next one that starts sweeps up): ${left.join("; ")}`);
}
