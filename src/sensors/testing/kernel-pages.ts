/** Events and pages of a 6.x kernel's ring buffer, made for tests; fields lie where {@link FORMATS} says. */

/** Where fields lie on a 6.x kernel, as the collector tells it. */
export const FORMATS = [
  "D\te\t316\t16\t8:4\t12:4\t16:4",
  "D\tx\t319\t16\t24:4\t32:1",
  "D\tn\t130\t16\t4:4\t8:4\t28:8",
  "D\tg\t261\t16\t4:4\t8:4\t36:4",
  "D\tt\t368\t16\t4:4\t12:4",
  "D\td\t2264\t16\t2:1\t4:4\t56:2\t58:2\t28:4\t32:4",
  "D\t6\t2315\t16\t2:1\t4:4\t64:2\t66:2\t31:16\t47:16",
  "D\ts\t1500\t16\t2:1\t4:4\t8:8\t16:4\t20:4\t28:2\t24:2\t26:2\t32:4\t36:4\t40:16\t56:16",
];
/** One event: id, thread id, and numbers [offset, size, value] or bytes [offset, bytes]. */
export function event(id: number, by: number, length: number, ...fields: ([number, number, number] | [number, Buffer])[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil(length / 4) * 4);
  bytes.writeUInt16LE(id, 0);
  bytes.writeUInt32LE(by, 4);
  for (const [at, what, value] of fields) {
    if (typeof what === "number") bytes.writeUIntLE(value as number, at, what);
    else what.copy(bytes, at);
  }
  return bytes;
}
export const exec = (pid: number, file: string, old = pid) =>
  event(316, pid, 21 + file.length, [8, 4, 20 + ((file.length + 1) << 16)], [12, 4, pid], [16, 4, old], [20, Buffer.from(file, "latin1")]);
export const fork = (by: number, pid: number, flags = 0x1200011) => event(130, by, 36, [8, 4, pid], [28, 4, flags]);
export const exit = (pid: number, groupDead: boolean) => event(319, pid, 36, [24, 4, pid], [32, 1, groupDead ? 1 : 0]);
export const signal = (by: number, number: number, pid: number) => event(261, by, 48, [8, 4, number], [36, 4, pid]);
export const waits = (by: number, pid: number) => event(368, by, 28, [12, 4, pid]);
export const tcp = (by: number, sk: number, from: number, to: number, flags = 0) =>
  event(
    1500,
    by,
    72,
    ...([
      [2, 1, flags],
      [8, 4, sk],
      [16, 4, from],
      [20, 4, to],
      [24, 2, 40000],
      [26, 2, 443],
      [28, 2, 2],
    ] as [number, number, number][]),
    [32, Buffer.from([10, 0, 0, 5])],
    [36, Buffer.from([203, 0, 113, 66])],
  );

/** A page whose events are `step` ns apart; the first has the page's time. */
export function pageBytes(ts: number, events: Buffer[], step = 10): Buffer {
  const parts = events.flatMap((bytes, i) => {
    const head = Buffer.alloc(bytes.length > 112 ? 8 : 4);
    head.writeUInt32LE((((i === 0 ? 0 : step) << 5) | (bytes.length > 112 ? 0 : bytes.length / 4)) >>> 0);
    if (bytes.length > 112) head.writeUInt32LE(bytes.length + 4, 4);
    return [head, bytes];
  });
  const data = Buffer.concat(parts);
  const head = Buffer.alloc(16);
  head.writeBigUInt64LE(BigInt(ts));
  head.writeUInt32LE(data.length, 8);
  return Buffer.concat([head, data]);
}
