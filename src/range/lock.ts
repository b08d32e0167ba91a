import { exited, startBound } from "./machine.ts";

/**
 * Runs `work` while holding an exclusive flock(2) on `file` (made if missing; its folder must be there). The kernel drops the lock
 * when its holder dies, and the holder dies with us, so no lock is ever left behind. `waiting` is called when somebody else has it.
 */
export async function withLock<T>(file: string, work: () => Promise<T>, waiting: () => void = () => {}): Promise<T> {
  const holder = startBound(["flock", "--exclusive", "--no-fork", file, "sh", "-c", "echo held; exec cat"], ["pipe", "pipe", "ignore"]);
  const ended = exited(holder);
  const patience = setTimeout(waiting, 500);
  const held = await Promise.race([
    new Promise<true>((resolve) => holder.stdout?.once("data", () => resolve(true))),
    ended.then(() => false as const),
  ]);
  clearTimeout(patience);
  if (!held) throw new Error(`the lock '${file}' could not be taken: flock(1) ended at once; is its folder writable?`);
  try {
    return await work();
  } finally {
    holder.stdin?.end();
    await ended;
  }
}
