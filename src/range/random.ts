/** Numbers that depend on the seed alone (mulberry32, a 32-bit generator: for stories, not for secrets). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 <= x < 1 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  shuffle<T>(items: readonly T[]): T[] {
    const left = [...items];
    const out: T[] = [];
    while (left.length > 0) out.push(...left.splice(this.between(0, left.length - 1), 1));
    return out;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.between(0, 255));
  }

  /** A name such as droppers give to their files: lower-case letters and digits, a letter first. */
  name(length = 9): string {
    const letters = "abcdefghijklmnopqrstuvwxyz";
    const pick = (from: string) => from[this.between(0, from.length - 1)] as string;
    return pick(letters) + Array.from({ length: length - 1 }, () => pick(`${letters}0123456789`)).join("");
  }
}
