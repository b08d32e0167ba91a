import { setPriority } from "node:os";

/** The nicest that a process can be, setpriority(2). */
export const NICEST = 19;

/**
 * Starts a load of the host's, and steps back behind it and what watches it until it has ended: the console has a machine of its own in
 * earnest, and here it has the suspect host's cores. What `load` starts at once keeps its place.
 */
export async function givingWay<T>(load: () => Promise<T>): Promise<T> {
  const running = load();
  setPriority(NICEST);
  try {
    return await running;
  } finally {
    setPriority(0);
  }
}
