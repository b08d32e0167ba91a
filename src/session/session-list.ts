import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { StakeoutEvent } from "#model/event";
import { parseEvent } from "./schema.ts";
import { openSession, type SessionFolder } from "./session-store.ts";

/** A recorded session as a list shows it. What its two ends do not tell is left out. */
export interface SessionSummary {
  folder: SessionFolder;
  /** Milliseconds since the epoch, our clock. */
  started: number;
  /** Milliseconds from the first event to the last. */
  lasted: number;
  events: number;
  /** The host was isolated when it ended; undefined where the end of the log does not say. */
  isolated?: boolean;
  /** Ended and sealed; otherwise it was cut off, or is still being recorded. */
  whole: boolean;
}

/** Bytes of a log's end that are read at first, and at most. */
const TAIL = 1 << 16;
const LONGEST_TAIL = 1 << 20;
/** Files that are open at once. */
const AT_ONCE = 32;
const TELLING = /"(?:session\.end|baseline\.isolation|response\.succeeded)"/;

/** The sessions in `root`, newest first. Reads session.json and the two ends of each log, however long it is. */
export async function listSessions(root: string): Promise<SessionSummary[]> {
  const names = await readdir(root, { withFileTypes: true }).catch(() => []);
  const folders = names.filter((entry) => entry.isDirectory()).map(({ name }) => join(root, name));
  const found: SessionSummary[] = [];
  for (let i = 0; i < folders.length; i += AT_ONCE) {
    const some = await Promise.all(folders.slice(i, i + AT_ONCE).map((folder) => summaryOf(folder).catch(() => undefined)));
    for (const one of some) if (one) found.push(one);
  }
  return found.sort((a, b) => b.started - a.started);
}

async function summaryOf(path: string): Promise<SessionSummary | undefined> {
  const folder = await openSession(path, path);
  const file = await open(folder.events, "r");
  try {
    const { size } = await file.stat();
    const first = eventOf((await piece(file, 0, Math.min(size, TAIL))).split("\n")[0] ?? "");
    let ends: string[] = [];
    let last: StakeoutEvent | undefined;
    for (let length = TAIL; last === undefined; length *= 4) {
      const from = Math.max(0, size - length);
      ends = (await piece(file, from, size - from)).split("\n");
      for (let i = ends.length - 1; i >= 0 && last === undefined; i--) last = eventOf(ends[i] as string);
      if (from === 0 || length >= LONGEST_TAIL) break;
    }
    if (!last) return undefined; // nothing was recorded in it
    const began = Date.parse(first?.event.created ?? folder.about.started);
    const isolated = isolatedAt(ends, size <= TAIL);
    return {
      folder,
      started: Date.parse(folder.about.started) || began || 0,
      lasted: Math.max(0, Date.parse(last.event.created) - began) || 0,
      events: last.event.sequence,
      ...(isolated === undefined ? {} : { isolated }),
      whole: folder.about.ended !== undefined && folder.about.head?.sequence === last.event.sequence,
    };
  } finally {
    await file.close();
  }
}

/** What the last lines say; `all`: there are no others. Only the few that can say it are looked into. */
function isolatedAt(lines: readonly string[], all: boolean): boolean | undefined {
  for (const line of lines.toReversed()) {
    if (!TELLING.test(line)) continue;
    const found = eventOf(line);
    if (!found) continue;
    const { event, stakeout } = found;
    if (event.action === "session.end" && typeof stakeout["left_isolated"] === "boolean") return stakeout["left_isolated"];
    if (event.action === "baseline.isolation") return stakeout.response?.kind !== "release";
    if (event.action === "response.succeeded" && stakeout.response?.kind === "isolate") return true;
    if (event.action === "response.succeeded" && stakeout.response?.kind === "release") return false;
  }
  return all ? false : undefined;
}

async function piece(file: FileHandle, from: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
  return buffer.toString("utf8", 0, bytesRead);
}

/** The event of a whole line; what is cut off or damaged is passed over: it is named when the session is opened. */
function eventOf(line: string): StakeoutEvent | undefined {
  const event = line === "" ? "" : parseEvent(line);
  return typeof event === "string" ? undefined : event;
}
