/** A map that takes no more than `most` keys: a hostile host can invent as many as it likes. What did not fit is counted. */
export class Tally<V> extends Map<string, V> {
  readonly #most: number;
  readonly #make: (key: string) => V;
  leftOut = 0;

  constructor(make: (key: string) => V, most = 5000) {
    super();
    this.#make = make;
    this.#most = most;
  }

  /** The value of `key`, made if need be; undefined when there is no more room. */
  at(key: string): V | undefined {
    const known = this.get(key);
    if (known !== undefined) return known;
    if (this.size >= this.#most) {
      this.leftOut += 1;
      return undefined;
    }
    const made = this.#make(key);
    this.set(key, made);
    return made;
  }
}
