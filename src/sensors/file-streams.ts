import type { HostRunner } from "#host/runner";
import type { HostString } from "#model/host-string";
import type { WeakDigest } from "#model/known-files";
import type { Observation } from "#model/observation";
import { streamDigests } from "./stream-digests.ts";

type FileInfo = Extract<Observation, { kind: "file-info" }>;

/** Files that wait to be read over the line. */
const MOST_WAITING = 64;

/**
 * Files of which the host cannot compute what is wanted: they are read over the line and hashed here, one at a time. Each is told at once
 * with what is known of it, and once more with its digests, or with why there are none.
 */
export class FileStreams {
  readonly #runner: HostRunner;
  readonly #weak: readonly WeakDigest[];
  readonly #tell: (info: FileInfo) => void;
  readonly #waiting: { info: FileInfo; pid: number }[] = [];
  readonly #end = new AbortController();
  #busy = false;

  constructor(runner: HostRunner, weak: readonly WeakDigest[], tell: (info: FileInfo) => void) {
    this.#runner = runner;
    this.#weak = weak;
    this.#tell = tell;
  }

  /** What is to be told of it now; where a digest is missing that is wanted, it is read from here on. `pid`: as it was asked for. */
  take(info: FileInfo, pid: number): FileInfo {
    const lacking = info.sha256 !== undefined && this.#weak.some((kind) => info[kind] === undefined);
    if ((!info.unhashable && !lacking) || this.#end.signal.aborted) return info;
    if (this.#waiting.length >= MOST_WAITING)
      return { ...info, error: `${whyNot(info)}, and too many wait to be read over the line` as HostString };
    this.#waiting.push({ info, pid });
    void this.#next();
    if (lacking) return info;
    const { error: _, ...known } = info;
    return { ...known, streamed: {} };
  }

  /** The sensor was asked to end: nothing more is told. */
  close(): void {
    this.#waiting.length = 0;
    this.#end.abort();
  }

  async #next(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let file = this.#waiting.shift(); file; file = this.#waiting.shift()) {
      const { info, pid } = file;
      const { error: _, unhashable: __, ...known } = info;
      const read = await streamDigests(this.#runner, { path: info.path, pid }, this.#weak, { signal: this.#end.signal }).catch(
        (error: Error) => ({ why: error.message }),
      );
      if (this.#end.signal.aborted) return;
      if ("why" in read) this.#tell({ ...known, streamed: {}, error: `${whyNot(info)}; read over the line: ${read.why}` as HostString });
      else this.#tell({ ...known, ...read.digests, streamed: { bytes: read.bytes } });
    }
    this.#busy = false;
  }
}

/** What the host could not compute. */
const whyNot = ({ unhashable }: FileInfo): string =>
  unhashable ? "no sha256 on this host" : "a digest that a list needs cannot be computed on this host";
