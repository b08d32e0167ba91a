interface Tail {
  readonly host: unknown;
  readonly stakeout: Record<string, unknown>;
}

/** What most lines of a session end with, but for the hash: the host and the sensor, the same for thousands of lines. */
const tails = new Map<string, Tail | undefined>();
const MOST_TAILS = 64;
const LONGEST_TAIL = 1024;

const HOST = ',"host":{';
const TIER = '"tier":"';
const PREV = ',"prev":"';
/** `,"prev":"`, 64 digits, `"}}`. */
const HASHED = PREV.length + 64 + 3;

/**
 * `JSON.parse` of a line of a log, a fifth sooner: what it ends with is made once, and shared by the events that have it (and frozen). Where
 * a line is not as we write it, it is JSON.parse itself. Throws as that does.
 */
export function parseLine(line: string): unknown {
  const end = line.length - HASHED;
  const tier = end > 0 && line.startsWith(PREV, end) && line.endsWith('"}}') ? line.lastIndexOf(TIER, end) : -1;
  // the tier is the last but the hash: else the line has something of its own there
  if (tier < 0 || line.indexOf('"', tier + TIER.length) !== end - 1) return JSON.parse(line);
  const start = line.lastIndexOf(HOST, tier);
  if (start < 0 || end - start > LONGEST_TAIL || !digits(line, end + PREV.length)) return JSON.parse(line);
  const tail = tailOf(line.slice(start + 1, end));
  const head = tail && headOf(line.slice(0, start));
  if (!head) return JSON.parse(line);
  head["host"] = tail.host;
  head["stakeout"] = { ...tail.stakeout, prev: line.slice(end + PREV.length, -3) };
  return head;
}

/** A hash: 64 hexadecimal digits, in small letters as we write them. */
function digits(line: string, from: number): boolean {
  for (let at = from; at < from + 64; at++) {
    const code = line.charCodeAt(at);
    if (!((code >= 48 && code <= 57) || (code >= 97 && code <= 102))) return false;
  }
  return true;
}

/** The members before the tail. Where they are an object by themselves, the tail's stand in the same one, and in no string. */
function headOf(text: string): Record<string, unknown> | undefined {
  try {
    const head = JSON.parse(`${text}}`) as Record<string, unknown>;
    for (const _ in head) return head; // of nothing, the comma that follows would be one too many
  } catch {
    // JSON.parse has the last word on the whole line
  }
  return undefined;
}

function tailOf(text: string): Tail | undefined {
  if (tails.has(text)) return tails.get(text);
  if (tails.size >= MOST_TAILS) tails.clear();
  let tail: Tail | undefined;
  try {
    const { host, stakeout, ...more } = JSON.parse(`{${text}}}`) as Record<string, unknown>;
    if (Object.keys(more).length === 0 && typeof stakeout === "object" && stakeout !== null && !Array.isArray(stakeout))
      tail = { host: frozen(host), stakeout: frozen(stakeout) as Record<string, unknown> };
  } catch {
    tail = undefined;
  }
  tails.set(text, tail);
  return tail;
}

function frozen(value: unknown): unknown {
  if (typeof value === "object" && value !== null) {
    for (const one of Object.values(value)) frozen(one);
    Object.freeze(value);
  }
  return value;
}
