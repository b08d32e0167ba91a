/** Of the oldest so many are looked at when one has to go. */
const LOOKED_AT = 64;

/**
 * A map that takes no more than `most` keys: a hostile host can invent as many as it likes. What did not fit is counted. Where `weigh` is
 * given, of the oldest the lightest gives way to a new key, so that nobody fills it before he does what is to be told; else a new one
 * finds no room.
 */
export class Tally<V> extends Map<string, V> {
  readonly #most: number;
  readonly #make: (key: string) => V;
  readonly #weigh: ((value: V) => number) | undefined;
  leftOut = 0;

  constructor(make: (key: string) => V, most = 5000, weigh?: (value: V) => number) {
    super();
    this.#make = make;
    this.#most = most;
    this.#weigh = weigh;
  }

  /** The value of `key`, made if need be; undefined when there is no more room. */
  at(key: string): V | undefined {
    const known = this.get(key);
    if (known !== undefined) return known;
    if (this.size >= this.#most && !this.#letGo()) {
      this.leftOut += 1;
      return undefined;
    }
    const made = this.#make(key);
    this.set(key, made);
    return made;
  }

  /** False where none may go. */
  #letGo(): boolean {
    if (!this.#weigh) return false;
    let lightest: { key: string; weight: number } | undefined;
    let looked = 0;
    for (const [key, value] of this) {
      if (looked++ >= LOOKED_AT) break;
      const weight = this.#weigh(value);
      if (!lightest || weight < lightest.weight) lightest = { key, weight };
    }
    if (!lightest) return false;
    this.leftOut += lightest.weight;
    return this.delete(lightest.key);
  }
}
