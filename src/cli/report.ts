import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StakeoutEvent } from "#model/event";
import { changesOf } from "#report/changes";
import { reportOf } from "#report/report";
import { type BrokenLine, readEvents, verifyLog } from "#session/read-log";
import { openSession, type SessionFolder, sessionsRoot } from "#session/session-store";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { checkout } from "./checkout.ts";
import { EXIT, say, UserError } from "./exit.ts";
import { VERSION } from "./version.ts";

/**
 * The report of what is recorded in the folder, as Markdown. The log is read three times: for its chain, for the state at its end, for
 * the story. Of a session that still goes on, what is on the disk when it begins counts; a line that is just being written is none yet.
 */
async function markdown(folder: SessionFolder, onBroken: (broken: BrokenLine) => void = () => {}, changes = false): Promise<string> {
  const { ended, head } = folder.about;
  const chain = await verifyLog(folder.events, head);
  const state = emptyState();
  let last = 0;
  for await (const { event } of readEvents(folder.events, onBroken)) {
    if (chain.ok && event.event.sequence > chain.events) break; // appended since the chain was checked
    reduce(state, event);
    last += 1;
  }
  if (last === 0) throw new UserError(`There is no event in ${folder.events}: there is nothing to report.`);
  async function* again(): AsyncGenerator<StakeoutEvent> {
    let told = 0;
    for await (const { event } of readEvents(folder.events, () => {})) {
      if (++told > last) return;
      yield event;
    }
  }
  if (changes) return changesOf(state, again(), folder.about.host.name);
  return reportOf(state, again(), {
    hostLabel: folder.about.host.name,
    chain: { ...chain, events: last, broken: chain.broken.length },
    sealed: ended !== undefined && head !== undefined,
    version: VERSION,
  });
}

/** Writes the report into `file`, as a whole or not at all. */
async function save(file: string, text: string): Promise<void> {
  const draft = `${file}.new`;
  try {
    await writeFile(draft, text, { mode: 0o600 });
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw new UserError(
      `The report cannot be written to ${file}: ${(error as Error).message}. "stakeout report SESSION --output FILE" writes it elsewhere.`,
    );
  }
}

/** Looks again when the last line was caught in the middle of being written: that is no damage. */
const LOOKS = 5;

/** Writes `report.md` into the session's folder; gives the file's path. `flush` puts on the disk what a live session still holds. */
export async function saveReport(folder: SessionFolder, flush: () => Promise<void>): Promise<string> {
  const file = join(folder.path, "report.md");
  for (let looks = 1; ; looks++) {
    let damaged = false;
    await flush();
    const text = await markdown(folder, () => {
      damaged = true;
    });
    if (damaged && folder.about.head === undefined && looks < LOOKS) continue;
    await save(file, text);
    return file;
  }
}

/** `stakeout report SESSION`: Markdown on standard output, or into a file. */
export async function report(name: string, options: { sessions?: string; output?: string; changes?: boolean }): Promise<number> {
  const folder = await openSession(name, sessionsRoot(options.sessions, checkout()));
  let damaged = 0;
  const broken = ({ line, what }: BrokenLine) => {
    damaged += 1;
    say(`${folder.events}:${line}: ${what}; it was passed over`);
  };
  const text = await markdown(folder, broken, options.changes);
  if (options.output === undefined) process.stdout.write(text);
  else {
    await save(options.output, text);
    say(`the report is in ${options.output}`);
  }
  return damaged ? EXIT.failed : EXIT.ok;
}
