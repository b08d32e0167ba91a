import { escapeField } from "./wire.ts";

const AT_ONCE = 32;
const MOST = 1024;

/** Requests for file facts: a bounded number at the host, the others here, in order. The collector hashes one file at a time. */
export class FileRequests {
  #waiting: Buffer[] = [];
  #asked = 0;
  readonly #send: (line: Buffer) => void;

  constructor(send: (line: Buffer) => void) {
    this.#send = send;
  }

  get size(): number {
    return this.#asked + this.#waiting.length;
  }

  /** False when the queue is full or the path cannot be one (empty, or with a NUL byte). `pid` 0 for none. */
  ask(path: string, pid: number): boolean {
    if (this.size >= MOST || path === "" || path.includes("\0") || !Number.isSafeInteger(pid) || pid < 0) return false;
    this.#waiting.push(Buffer.concat([Buffer.from(`i ${pid} `), escapeField(path), Buffer.from("\n")]));
    this.#fill();
    return true;
  }

  answered(): void {
    this.#asked = Math.max(0, this.#asked - 1);
    this.#fill();
  }

  #fill(): void {
    while (this.#asked < AT_ONCE) {
      const line = this.#waiting.shift();
      if (line === undefined) return;
      this.#asked += 1;
      this.#send(line);
    }
  }
}
