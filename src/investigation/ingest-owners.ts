import type { Ownership } from "#model/file";
import type { HostString } from "#model/host-string";
import type { BootNs, Observation } from "#model/observation";
import { compareWithList, type PackageList } from "#model/package-list";
import { type Entity, inContainer } from "./entities.ts";
import { digestsOf, isPackagedPath } from "./ingest-files.ts";
import type { Ingesting } from "./ingest-network.ts";

type Owner = Extract<Observation, { kind: "file-owner" }>;

/** Asks which package a file belongs to; false when it cannot be asked now. */
export type AskOwner = (path: HostString, pid: number, stamp: string | undefined) => boolean;

/** What runs again is looked at again after this long on the host's clock: one `stat` where it is the same file still. */
const AGAIN_NS = 60e9;
const MOST_REMEMBERED = 20_000;

interface Known {
  asked: BootNs;
  stamp?: string;
  /** What was told last. */
  told?: string;
}

/** Which packages the programs of the host belong to: each path is asked about when it first runs, and again when it runs much later. */
export class OwnerIngest {
  readonly #with: Ingesting;
  readonly #ask: AskOwner;
  readonly #list: PackageList | undefined;
  readonly #known = new Map<string, Known>();

  constructor(ingesting: Ingesting, ask: AskOwner, list: PackageList | undefined) {
    this.#with = ingesting;
    this.#ask = ask;
    this.#list = list;
  }

  /** A process executed a file. What lives in a container has another root: its path means another file. */
  executed(entity: Entity, now: BootNs): void {
    const { executable, image } = entity;
    if (executable === undefined || inContainer(entity)) return;
    this.#ran(executable, entity, now);
    if (image !== undefined && image !== executable) this.#ran(image, entity, now); // what interprets a script, or what a link leads to
  }

  #ran(executable: HostString, entity: Entity, now: BootNs): void {
    if (!executable.startsWith("/")) return;
    const known = this.#known.get(executable);
    if (known && now - known.asked < AGAIN_NS) return;
    this.#request(executable, entity.pid, known, now);
  }

  /** A file came or changed where packages put files. */
  changed({ path, change }: Extract<Observation, { kind: "file" }>, now: BootNs): void {
    if (change === "deleted" || !isPackagedPath(path)) return;
    const known = this.#known.get(path);
    if (known && now - known.asked < 1e9) return;
    this.#request(path, 0, known, now);
  }

  #request(path: HostString, pid: number, known: Known | undefined, now: BootNs): void {
    if (!known && this.#known.size >= MOST_REMEMBERED) return;
    if (!this.#ask(path, pid, known?.stamp)) return; // it is asked when it runs the next time; until then it was not looked at
    this.#known.set(path, { ...known, asked: now });
  }

  answer(owner: Owner, now: BootNs): void {
    const { path, found, sha256, stamp } = owner;
    const known = this.#known.get(path);
    if (!known || found === "unchanged") return; // nobody asked; or it is what it was
    if (stamp === undefined) delete known.stamp;
    else known.stamp = stamp;
    const ownership = this.#ownership(owner);
    const hash = digestsOf(owner);
    const told = JSON.stringify([ownership, owner.package, owner.version, sha256]);
    if (known.told === told) return;
    known.told = told;
    this.#with.emit({
      "@timestamp": this.#with.clock.iso(now),
      event: { action: "file.package", category: ["file", "package"], type: ["info"] },
      file: { path, name: path.slice(path.lastIndexOf("/") + 1) as HostString, ...(hash === undefined ? {} : { hash }) },
      ...(owner.package === undefined
        ? {}
        : { package: { name: owner.package, ...(owner.version === undefined ? {} : { version: owner.version }) } }),
      stakeout: { ...this.#with.sensor, ownership },
    });
  }

  #ownership({ path, file, manager, package: name, version, found, sha256, why }: Owner): Ownership {
    const owned = name !== undefined && (found === "same" || found === "differs" || found === "undigested");
    const state = owned ? "owned" : found === "none" ? "none" : "unknown";
    return {
      state,
      ...(owned ? { host: found } : {}),
      ...(state !== "unknown" && manager !== undefined ? { manager } : {}),
      ...(this.#list && sha256 !== undefined ? { console: compareWithList(this.#list, file ?? path, sha256, version) } : {}),
      ...(file === undefined || file === path ? {} : { file }),
      ...(why === undefined ? {} : { why }),
    };
  }
}
