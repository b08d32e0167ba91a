import { homedir } from "node:os";
import { join } from "node:path";
import type { DoorView } from "#draw/store";
import { type KeySource, type ListedAnalyst, listAnalysts } from "../../pair/analysts.ts";
import type { Mount } from "../../pair/client.ts";
import { readKeyFiles } from "../../pair/key-files.ts";
import { type Attempt, openPairServer, type PairServer } from "../../pair/server.ts";
import { stateFolder } from "../state-folder.ts";

/** How others are let in, as options and the config file say. */
export interface PairSettings {
  /** Files and folders with the keys of analysts, and of those who may only watch. */
  keys: readonly string[];
  watchers: readonly string[];
  address?: string;
  port?: number;
}

/** A line of authorized_keys in the place of a path: what a partner sends into the call. */
const PASTED = /(?:^|[\s,"])(?:ssh-|ecdsa-|sk-)\S+[ \t]+AAAA/;

/** Where others come in: shut until somebody opens it. */
export class Door {
  readonly #settings: PairSettings;
  readonly #mount: Mount;
  readonly #tell: (text: string, level: "info" | "warn" | "error") => void;
  #server: PairServer | undefined;
  #analysts: readonly ListedAnalyst[] = [];
  #notes: readonly string[] = [];
  #opening = false;

  constructor(settings: PairSettings, mount: Mount, tell: (text: string, level: "info" | "warn" | "error") => void) {
    this.#settings = settings;
    this.#mount = mount;
    this.#tell = tell;
  }

  get view(): DoorView {
    const server = this.#server;
    return {
      notes: this.#notes,
      configured: this.#settings.keys.length + this.#settings.watchers.length > 0,
      ...(server
        ? {
            open: {
              line: server.joinLine(this.#analysts.length === 1 ? this.#analysts[0]?.name : undefined),
              fingerprint: server.fingerprint,
              address: server.address,
              analysts: this.#analysts.map(({ name, mayDrive }) => ({ name, mayDrive })),
            },
          }
        : {}),
    };
  }

  /** Opens it for the keys that are given, else for those of the settings. `own`: the name of who sits at the console. */
  async open(own: string, given?: string): Promise<void> {
    if (this.#server || this.#opening) return;
    this.#opening = true;
    try {
      const { sources, notes } = await this.#sources(given);
      const listed = listAnalysts(sources, [own]);
      this.#notes = [...notes, ...listed.notes];
      this.#analysts = listed.analysts;
      if (listed.analysts.length === 0)
        throw new Error(`Nobody could join: ${this.#notes[0] ?? "no public keys were named"}. Name a file with public keys, or paste one.`);
      const { address, port } = this.#settings;
      this.#server = await openPairServer({
        hostKeyFile: join(stateFolder(), "pair_host_key"),
        analysts: listed.analysts,
        mount: this.#mount,
        onAttempt: (attempt) => this.#attempted(attempt),
        ...(address === undefined ? {} : { address }),
        ...(port === undefined ? {} : { port }),
      });
      this.#notes = [...this.#server.notes, ...this.#notes];
      const { open } = this.view;
      this.#tell(`${open?.line}   lets ${namesOf(listed.analysts)} in; the server's key is ${open?.fingerprint}`, "info");
    } catch (error) {
      this.#tell((error as Error).message, "error");
    } finally {
      this.#opening = false;
    }
  }

  async close(why: string): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.close(why);
  }

  async #sources(given: string | undefined): Promise<{ sources: KeySource[]; notes: string[] }> {
    const text = given?.trim() ?? "";
    if (PASTED.test(text)) return { sources: [{ from: "the key that was pasted", text }], notes: [] };
    if (text !== "") return readKeyFiles([text.replace(/^~(?=\/|$)/, homedir())]);
    const [keys, watchers] = await Promise.all([
      readKeyFiles(this.#settings.keys),
      readKeyFiles(this.#settings.watchers, { mayDrive: false }),
    ]);
    return { sources: [...keys.sources, ...watchers.sources], notes: [...keys.notes, ...watchers.notes] };
  }

  #attempted({ outcome, address, keys, why, times }: Attempt): void {
    if (outcome === "joined") return; // the party says so
    const shown = keys.length > 0 ? ` (it showed ${keys[0]}${keys.length > 1 ? ` and ${keys.length - 1} more` : ""})` : "";
    const often = times > 1 ? `, ${times} times` : "";
    this.#tell(`somebody at ${address} was not let in${often}: ${why}${shown}`, "warn");
  }
}

const namesOf = (analysts: readonly ListedAnalyst[]): string => {
  const names = analysts.map(({ name }) => name);
  return names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
};
