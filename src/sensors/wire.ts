import { decodeHostBytes, encodeHostString, type HostString } from "#model/host-string";

/**
 * The fields of the collector's wire format: one record a line, fields divided by tabs, list elements by 0x1f; the bytes newline, tab,
 * backslash and 0x1f of a value stand as `\xNN`; all other bytes are raw. A field is handed around as a latin1 string: one character a byte.
 */

/** Thrown by the readers below and caught by the decoder: the line is counted as undecodable. */
export class Malformed extends Error {}

const PLAIN = /^[\x20-\x5b\x5d-\x7e]*$/;
const ESCAPE = /\\(x([0-9a-f]{2}))?/g;

/** A text of the host. @throws Malformed on a backslash that begins no `\xNN`. */
export function text(field: string): HostString {
  if (PLAIN.test(field)) return field as HostString;
  const raw = field.replace(ESCAPE, (_all, good: string | undefined, hex: string) => {
    if (good === undefined) throw new Malformed("a backslash that escapes nothing");
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
  return decodeHostBytes(Buffer.from(raw, "latin1"));
}

/** A text of the host as the bytes of one field, for a request. */
export function escapeField(value: string): Buffer {
  const parts: number[] = [];
  for (const byte of encodeHostString(value)) {
    if (byte === 0x0a || byte === 0x09 || byte === 0x5c || byte === 0x1f)
      parts.push(...Buffer.from(`\\x${byte.toString(16).padStart(2, "0")}`));
    else parts.push(byte);
  }
  return Buffer.from(parts);
}

/** A whole number that a double holds exactly. @throws Malformed */
export function whole(field: string | undefined): number {
  if (field === undefined || !/^-?\d{1,16}$/.test(field)) throw new Malformed("not a number");
  const value = Number(field);
  if (!Number.isSafeInteger(value)) throw new Malformed("a number too large");
  return value;
}

/**
 * Nanoseconds on the boot clock. After 104 days of uptime they pass what a double holds exactly: rounded to 2 ns then, to 4 ns after
 * 208 days, which no time of ours is read to. @throws Malformed
 */
export function bootTime(field: string | undefined): number {
  if (field === undefined || !/^\d{1,19}$/.test(field)) throw new Malformed("not a time");
  return Number(field);
}

/** Linux gives no pid above 4,194,304 (PID_MAX_LIMIT, include/linux/threads.h); 0 stands for none. @throws Malformed */
export function pid(field: string | undefined): number {
  const value = whole(field);
  if (value < 0 || value > 4_194_304) throw new Malformed("not a pid");
  return value;
}

/** Nanoseconds since 1970, which a double does not hold. @throws Malformed */
export function wideNumber(field: string | undefined): bigint {
  if (field === undefined || !/^-?\d{1,19}$/.test(field)) throw new Malformed("not a number");
  return BigInt(field);
}

export function port(field: string | undefined): number {
  const value = whole(field);
  if (value < 0 || value > 65535) throw new Malformed("not a port");
  return value;
}

/**
 * An address of 4 or 16 bytes in hexadecimal, network order, as text: RFC 5952 for IPv6, and an IPv4-mapped address
 * (RFC 4291, 2.5.5.2) as the IPv4 address that it is. The kernel prints them in capitals, and a shell leaves them so. @throws Malformed
 */
export function address(field: string | undefined): string {
  if (field === undefined || !/^(?:[0-9a-f]{8}|[0-9a-f]{32})$/i.test(field)) throw new Malformed("not an address");
  return plainAddress(field.toLowerCase());
}
function plainAddress(field: string): string {
  const mapped = field.startsWith("00000000000000000000ffff") && field.length === 32;
  if (field.length === 8 || mapped) {
    const v4 = Number.parseInt(mapped ? field.slice(24) : field, 16);
    return `${v4 >>> 24}.${(v4 >>> 16) & 255}.${(v4 >>> 8) & 255}.${v4 & 255}`;
  }
  const groups = Array.from({ length: 8 }, (_, i) => Number.parseInt(field.slice(4 * i, 4 * i + 4), 16).toString(16));
  let [start, length] = [0, 0];
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && groups[i + run] === "0") run++;
    if (run > length) [start, length] = [i, run];
  }
  if (length < 2) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}
