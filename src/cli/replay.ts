import { type Moment, momentOf, within } from "#investigation/moment";
import { Replay } from "#investigation/replay";
import type { StakeoutEvent } from "#model/event";
import { toLine } from "#session/line";
import { type BrokenLine, readEvents } from "#session/read-log";
import { openSession, type SessionFolder, sessionsRoot } from "#session/session-store";
import { emptyState } from "#state/create";
import { reduce } from "#state/reduce";
import { toPlain } from "#state/selectors";
import { checkout } from "./checkout.ts";
import { EXIT, say, UserError } from "./exit.ts";
import { Narrator } from "./lines.ts";
import { wantsPlain } from "./plain.ts";
import { openSettings } from "./settings/open.ts";
import { drained, outputClosed, write } from "./standard-output.ts";

/** Broken lines that are named one by one when the screen is gone. */
const MOST_TOLD = 1000;

export interface ReplayOptions {
  sessions?: string;
  ndjson?: boolean;
  at?: string;
  state?: boolean;
  speed?: number;
  settings?: string;
  plain?: boolean;
}

/** Plays a recorded session: on the screen, as lines, as the log's own lines, or one moment of it as state. */
export async function replay(name: string, options: ReplayOptions): Promise<number> {
  const session = await openSession(name, sessionsRoot(options.sessions, checkout()));
  let damaged = 0;
  const onBroken = ({ line, what }: BrokenLine) => {
    damaged += 1;
    say(`${session.events}:${line}: ${what}; it was passed over`);
  };
  const moment = (start: number): Moment => {
    if (options.at === undefined) return { at: Number.POSITIVE_INFINITY };
    const at = momentOf(options.at, start);
    if (at === undefined)
      throw new UserError(
        `"${options.at}" is no moment: write 2026-11-27T21:04:11Z, 21:04:11 (UTC), +90s from the start, or #123 for a line.`,
        EXIT.usage,
      );
    return at;
  };
  if (options.state) {
    const state = emptyState();
    await upTo(session, moment, onBroken, (event) => reduce(state, event));
    write(toLine(toPlain(state), 1));
  } else if (options.ndjson)
    await upTo(session, moment, onBroken, async (_event, line) => {
      write(line);
      await drained();
    });
  else if (!process.stdout.isTTY || !process.stdin.isTTY) await lines(session, moment, onBroken);
  else {
    const settings = await openSettings(options.settings);
    const { showReplay } = await import("./screen.ts"); // Ink and React are loaded only where there is a screen
    const told: BrokenLine[] = []; // what is said while the screen is there would lie across it
    let untold = 0;
    const recording = Replay.open(session.events, (broken) => {
      if (told.length < MOST_TOLD) told.push(broken);
      else untold += 1;
    });
    if (options.speed !== undefined) recording.speed = options.speed;
    if (options.at !== undefined) recording.seek(moment(Date.parse((await firstEvent(session))?.["@timestamp"] ?? "")));
    else recording.play();
    try {
      const code = await showReplay(recording, session, settings, wantsPlain(options));
      if (code !== EXIT.ok) return code;
    } finally {
      for (const broken of told) onBroken(broken);
      if (untold > 0) say(`${session.events}: ${untold} more lines were passed over; stakeout verify names them all`);
    }
  }
  return damaged ? EXIT.failed : EXIT.ok;
}

/** A moment such as "+90s" counts from it. */
async function firstEvent(session: SessionFolder): Promise<StakeoutEvent | undefined> {
  for await (const { event } of readEvents(session.events, () => {})) return event;
  return undefined;
}

/** Each event up to the moment, in order. */
async function upTo(
  session: SessionFolder,
  moment: (start: number) => Moment,
  onBroken: (broken: BrokenLine) => void,
  each: (event: StakeoutEvent, line: string) => unknown,
): Promise<void> {
  let limit: Moment | undefined;
  for await (const { event, line } of readEvents(session.events, onBroken)) {
    limit ??= moment(Date.parse(event["@timestamp"]));
    if (outputClosed() || !within(event, limit)) return;
    await each(event, line);
  }
}

async function lines(session: SessionFolder, moment: (start: number) => Moment, onBroken: (broken: BrokenLine) => void): Promise<void> {
  const narrator = new Narrator();
  const state = emptyState();
  await upTo(session, moment, onBroken, (event) => {
    reduce(state, event);
    const text = narrator.line(event, state);
    if (text !== undefined) write(text);
  });
  for (const line of narrator.end(state)) write(line);
}
