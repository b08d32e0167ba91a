/** Times in State are milliseconds since the epoch on the host's clock (fractions kept). */
export type Millis = number;

/** The minute that was parsed last, "2026-11-27T21:04:", and when it began. Events come in order: mostly the next is in it too. */
let [minute, began] = ["", 0];

const digit = (text: string, at: number) => text.charCodeAt(at) - 48;

/**
 * `Date.parse` of a log's time: milliseconds since the epoch. The form that the log has, "2026-11-27T21:04:11.123456Z", takes a fifth
 * of the time, and every event has one or two. Whatever else it is given is Date.parse's.
 */
export function parseTime(text: string): Millis {
  if (text !== last) [last, was] = [text, parsed(text)];
  return was;
}

/** The text that was parsed last: of an event it is asked for more than once. */
let [last, was] = ["", Number.NaN];

function parsed(text: string): Millis {
  if (text.length !== 27 || text.charCodeAt(19) !== 46 || text.charCodeAt(26) !== 90) return Date.parse(text);
  const seconds = digit(text, 17) * 10 + digit(text, 18);
  const millis = digit(text, 20) * 100 + digit(text, 21) * 10 + digit(text, 22);
  for (let at = 17; at < 26; at++) if (at !== 19 && !(digit(text, at) >= 0 && digit(text, at) <= 9)) return Date.parse(text);
  if (seconds > 59) return Date.parse(text);
  if (!text.startsWith(minute) || minute === "") {
    const start = Date.parse(`${text.slice(0, 17)}00.000Z`);
    if (Number.isNaN(start)) return start;
    [minute, began] = [text.slice(0, 17), start];
  }
  return began + seconds * 1000 + millis;
}
