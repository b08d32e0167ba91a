// Packs the autonomous-system tables (CSV, 41 MB) into what src/analysis/as.ts reads (about 3 MB): columns of integers, each column
// as differences, so that brotli finds the repetition. v6 keeps the upper 64 bits: no network of the table that matters is smaller.
// Data: IP to ASN by DB-IP (CC BY 4.0) and Route Views (CC BY 4.0); see the README.
import { createReadStream, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { brotliCompressSync, constants } from "node:zlib";

const require = createRequire(import.meta.url);

async function rows(file, each) {
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const match = /^(\d+),(\d+),(\d+),(.*)$/.exec(line);
    if (match) each(match[1], match[2], Number(match[3]), match[4].replace(/^"|"$/g, "").replaceAll('""', '"'));
  }
}

/** Writes the packed table to `file`; returns the number of networks in it. */
export async function packAsn(file) {
  const folder = dirname(require.resolve("@ip-location-db/asn/package.json"));
  const { version } = require("@ip-location-db/asn/package.json");
  const organisations = new Map();
  const index = (number, name) => {
    const key = `${number}\t${name}`;
    const known = organisations.get(key);
    if (known !== undefined) return known;
    organisations.set(key, organisations.size);
    return organisations.size - 1;
  };
  const v4 = { start: [], length: [], owner: [] };
  let last = 0;
  await rows(join(folder, "asn-ipv4-num.csv"), (from, to, number, name) => {
    v4.start.push(Number(from) - last);
    v4.length.push(Number(to) - Number(from));
    v4.owner.push(index(number, name));
    last = Number(from);
  });
  const v6 = { high: [], low: [], lengthHigh: [], lengthLow: [], owner: [] };
  const half = (value, shift) => Number((value >> shift) & 0xffffffffn);
  await rows(join(folder, "asn-ipv6-num.csv"), (from, to, number, name) => {
    const start = BigInt(from) >> 64n;
    const size = (BigInt(to) >> 64n) - start;
    v6.high.push(half(start, 32n));
    v6.low.push(half(start, 0n));
    v6.lengthHigh.push(half(size, 32n));
    v6.lengthLow.push(half(size, 0n));
    v6.owner.push(index(number, name));
  });
  const text = Buffer.from([...organisations.keys()].join("\n"));
  const columns = [v4.start, v4.length, v4.owner, v6.high, v6.low, v6.lengthHigh, v6.lengthLow, v6.owner];
  const header = Buffer.from(JSON.stringify({ version, v4: v4.start.length, v6: v6.high.length, text: text.length }));
  const size = Buffer.alloc(4);
  size.writeUInt32LE(header.length);
  const raw = Buffer.concat([size, header, ...columns.map((column) => Buffer.from(Uint32Array.from(column).buffer)), text]);
  writeFileSync(file, brotliCompressSync(raw, { params: { [constants.BROTLI_PARAM_QUALITY]: 6, [constants.BROTLI_PARAM_LGWIN]: 22 } }));
  return v4.start.length + v6.high.length;
}
