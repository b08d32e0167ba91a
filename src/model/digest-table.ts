const GROWTH = 2;

/**
 * Digests of one length with words for each: some 20 bytes an entry beside the digest, since a national list of known programs has
 * millions. The digests are whole: a shorter one could be met by a file that was made for it.
 */
export class DigestTable {
  readonly #width: number;
  #digests: Buffer;
  /** Number of the entry's words, 0 for none. */
  #saying = new Uint32Array(1024);
  /** Open addressing by a digest's first four bytes; 1 and more are entries. */
  #slots = new Uint32Array(4096);
  #count = 0;
  readonly #words: string[] = [""];
  readonly #numbers = new Map<string, number>();

  /** `width`: bytes of a digest. */
  constructor(width: number) {
    this.#width = width;
    this.#digests = Buffer.alloc(width * 1024);
  }

  get size(): number {
    return this.#count;
  }

  /** `hex`: the digest, hexadecimal; one of another length is not taken. What is there already keeps its words. */
  add(hex: string, words = ""): void {
    const digest = Buffer.from(hex, "hex");
    if (digest.length !== this.#width || this.#at(digest) > 0) return;
    if (this.#count * 2 >= this.#slots.length) this.#rehash(this.#slots.length * GROWTH);
    if (this.#count === this.#saying.length) {
      this.#digests = Buffer.concat([this.#digests], this.#digests.length * GROWTH);
      const more = new Uint32Array(this.#saying.length * GROWTH);
      more.set(this.#saying);
      this.#saying = more;
    }
    digest.copy(this.#digests, this.#count * this.#width);
    this.#saying[this.#count] = this.#number(words);
    this.#count += 1;
    this.#put(this.#count);
  }

  /** The words of a digest, "" for none; undefined where it is not in the table. */
  find(hex: string): string | undefined {
    const digest = Buffer.from(hex, "hex");
    const entry = digest.length === this.#width ? this.#at(digest) : 0;
    return entry === 0 ? undefined : this.#words[this.#saying[entry - 1] as number];
  }

  #number(words: string): number {
    if (words === "") return 0;
    let number = this.#numbers.get(words);
    if (number === undefined) {
      number = this.#words.push(words) - 1;
      this.#numbers.set(words, number);
    }
    return number;
  }

  /** The entry of a digest, 0 for none. */
  #at(digest: Buffer): number {
    const mask = this.#slots.length - 1;
    for (let slot = digest.readUInt32LE(0) & mask; ; slot = (slot + 1) & mask) {
      const entry = this.#slots[slot] as number;
      if (entry === 0) return 0;
      if (digest.compare(this.#digests, (entry - 1) * this.#width, entry * this.#width) === 0) return entry;
    }
  }

  #put(entry: number): void {
    const mask = this.#slots.length - 1;
    let slot = this.#digests.readUInt32LE((entry - 1) * this.#width) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = entry;
  }

  #rehash(length: number): void {
    this.#slots = new Uint32Array(length);
    for (let entry = 1; entry <= this.#count; entry++) this.#put(entry);
  }
}
