import { nameRandomness } from "#analysis/naming";
import type { FileFacts } from "#model/event";
import type { HostString } from "#model/host-string";
import type { BootNs, Observation } from "#model/observation";
import { processRef } from "./entities.ts";
import type { Ingesting } from "./ingest-network.ts";

type FileChange = Extract<Observation, { kind: "file" }>;
type FileInfo = Extract<Observation, { kind: "file-info" }>;

/** Asks for the facts of a file; a pid means: read it through /proc/PID/exe, for it may be deleted. */
export type AskFileInfo = (path: HostString, pid: number) => void;

// Folders that only packages fill. /usr/local and /opt are not among them: what runs from there is looked at.
const PACKAGED = /^\/(?:usr\/(?!local\/)|s?bin\/|lib(?:32|64|x32)?\/|etc\/|snap\/)/;
export const isPackagedPath = (path: string): boolean => PACKAGED.test(path);

const baseName = (path: HostString): HostString => path.slice(path.lastIndexOf("/") + 1) as HostString;
const PATIENCE_NS = 1e9;
const MAX_WAITING = 1000;
const MAX_REMEMBERED = 20_000;

/** New and changed files, and the facts of them that follow as events of their own. */
export class FileIngest {
  readonly #with: Ingesting;
  readonly #ask: AskFileInfo;
  /** Paths whose creation was told and whose first content is still awaited: the first close is a part of the creation. */
  readonly #fresh = new Set<string>();
  #waiting: FileChange[] = [];
  readonly #asked = new Set<string>();
  readonly #deleted = new Set<string>();

  constructor(ingesting: Ingesting, ask: AskFileInfo) {
    this.#with = ingesting;
    this.#ask = ask;
  }

  /**
   * A change in a watched folder. Its writer may be younger than what we know: the file's news and the fork come by two ways. Then it
   * waits for the process, at most {@link PATIENCE_NS} on the host's clock, and so does every later change of that path.
   */
  change(change: FileChange): void {
    const { pid, path } = change;
    const unknown = pid !== undefined && pid > 0 && this.#with.entities.at(pid, change.ts) === undefined;
    if ((unknown || this.#waiting.some((other) => other.path === path)) && this.#waiting.length < MAX_WAITING) this.#waiting.push(change);
    else this.#tell(change);
  }

  /** A process has come, or time has passed: tells what waited for it. */
  settle(now: BootNs): void {
    if (this.#waiting.length === 0) return;
    const held = new Set<string>();
    this.#waiting = this.#waiting.filter((change) => {
      const { pid, path, ts } = change;
      const known = pid === undefined || this.#with.entities.at(pid, ts) !== undefined;
      if (held.has(path) || (!known && now - ts < PATIENCE_NS)) {
        held.add(path);
        return true;
      }
      this.#tell(change);
      return false;
    });
  }

  #tell(told: FileChange): void {
    const { path, change, pid, ts, nameless } = told;
    const writer = pid === undefined ? undefined : this.#with.entities.at(pid, ts);
    this.#with.wrote(told, writer);
    if (change === "written" && !nameless) {
      this.#request(path, 0, true);
      if (this.#fresh.delete(path)) return;
    }
    if (change === "created" || change === "moved-in") {
      this.#deleted.delete(path);
      if (this.#fresh.size < MAX_REMEMBERED) this.#fresh.add(path);
      if (change === "moved-in") this.#request(path, 0, true); // its content came with it: no close will follow
    }
    if (change === "deleted") {
      this.#fresh.delete(path);
      this.#asked.delete(path);
      if (this.#deleted.size < MAX_REMEMBERED) this.#deleted.add(path);
    }
    if (writer) this.#with.tell(writer);
    const [action, type] =
      change === "deleted"
        ? (["file.deletion", "deletion"] as const)
        : change === "written"
          ? (["file.change", "change"] as const)
          : (["file.creation", "creation"] as const);
    const random = nameRandomness(path);
    this.#with.emit({
      "@timestamp": this.#with.clock.iso(ts),
      event: { action, category: ["file"], type: [type] },
      file: { path, name: baseName(path) },
      ...(writer ? { process: processRef(writer) } : {}),
      stakeout: {
        ...this.#with.sensor,
        ...(writer ? {} : { unseen: { process: "raced" as const } }),
        binary: { origin: "folder", ...(random === undefined ? {} : { random }), ...(nameless ? { nameless } : {}) },
      },
    });
  }

  /** A process executed a file outside the packages' folders. */
  executed(path: HostString, pid: number): void {
    this.#request(path, pid, false);
  }

  info(info: FileInfo, ts: BootNs): void {
    const { path, size, mode, uid, mtimeNs, inode, sha256, elf, error } = info;
    const file: FileFacts = { path, name: baseName(path) };
    if (size !== undefined) file.size = size;
    if (mode !== undefined) file.mode = (mode & 0o7777).toString(8).padStart(4, "0");
    if (uid !== undefined) file.uid = String(uid);
    if (mtimeNs !== undefined) file.mtime = isoOfNs(mtimeNs);
    if (inode !== undefined) file.inode = inode;
    if (sha256 !== undefined && /^[0-9a-f]{64}$/.test(sha256)) file.hash = { sha256 };
    const random = nameRandomness(path);
    this.#with.emit({
      "@timestamp": this.#with.clock.iso(ts),
      event: {
        action: "file.info",
        category: ["file"],
        type: ["info"],
        ...(error === undefined ? {} : { outcome: "failure", reason: error }),
      },
      file,
      stakeout: {
        ...this.#with.sensor,
        ...(file.hash ? {} : { unseen: { "file.hash": error !== undefined && /denied|permitted/i.test(error) ? "denied" : "raced" } }),
        binary: {
          ...(elf === undefined ? {} : { elf }),
          ...(random === undefined ? {} : { random }),
          ...(this.#deleted.has(path) ? { deleted: true } : {}),
        },
      },
    });
  }

  #request(path: HostString, pid: number, changed: boolean): void {
    if (!changed && this.#asked.has(path)) return;
    if (this.#asked.size < MAX_REMEMBERED) this.#asked.add(path);
    this.#ask(path, pid);
  }
}

function isoOfNs(ns: bigint): string {
  const ms = Number(ns / 1_000_000n);
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : "0000-01-01T00:00:00.000Z";
}
