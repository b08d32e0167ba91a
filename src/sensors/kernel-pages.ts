import { Malformed } from "./wire.ts";

/** A kernel event of lineage, as a page of the trace holds it. Pids are the kernel's thread ids, `ts` nanoseconds on the boot clock. */
export type KernelEvent =
  | { code: "e"; ts: number; pid: number; old: number; file: Buffer }
  | { code: "n"; ts: number; by: number; pid: number; flags: number }
  | { code: "x"; ts: number; pid: number; groupDead: boolean | undefined }
  /** A signal that `by` sends, and a task that `by` waits for to stand still, which is what a tracer does. */
  | { code: "g"; ts: number; by: number; signal: number; pid: number }
  | { code: "t"; ts: number; by: number; pid: number }
  /** A route that is looked up for UDP: whoever sends, from where, to where; addresses as in a socket's event. */
  | { code: "d"; ts: number; flags: number; by: number; sport: number; dport: number; source: string; destination: string }
  | {
      code: "s";
      ts: number;
      flags: number;
      by: number;
      /** Address of the kernel's socket. */
      sk: bigint;
      from: number;
      to: number;
      sport: number;
      dport: number;
      /** 4 or 16 bytes in hexadecimal, network order. */
      source: string;
      destination: string;
    };

interface Field {
  offset: number;
  size: number;
}
type Fields = readonly (Field | undefined)[];
/** Fields of each event, in the order in which the collector tells where they lie. */
const FIELDS = { e: 3, n: 3, x: 2, s: 12, d: 6, "6": 6, g: 3, t: 2 } as const;

/** How events of this boot are laid out: what the collector read in the kernel's `format` files, told once before the first page. */
export class PageFormat {
  #data = 16;
  readonly #events = new Map<number, { code: keyof typeof FIELDS; fields: Fields }>();

  /** A record `D code id data offset:size...`; `data` is the length of a page's head. @throws Malformed */
  learn(record: readonly string[]): void {
    const [, code = "", id = "", data = "", ...told] = record;
    if (!/^\d{1,5}$/.test(id) || !/^\d{1,3}$/.test(data)) throw new Malformed("not the format of an event");
    if (!isCode(code) || told.length !== FIELDS[code]) throw new Malformed("an event we do not know");
    const fields = told.map((place) => {
      if (place === "") return undefined;
      const [, offset, size] = /^(\d{1,4}):(1|2|4|8|16)$/.exec(place) ?? [];
      if (offset === undefined) throw new Malformed("not a place in an event");
      return { offset: Number(offset), size: Number(size) };
    });
    this.#data = Number(data);
    this.#events.set(Number(id), { code, fields });
  }

  /**
   * The events of one page of the ring buffer (kernel/trace/ring_buffer.c: time stamp, commit, then events whose first word has
   * 5 bits of type or length and 27 of time since the one before). @throws Malformed where one does not lie within its page
   */
  *events(page: Buffer): Generator<KernelEvent> {
    if (page.length < this.#data || this.#data < 16) throw new Malformed("a page without a head");
    let ts = page.readUInt32LE(0) + page.readUInt32LE(4) * 2 ** 32;
    const end = this.#data + (page.readUInt32LE(8) & 0xfffff);
    if (end > page.length) throw new Malformed("a page that is cut");
    for (let at = this.#data; at + 4 <= end; ) {
      const head = page.readUInt32LE(at);
      const [kind, delta] = [head & 31, head >>> 5];
      at += 4;
      if (kind > 28 || kind === 0) {
        if (kind === 29 && delta === 0) return; // padding to the end
        if (at + 4 > end) throw new Malformed("an event that is cut");
        const word = page.readUInt32LE(at);
        if (kind === 30) ts += word * 2 ** 27 + delta;
        else if (kind === 31) ts = word * 2 ** 27 + delta;
        if (kind >= 30) at += 4;
        else if (word < 4) throw new Malformed("an event without a length");
        else if (kind === 29) at += word;
        else {
          ts += delta;
          if (at + word > end) throw new Malformed("an event that is cut");
          yield* this.#event(ts, page.subarray(at + 4, at + word));
          at += word;
        }
        continue;
      }
      ts += delta;
      if (at + 4 * kind > end) throw new Malformed("an event that is cut");
      yield* this.#event(ts, page.subarray(at, at + 4 * kind));
      at += 4 * kind;
    }
  }

  *#event(ts: number, bytes: Buffer): Generator<KernelEvent> {
    const format = bytes.length < 2 ? undefined : this.#events.get(bytes.readUInt16LE(0));
    if (format === undefined) return;
    const { code, fields } = format;
    const n = (i: number) => unsigned(bytes, fields[i]) ?? 0;
    if (code === "e") {
      const where = n(0); // __data_loc: offset in the low half, length with its NUL in the high half
      const [from, length] = [where & 0xffff, where >>> 16];
      if (length === 0 || from + length > bytes.length) throw new Malformed("a file name outside its event");
      yield { code, ts, pid: n(1), old: n(2), file: bytes.subarray(from, from + length - 1) };
    } else if (code === "n") yield { code, ts, by: n(0), pid: n(1), flags: n(2) };
    else if (code === "g") yield { code, ts, by: n(0), signal: n(1), pid: n(2) };
    else if (code === "t") yield { code, ts, by: n(0), pid: n(1) };
    else if (code === "x") {
      const dead = unsigned(bytes, fields[1]);
      yield { code, ts, pid: n(0), groupDead: dead === undefined ? undefined : dead !== 0 };
    } else if (code === "d" || code === "6") {
      const ends = { source: hexadecimal(bytes, fields[4]), destination: hexadecimal(bytes, fields[5]) };
      yield { code: "d", ts, flags: n(0), by: n(1), sport: n(2), dport: n(3), ...ends };
    } else {
      const v4 = n(5) === 2; // AF_INET
      const ends = { source: hexadecimal(bytes, fields[v4 ? 8 : 10]), destination: hexadecimal(bytes, fields[v4 ? 9 : 11]) };
      const sk = pointer(bytes, fields[2]);
      yield { code, ts, flags: n(0), by: n(1), sk, from: n(3), to: n(4), sport: n(6), dport: n(7), ...ends };
    }
  }
}

const isCode = (code: string): code is keyof typeof FIELDS => Object.hasOwn(FIELDS, code);

function place(bytes: Buffer, field: Field | undefined): Buffer {
  if (field === undefined || field.offset + field.size > bytes.length) throw new Malformed("a field outside its event");
  return bytes.subarray(field.offset, field.offset + field.size);
}
/** A number, of whose eight bytes only the low four matter here; undefined if this kernel does not tell it. */
function unsigned(bytes: Buffer, field: Field | undefined): number | undefined {
  return field && place(bytes, field).readUIntLE(0, Math.min(4, field.size));
}
/** A kernel address, by which alone one socket is told from another: as wide as this kernel's words. */
function pointer(bytes: Buffer, field: Field | undefined): bigint {
  const told = place(bytes, field);
  if (told.length === 8) return told.readBigUInt64LE();
  if (told.length === 4) return BigInt(told.readUInt32LE());
  throw new Malformed("an address that is no word of a kernel");
}
const hexadecimal = (bytes: Buffer, field: Field | undefined) => place(bytes, field).toString("hex");
