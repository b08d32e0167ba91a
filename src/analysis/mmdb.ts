import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const PAGE = 4096;
/** Pages that are held: 2 MB. What is looked up again lies near what was. */
const KEPT = 512;
const MARKER = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");
const DATA_GAP = 16;
/** Maps in maps; real ones have three levels. */
const DEEPEST = 32;
/** Longest string and largest map that is believed. */
const LONGEST = 1 << 16;

/**
 * A MaxMind DB file (https://maxmind.github.io/MaxMind-DB/, version 2.0), read where it lies: a city database is 60 MB, and one
 * look-up needs some forty bytes of it. The system's cache does the rest.
 */
export class Mmdb {
  readonly #file: number;
  readonly #size: number;
  readonly #pages = new Map<number, Buffer>();
  readonly #nodes: number;
  readonly #recordBits: number;
  readonly #data: number;
  readonly ipVersion: number;
  readonly built: Date;
  /** What it calls itself, "GeoLite2-City"; printable, empty where it says nothing. */
  readonly type: string;

  /** Throws when the file cannot be read or is no such database. */
  constructor(path: string) {
    this.#file = openSync(path, "r");
    try {
      this.#size = fstatSync(this.#file).size;
      const tail = Buffer.alloc(Math.min(this.#size, 128 << 10)); // where the specification looks for it
      readSync(this.#file, tail, 0, tail.length, this.#size - tail.length);
      const at = tail.lastIndexOf(MARKER);
      if (at < 0) throw new Error(`${path} is no MaxMind DB file: it has no metadata`);
      this.#data = this.#size - tail.length + at + MARKER.length; // pointers within the metadata count from its own start
      const about = this.#decode(this.#data, 0).value as Record<string, unknown>;
      const [nodes, bits, version] = [about["node_count"], about["record_size"], about["ip_version"]];
      if (typeof nodes !== "number" || typeof version !== "number" || (bits !== 24 && bits !== 28 && bits !== 32))
        throw new Error(`${path} is a MaxMind DB file of a kind that is not known`);
      [this.#nodes, this.#recordBits, this.ipVersion] = [nodes, bits, version];
      this.built = new Date(Number(about["build_epoch"] ?? 0) * 1000);
      this.type = String(about["database_type"] ?? "")
        .replace(/[^ -~]/g, "")
        .slice(0, 60);
      this.#data = nodes * (bits / 4) + DATA_GAP;
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  /** What the file says of an address of 4 or 16 bytes, as many as its own kind has; undefined when it says nothing, or is damaged. */
  get(address: readonly number[]): unknown {
    try {
      let node = 0;
      for (let bit = 0; bit < address.length * 8 && node < this.#nodes; bit++)
        node = this.#record(node, (((address[bit >> 3] as number) >> (7 - (bit & 7))) & 1) === 1);
      return node > this.#nodes ? this.#decode(this.#data + node - this.#nodes - DATA_GAP, 0).value : undefined;
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  #record(node: number, right: boolean): number {
    const at = node * (this.#recordBits / 4);
    if (this.#recordBits === 24) return this.#number(at + (right ? 3 : 0), 3);
    if (this.#recordBits === 32) return this.#number(at + (right ? 4 : 0), 4);
    const middle = this.#byte(at + 3);
    return (right ? middle & 15 : middle >> 4) * 2 ** 24 + this.#number(at + (right ? 4 : 0), 3);
  }

  /** The value at `at`, and where the next begins. */
  #decode(at: number, depth: number): { value: unknown; next: number } {
    if (depth > DEEPEST) throw new RangeError("nested too deep");
    const control = this.#byte(at);
    let next = at + 1;
    let type = control >> 5;
    if (type === 1) return this.#pointer(control, next, depth);
    if (type === 0) type = 7 + this.#byte(next++);
    let size = control & 31;
    if (size >= 29) {
      const more = size - 28;
      size = [29, 285, 65_821][more - 1] as number;
      size += this.#number(next, more);
      next += more;
    }
    if (type === 14) return { value: size !== 0, next };
    if (size > LONGEST) throw new RangeError("too large");
    if (type === 7) return this.#map(size, next, depth);
    if (type === 11) {
      const list: unknown[] = [];
      for (let i = 0; i < size; i++) {
        const one = this.#decode(next, depth + 1);
        list.push(one.value);
        next = one.next;
      }
      return { value: list, next };
    }
    return { value: this.#scalar(type, this.#bytes(next, size)), next: next + size };
  }

  #pointer(control: number, at: number, depth: number): { value: unknown; next: number } {
    const size = (control >> 3) & 3;
    const value = this.#number(at, size + 1) + (size === 3 ? 0 : (control & 7) * 2 ** (8 * (size + 1)));
    const target = this.#data + value + ([0, 2048, 526_336, 0][size] as number);
    return { value: this.#decode(target, depth + 1).value, next: at + size + 1 };
  }

  #map(size: number, at: number, depth: number): { value: unknown; next: number } {
    const map: Record<string, unknown> = {};
    let next = at;
    for (let i = 0; i < size; i++) {
      const key = this.#decode(next, depth + 1);
      const value = this.#decode(key.next, depth + 1);
      Object.defineProperty(map, String(key.value), { value: value.value, enumerable: true, configurable: true });
      next = value.next;
    }
    return { value: map, next };
  }

  #scalar(type: number, bytes: Buffer): unknown {
    if (type === 2) return bytes.toString("utf8");
    if (type === 3 && bytes.length === 8) return bytes.readDoubleBE();
    if (type === 15 && bytes.length === 4) return bytes.readFloatBE();
    if (type === 8) return bytes.length === 0 ? 0 : bytes.readIntBE(0, Math.min(4, bytes.length));
    if (type === 5 || type === 6 || type === 9) return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
    return undefined; // bytes and 128-bit numbers: no database of places has one that we read
  }

  #number(at: number, bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + this.#byte(at + i);
    return value;
  }

  #bytes(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let i = 0; i < length; i++) bytes[i] = this.#byte(at + i);
    return bytes;
  }

  #byte(at: number): number {
    if (!(at >= 0 && at < this.#size)) throw new RangeError("outside of the file");
    const number = Math.floor(at / PAGE);
    let page = this.#pages.get(number);
    if (!page) {
      page = Buffer.alloc(PAGE);
      readSync(this.#file, page, 0, PAGE, number * PAGE);
      if (this.#pages.size >= KEPT) this.#pages.delete(this.#pages.keys().next().value as number);
      this.#pages.set(number, page);
    }
    return page[at % PAGE] as number;
  }
}
