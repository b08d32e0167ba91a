import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { endianness } from "node:os";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";
import type { AutonomousSystem } from "#model/event";
import { publicAddress } from "./geo.ts";

/** The packed table beside the bundle; its name is put in by the build. */
declare const ASN_TABLE: string;
const unpack = promisify(brotliDecompress);

/**
 * Which autonomous system announces an address. Made by src/bootstrap/pack-asn.mjs, which says the format.
 * Data: IP to ASN by DB-IP (CC BY 4.0) and Route Views (CC BY 4.0).
 */
export class AsDatabase {
  readonly #v4: Table<number>;
  #v6: Table<bigint> | (() => Table<bigint>);
  readonly #names: string[];
  /** Version of the packed table: the date it was made. */
  readonly version: string;

  private constructor(raw: Buffer) {
    const headerSize = raw.readUInt32LE(0);
    const header = JSON.parse(raw.toString("utf8", 4, 4 + headerSize)) as { version: string; v4: number; v6: number };
    this.version = header.version;
    let at = 4 + headerSize;
    const column = (length: number): Uint32Array => {
      const bytes = raw.subarray(at, at + length * 4);
      at += length * 4;
      if (endianness() === "LE") return new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
      return Uint32Array.from({ length }, (_, i) => bytes.readUInt32LE(i * 4));
    };
    const start = column(header.v4);
    const end = column(header.v4);
    for (let i = 0; i < start.length; i++) {
      start[i] = (start[i] as number) + (i ? (start[i - 1] as number) : 0);
      end[i] = (end[i] as number) + (start[i] as number);
    }
    this.#v4 = { start, end, owner: column(header.v4) };
    const [high, low, lengthHigh, lengthLow, owner] = [
      column(header.v6),
      column(header.v6),
      column(header.v6),
      column(header.v6),
      column(header.v6),
    ];
    // Hundreds of thousands of big integers: made when the first v6 address asks for them.
    this.#v6 = () => {
      const join = (a: Uint32Array, b: Uint32Array, i: number) => (BigInt(a[i] as number) << 32n) | BigInt(b[i] as number);
      const start = BigUint64Array.from({ length: header.v6 }, (_, i) => join(high, low, i));
      const end = BigUint64Array.from({ length: header.v6 }, (_, i) => (start[i] as bigint) + join(lengthHigh, lengthLow, i));
      return { start, end, owner };
    };
    this.#names = raw.toString("utf8", at).split("\n");
  }

  /** Undefined when the table is missing: then no address has a network, and the console says so. */
  static async open(): Promise<AsDatabase | undefined> {
    try {
      const packed = typeof ASN_TABLE === "string" ? new URL(ASN_TABLE, import.meta.url) : builtTable();
      return new AsDatabase(await unpack(await readFile(packed)));
    } catch {
      return undefined;
    }
  }

  lookup(address: string): AutonomousSystem | undefined {
    const ip = publicAddress(address);
    if (!ip) return undefined;
    const bytes = Buffer.from(ip.toByteArray());
    if (ip.kind() === "ipv6" && typeof this.#v6 === "function") this.#v6 = this.#v6();
    const owner = ip.kind() === "ipv4" ? find(this.#v4, bytes.readUInt32BE(0)) : find(this.#v6 as Table<bigint>, bytes.readBigUInt64BE(0));
    const [number, name] = this.#names[owner ?? -1]?.split("\t") ?? [];
    return number === undefined ? undefined : { number: Number(number), ...(name ? { organization: { name } } : {}) };
  }
}

/** Run from source (the unit tests): the table that the build of this checkout left. */
function builtTable(): URL {
  const { version } = createRequire(import.meta.url)("@ip-location-db/asn/package.json") as { version: string };
  return new URL(`../../dist/asn-${version}.bin.br`, import.meta.url);
}

interface Table<T extends number | bigint> {
  start: ArrayLike<T>;
  end: ArrayLike<T>;
  owner: Uint32Array;
}

function find<T extends number | bigint>(table: Table<T>, value: T): number | undefined {
  let [low, high] = [0, table.start.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    if ((table.start[middle] as T) <= value) low = middle + 1;
    else high = middle - 1;
  }
  return high >= 0 && value <= (table.end[high] as T) ? table.owner[high] : undefined;
}
