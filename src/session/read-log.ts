import type { StakeoutEvent } from "#model/event";
import { GENESIS, sha256 } from "./event-log.ts";
import { logLines } from "./log-lines.ts";
import { parseEvent } from "./schema.ts";

/** A line that is not an event any more. */
export interface BrokenLine {
  line: number;
  what: string;
}

/** Called with an event of a log, its line, and where that lies in the file (bytes). */
export type EachEvent = (event: StakeoutEvent, line: string, offset: number, length: number) => void;

/**
 * Calls `each` with the events of a log, in order, and yields after each stretch how many bytes of the file it has seen: whoever
 * iterates gives the pace. A broken line is told to `onBroken` and passed over, a cut tail likewise.
 */
export function eachEvent(file: string, onBroken: (broken: BrokenLine) => void, each: EachEvent): AsyncGenerator<number> {
  return logLines(file, ({ bytes, from, to, number, offset, complete }) => {
    const line = bytes.toString("utf8", from, to);
    const event = parseEvent(line);
    if (typeof event !== "string") each(event, line, offset, to - from);
    else if (complete) onBroken({ line: number, what: event });
    else
      onBroken({ line: number, what: `the recording was cut off in the middle of this line; the ${number - 1} lines before it are whole` });
  });
}

/** The events of a log with their lines, one after the other, for whoever waits between them, or wants no more than the first. */
export async function* readEvents(
  file: string,
  onBroken: (broken: BrokenLine) => void,
): AsyncGenerator<{ event: StakeoutEvent; line: string }> {
  let batch: ({ event: StakeoutEvent; line: string } | BrokenLine)[] = [];
  const reading = eachEvent(
    file,
    (broken) => batch.push(broken),
    (event, line) => batch.push({ event, line }),
  );
  for await (const _ of reading) {
    const stretch = batch;
    batch = [];
    for (const one of stretch) {
      if ("event" in one) yield one;
      else onBroken(one);
    }
  }
}

export interface Verification {
  ok: boolean;
  events: number;
  /** sha256 of the last line. */
  head: string;
  broken: BrokenLine[];
}

/**
 * Checks the chain: every line must be an event, carry the next sequence number and the sha256 of the line before it; the last must
 * have the hash that session.json names (`sealed`), where it was closed. Of two neighbours that disagree the one that its own
 * successor does not vouch for is named.
 */
export async function verifyLog(file: string, sealed?: { sequence: number; sha256: string }): Promise<Verification> {
  const broken: BrokenLine[] = [];
  let previous = { hash: GENESIS, number: 0 };
  /** A line whose `prev` did not match: whether it or the one before it is damaged is known at the next line. */
  let doubt: { number: number; hash: string } | undefined;
  let events = 0;
  const blame = (number: number, what: string) => {
    if (broken.at(-1)?.line !== number) broken.push({ line: number, what });
  };
  const settle = (vouched: boolean) => {
    if (!doubt) return;
    if (vouched) blame(doubt.number - 1, "its bytes are not those that the next line's hash was made of");
    else blame(doubt.number, "its bytes were changed: neither the line before it nor the one after it fits");
    doubt = undefined;
  };
  const lines = logLines(file, ({ bytes, from, to, number, complete }) => {
    const hash = sha256(bytes.subarray(from, to));
    const event = parseEvent(bytes.toString("utf8", from, to));
    if (typeof event === "string") {
      settle(false);
      blame(number, complete ? event : "the recording was cut off in the middle of this line");
      previous = { hash: "", number };
      return;
    }
    events += 1;
    if (doubt) settle(event.stakeout.prev === doubt.hash);
    if (event.stakeout.prev !== previous.hash && previous.hash !== "") {
      if (number === 1) blame(1, "it does not begin the chain");
      else doubt = { number, hash };
    } else if (event.event.sequence !== number) blame(number, `it has sequence ${event.event.sequence}, not ${number}`);
    previous = { hash, number };
  });
  for await (const _ of lines); // a stretch at a time
  if (doubt && sealed) settle(sealed.sha256 === doubt.hash);
  else if (doubt) blame(doubt.number - 1, `its bytes, or the hash of them in line ${doubt.number}, were changed (no seal tells which)`);
  if (sealed && broken.length === 0) {
    if (previous.number < sealed.sequence)
      blame(previous.number + 1, `it is missing: session.json names ${sealed.sequence} lines, the log has ${previous.number}`);
    else if (previous.number > sealed.sequence)
      blame(sealed.sequence + 1, `it was added after the session was sealed with ${sealed.sequence} lines`);
    else if (previous.hash !== sealed.sha256) blame(previous.number, "its hash is not the one that session.json was sealed with");
  }
  return { ok: broken.length === 0, events, head: previous.hash, broken };
}
