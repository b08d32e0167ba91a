import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HostRunner } from "#host/runner";
import type { RunCommand } from "#investigation/commands";
import { decodeHostBytes } from "#model/host-string";
import { runRecorded } from "#response/command/run";
import type { SessionFolder } from "#session/session-store";

/** How much of a command's output stands in the log and on the screens, in bytes; the file has it all. */
const IN_THE_LOG = 32 * 1024;

/** Runs commands of the analysts' own on a host, over the connection that there is then; what they write goes into `commands/` of the session's folder, and its beginning into the log. */
export const commandRunner =
  (runner: () => HostRunner, folder: Pick<SessionFolder, "path">, onOutput?: (output: Buffer) => void): RunCommand =>
  async ({ id, line }, signal) => {
    const { output, ...ran } = await runRecorded(runner(), line, { signal });
    onOutput?.(output);
    const kept = { ...ran, bytes: output.length, output: decodeHostBytes(output.subarray(0, IN_THE_LOG)) };
    if (output.length === 0) return kept;
    const file = join("commands", `${id}.txt`);
    await mkdir(join(folder.path, "commands"), { recursive: true, mode: 0o700 });
    await writeFile(join(folder.path, file), output, { mode: 0o600, flag: "wx" });
    return { ...kept, file, sha256: createHash("sha256").update(output).digest("hex") };
  };
