import { isIP } from "node:net";
import { decodeHostBytes, type HostString } from "#model/host-string";

/** Types of a record, utmp(5). */
export const UTMP = { runLevel: 1, boot: 2, init: 5, login: 6, user: 7, dead: 8 } as const;

/**
 * One record of utmp, wtmp or btmp: who was on which terminal, from where, since when. All of it can be rewritten by root, and the
 * host's name is what the far end or its resolver said.
 */
export interface UtmpRecord {
  /** `ut_type`; 0 is an empty slot. */
  type: number;
  pid: number;
  line: HostString;
  user: HostString;
  host: HostString;
  /** `ut_addr_v6` as text; left out where it is all zero. */
  ip?: string;
  /** Milliseconds since the epoch. */
  at: number;
  /** Every byte is zero: nobody's login has such a record, tools that wipe one do. */
  wiped: boolean;
}

/** A login as wtmp has it. */
export interface Stay {
  record: UtmpRecord;
  /** No end of it is recorded. */
  open: boolean;
}

/**
 * Where the fields are (glibc, bits/utmp.h): x86-64 keeps 32-bit times beside its 32-bit kin, so a record has 384 bytes; aarch64 has
 * no such kin, and 400.
 */
const LAYOUTS = {
  384: { seconds: 340, micros: 344, address: 348, wide: false },
  400: { seconds: 344, micros: 352, address: 360, wide: true },
} as const;
export type UtmpSize = keyof typeof LAYOUTS;

/** Bytes of a record on a machine of that name (as uname -m says it). */
export const utmpSize = (arch: string): UtmpSize => (arch === "aarch64" ? 400 : 384);

const MOST_RECORDS = 10_000;

/**
 * The records of a piece of such a file, in the order of the file. `from` is where in the file the piece begins, since a tail may begin
 * in the middle of a record. Whatever the bytes are, it gives records or nothing: the file is the host's.
 */
export function readUtmp(bytes: Buffer, from: number, size: UtmpSize): UtmpRecord[] {
  const records: UtmpRecord[] = [];
  const first = (size - (from % size)) % size;
  for (let at = first; at + size <= bytes.length && records.length < MOST_RECORDS; at += size)
    records.push(readRecord(bytes.subarray(at, at + size), size));
  return records;
}

function readRecord(bytes: Buffer, size: UtmpSize): UtmpRecord {
  const { seconds, micros, address, wide } = LAYOUTS[size];
  const s = wide ? Number(bytes.readBigInt64LE(seconds)) : bytes.readInt32LE(seconds);
  const us = wide ? Number(bytes.readBigInt64LE(micros)) : bytes.readInt32LE(micros);
  const ip = addressText(bytes.subarray(address, address + 16));
  return {
    type: bytes.readInt16LE(0),
    pid: bytes.readInt32LE(4),
    line: field(bytes, 8, 32),
    user: field(bytes, 44, 32),
    host: field(bytes, 76, 256),
    ...(ip === undefined ? {} : { ip }),
    at: millis(s, us),
    wiped: bytes.every((byte) => byte === 0),
  };
}

/** One record of lastlog: 32-bit times and 292 bytes on x86-64, 64-bit and 296 on aarch64 (glibc, bits/utmp.h, struct lastlog). */
export function readLastlog(bytes: Buffer): { at: number; line: HostString; host: HostString } | undefined {
  const wide = bytes.length === 296;
  if (!wide && bytes.length !== 292) return undefined;
  const seconds = wide ? Number(bytes.readBigInt64LE(0)) : bytes.readInt32LE(0);
  if (seconds <= 0) return undefined;
  const start = wide ? 8 : 4;
  return { at: millis(seconds, 0), line: field(bytes, start, 32), host: field(bytes, start + 32, 256) };
}

/** Times that no Date can hold become the epoch, which is told as 'no time'. */
function millis(seconds: number, micros: number): number {
  const at = seconds * 1000 + Math.trunc(micros / 1000);
  return Number.isFinite(at) && Math.abs(at) < 8.64e15 ? at : 0;
}

function field(bytes: Buffer, at: number, length: number): HostString {
  const raw = bytes.subarray(at, at + length);
  const end = raw.indexOf(0);
  return decodeHostBytes(end < 0 ? raw : raw.subarray(0, end));
}

/** An IPv4 address stands in the first four bytes, with the rest zero (utmp(5)). */
function addressText(bytes: Buffer): string | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined;
  const text = bytes.subarray(4).every((byte) => byte === 0)
    ? bytes.subarray(0, 4).join(".")
    : Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16)).join(":");
  if (isIP(text) === 0) return undefined;
  return isIP(text) === 6 ? plainAddress(text) : text;
}

/** An address as it is usually written, and an IPv4 one that came in IPv6's clothes (RFC 4291, 2.5.5.2) as what it is. */
export function plainAddress(text: string): string {
  if (isIP(text) !== 6 || text.includes("%")) return text;
  const host = new URL(`http://[${text}]/`).hostname.slice(1, -1); // RFC 5952
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host);
  if (!mapped) return host;
  const [high, low] = [Number.parseInt(mapped[1] as string, 16), Number.parseInt(mapped[2] as string, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}
