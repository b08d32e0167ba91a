import { renameSync, writeFileSync } from "node:fs";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, join, resolve } from "node:path";
import { z } from "zod";
import { SCHEMA } from "#model/event";

const about = z.looseObject({
  schema: z.number(),
  session: z.string(),
  started: z.string(),
  ended: z.string().optional(),
  /** `target`: what was typed to reach it; left out where it was made for the session. */
  host: z.looseObject({ name: z.string(), address: z.string().optional(), target: z.string().optional() }),
  /** The last line that was known to be on the disk: what `verify` holds the last line against. */
  head: z.looseObject({ sequence: z.number(), sha256: z.string() }).optional(),
});
/** What session.json says of a session. */
export type SessionAbout = z.infer<typeof about>;

export interface SessionFolder {
  path: string;
  events: string;
  about: SessionAbout;
}

class SessionError extends Error {
  override name = "SessionError";
}

/** Where sessions are kept: `given`, the checkout's own `sessions/`, or $XDG_STATE_HOME/stakeout/sessions (XDG base directories). */
export function sessionsRoot(given: string | undefined, checkout: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  if (given) return resolve(given);
  if (checkout) return join(checkout, "sessions");
  return join(env["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "stakeout", "sessions");
}

/** Makes `<root>/<time>-<host>/` (UTC), with a number behind it if that is taken. */
export async function createSession(
  root: string,
  host: { label: string; address?: string; target?: string },
  startedMs: number,
): Promise<SessionFolder> {
  const started = new Date(startedMs).toISOString();
  const time = started.replace(/[-:]/g, "").replace("T", "-").slice(0, 15);
  const label = host.label.replace(/[^A-Za-z0-9._-]+/g, "_").slice(0, 60) || "host";
  const cannot = (error: unknown) =>
    new SessionError(
      `No session can be recorded in ${root}: ${(error as Error).message}. Make room or give access there, or choose another place with --sessions DIR.`,
    );
  await mkdir(root, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw cannot(error);
  });
  for (let n = 1; ; n++) {
    const session = `${time}-${label}${n > 1 ? `-${n}` : ""}`;
    const path = join(root, session);
    try {
      await mkdir(path, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") continue;
      throw cannot(error);
    }
    const folder: SessionFolder = {
      path,
      events: join(path, "events.jsonl"),
      about: {
        schema: SCHEMA,
        session,
        started,
        host: { name: host.label, ...(host.address ? { address: host.address } : {}), ...(host.target ? { target: host.target } : {}) },
      },
    };
    await saveAbout(folder).catch((error: unknown) => {
      throw cannot(error);
    });
    return folder;
  }
}

/** Replaces session.json as a whole, so that a crash leaves the old one or the new one. */
export async function saveAbout(folder: SessionFolder): Promise<void> {
  const file = join(folder.path, "session.json");
  await writeFile(`${file}.new`, `${JSON.stringify(folder.about, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

/** As {@link saveAbout}, for a process that is ending. */
export function saveAboutNow(folder: SessionFolder): void {
  const file = join(folder.path, "session.json");
  writeFileSync(`${file}.new`, `${JSON.stringify(folder.about, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Opens a recorded session: a folder, its name under `root`, or its events.jsonl. A missing session.json is no error: the log is what counts. */
export async function openSession(name: string, root: string): Promise<SessionFolder> {
  for (const path of [resolve(name), join(root, name)]) {
    const info = await stat(path).catch(() => undefined);
    const folder = info?.isFile() && basename(path) === "events.jsonl" ? join(path, "..") : path;
    const events = join(folder, "events.jsonl");
    if (!(await stat(events).catch(() => undefined))?.isFile()) continue;
    return { path: folder, events, about: await readAbout(folder) };
  }
  throw new SessionError(`There is no session ${JSON.stringify(name)}: neither a folder with an events.jsonl, nor a name in ${root}.`);
}

async function readAbout(folder: string): Promise<SessionAbout> {
  const nothing: SessionAbout = { schema: SCHEMA, session: basename(folder), started: "", host: { name: "unknown" } };
  const content = await readFile(join(folder, "session.json"), "utf8").catch(() => undefined);
  if (content === undefined) return nothing;
  try {
    return about.parse(JSON.parse(content));
  } catch {
    return nothing; // a damaged cover must not keep anyone from the log; `verify` then has no seal to hold it against
  }
}
