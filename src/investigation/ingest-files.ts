import { nameRandomness } from "#analysis/naming";
import type { Digests, FileFacts } from "#model/file";
import { type FileFlag, fileFlags, isHiddenPath } from "#model/file-flags";
import type { HostString } from "#model/host-string";
import type { BootNs, Observation, Unseen } from "#model/observation";
import { processRef } from "./entities.ts";
import type { Ingesting } from "./ingest-network.ts";

type FileChange = Extract<Observation, { kind: "file" }>;
type FileInfo = Extract<Observation, { kind: "file-info" }>;

/** Asks for the facts of a file; a pid means: read it through /proc/PID/exe, for it may be deleted. */
export type AskFileInfo = (path: HostString, pid: number) => void;

// Folders that only packages fill. /usr/local and /opt are not among them, nor are hidden folders below these: what runs from there is looked at.
const PACKAGED = /^\/(?:usr\/(?!local\/)|s?bin\/|lib(?:32|64|x32)?\/|etc\/|snap\/)/;
export const isPackagedPath = (path: string): boolean => PACKAGED.test(path) && !isHiddenPath(path);

/** For `stakeout.binary` and `stakeout.script`: nothing where there are none. */
export const flagged = (flags: FileFlag[]): { flags?: FileFlag[] } => (flags.length === 0 ? {} : { flags });

const baseName = (path: HostString): HostString => path.slice(path.lastIndexOf("/") + 1) as HostString;
const PATIENCE_NS = 1e9;
/** A runtime of containers runs from memory whenever it is called: it is read no more often than this. */
const AGAIN_NS = 10e9;
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
  /** Programs in memory alone, and when each was asked about last. */
  readonly #inMemory = new Map<string, BootNs>();

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
    const { path, change, pid, ts, nameless, from, away } = told;
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
    if (change === "deleted") this.#gone(path);
    if (from !== undefined) this.#gone(from);
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
        binary: {
          origin: "folder",
          ...(random === undefined ? {} : { random }),
          ...(nameless ? { nameless } : {}),
          ...(from === undefined ? {} : { moved_from: from }),
          ...(change === "moved-in" && from === undefined ? { moved_in: true } : {}),
          ...(away ? { moved_away: true } : {}),
          ...flagged(fileFlags(path)),
        },
      },
    });
  }

  /** Nothing lies there any more. */
  #gone(path: HostString): void {
    this.#fresh.delete(path);
    this.#asked.delete(path);
    if (this.#deleted.size < MAX_REMEMBERED) this.#deleted.add(path);
  }

  /** A process executed a file outside the packages' folders. What is in memory alone may be another program each time, under one name. */
  executed(path: HostString, pid: number, now: BootNs): void {
    if (!path.startsWith("/memfd:")) return this.#request(path, pid, false);
    const before = this.#inMemory.get(path);
    if (before !== undefined && now - before < AGAIN_NS) return;
    if (this.#inMemory.size >= MAX_REMEMBERED) this.#inMemory.clear();
    this.#inMemory.set(path, now);
    this.#request(path, pid, true);
  }

  info(info: FileInfo, ts: BootNs): void {
    const { path, size, mode, uid, mtimeNs, inode, elf, program, mount, streamed, error } = info;
    const file: FileFacts = { path, name: baseName(path) };
    if (size !== undefined) file.size = size;
    if (mode !== undefined) file.mode = (mode & 0o7777).toString(8).padStart(4, "0");
    if (uid !== undefined) file.uid = String(uid);
    if (mtimeNs !== undefined) file.mtime = isoOfNs(mtimeNs);
    if (inode !== undefined) file.inode = inode;
    const hash = digestsOf(info);
    if (hash) file.hash = hash;
    const random = nameRandomness(path);
    const deleted = this.#deleted.has(path);
    const why: Unseen = error !== undefined && /denied|permitted/i.test(error) ? "denied" : "raced";
    const unseen: Record<string, Unseen> = {};
    const underWay = streamed !== undefined && streamed.bytes === undefined && error === undefined;
    if (!file.hash && !underWay) unseen["file.hash"] = why;
    if (mount === undefined && !path.startsWith("/memfd:")) unseen["stakeout.binary.mount"] = why;
    this.#with.emit({
      "@timestamp": this.#with.clock.iso(ts),
      event: {
        action: "file.info",
        category: ["file"],
        type: ["info"],
        ...(underWay ? { reason: "this host computes no sha256: the bytes are read over the line and hashed at the console" } : {}),
        ...(error === undefined ? {} : { outcome: "failure", reason: error }),
      },
      file,
      stakeout: {
        ...this.#with.sensor,
        ...(Object.keys(unseen).length ? { unseen } : {}),
        ...(streamed?.bytes === undefined
          ? {}
          : { hashed: { by: "console", bytes: streamed.bytes, ...(size === undefined || size === streamed.bytes ? {} : { size }) } }),
        binary: {
          ...(elf === undefined ? {} : { elf }),
          ...(program === undefined ? {} : { program }),
          ...(random === undefined ? {} : { random }),
          ...(deleted ? { deleted } : {}),
          ...(mount === undefined ? {} : { mount }),
          ...flagged(fileFlags(path, { deleted, mount })),
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

/** The digests of an observation, as `file.hash` has them; undefined where there is no sha256. */
export function digestsOf({ sha256, sha1, md5 }: Partial<Digests>): Digests | undefined {
  return sha256 === undefined ? undefined : { sha256, ...(sha1 === undefined ? {} : { sha1 }), ...(md5 === undefined ? {} : { md5 }) };
}

function isoOfNs(ns: bigint): string {
  const ms = Number(ns / 1_000_000n);
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : "0000-01-01T00:00:00.000Z";
}
