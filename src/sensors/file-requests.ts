import { escapeField } from "./wire.ts";

/** How many are at the host at a time, and how many in all. */
export interface Bounds {
  atOnce: number;
  most: number;
}

/** Requests about files: a bounded number at the host, the others here, in order. */
export class FileRequests {
  #waiting: Buffer[] = [];
  #asked = 0;
  readonly #send: (line: Buffer) => void;
  readonly #bounds: Bounds;

  constructor(send: (line: Buffer) => void, bounds: Bounds) {
    this.#send = send;
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#asked + this.#waiting.length;
  }

  /** `what` is all of the line but the path. False when the queue is full or the path cannot be one (empty, or with a NUL byte). */
  ask(what: string, path: string): boolean {
    if (this.size >= this.#bounds.most || path === "" || path.includes("\0")) return false;
    this.#waiting.push(Buffer.concat([Buffer.from(`${what} `), escapeField(path), Buffer.from("\n")]));
    this.#fill();
    return true;
  }

  answered(): void {
    this.#asked = Math.max(0, this.#asked - 1);
    this.#fill();
  }

  #fill(): void {
    while (this.#asked < this.#bounds.atOnce) {
      const line = this.#waiting.shift();
      if (line === undefined) return;
      this.#asked += 1;
      this.#send(line);
    }
  }
}
