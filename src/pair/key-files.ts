import { open, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { KeySource } from "./analysts.ts";

/** No list of a call's analysts is longer than this, bytes. */
const MOST_BYTES = 256 * 1024;

/**
 * Reads lists of public keys: a file in the format of authorized_keys, a `*.pub` file, or a folder, of which the `*.pub` files are read.
 * @returns what they hold, and a sentence on each that could not be read
 */
export async function readKeyFiles(
  paths: readonly string[],
  more: Pick<KeySource, "mayDrive"> = {},
): Promise<{ sources: KeySource[]; notes: string[] }> {
  const sources: KeySource[] = [];
  const notes: string[] = [];
  for (const path of paths) {
    try {
      const files = (await stat(path)).isDirectory() ? await publicKeysIn(path) : [path];
      if (files.length === 0) notes.push(`${path} holds no *.pub file`);
      for (const file of files) sources.push({ from: basename(file), text: await readBounded(file), ...more });
    } catch (error) {
      notes.push(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`);
    }
  }
  return { sources, notes };
}

const publicKeysIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder))
    .filter((name) => name.endsWith(".pub") && !name.endsWith("-cert.pub"))
    .sort()
    .map((name) => join(folder, name));

async function readBounded(file: string): Promise<string> {
  const handle = await open(file);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(MOST_BYTES + 1), 0, MOST_BYTES + 1, 0);
    if (bytesRead > MOST_BYTES) throw new Error(`it is longer than ${MOST_BYTES / 1024} KB, which no list of analysts is`);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}
