import { decodeHostBytes, type HostString } from "#model/host-string";

/** A line of the watch's own, or a whole look at the host. */
export type Told =
  | { kind: "broken" | "unguarded" | "monitor" | "released" | "replaced" }
  | { kind: "back" | "guard" | "disk"; code: number }
  | { kind: "gone"; gone: boolean }
  | { kind: "by"; pid: number; name: HostString }
  | { kind: "look"; sections: Map<string, string> };

/** More than this of one look is not a host, it is an attack on us. */
const MOST = 4 << 20;

/**
 * Decodes what the watch's script prints. Bytes may come in any pieces; what another tool prints in between cannot know the nonce, so it
 * cannot pass for the watch's word.
 */
export class WatchDecoder {
  readonly #nonce: string;
  #pending = "";
  #look: { section: string; sections: Map<string, string>; size: number } | undefined;

  constructor(nonce: string) {
    this.#nonce = nonce;
  }

  push(chunk: Buffer): Told[] {
    this.#pending += chunk.toString("latin1");
    const told: Told[] = [];
    for (let end = this.#pending.indexOf("\n"); end >= 0; end = this.#pending.indexOf("\n")) {
      const found = this.#line(this.#pending.slice(0, end));
      this.#pending = this.#pending.slice(end + 1);
      if (found) told.push(found);
    }
    if (this.#pending.length > MOST) this.#pending = "";
    return told;
  }

  #line(line: string): Told | undefined {
    if (line.startsWith(`@${this.#nonce} `)) return this.#word(line.slice(this.#nonce.length + 2).split(" "));
    const look = this.#look;
    if (!look) return undefined;
    if (line.startsWith(`${this.#nonce} `)) {
      look.section = line.slice(this.#nonce.length + 1);
      look.sections.set(look.section, "");
    } else if (look.section !== "" && look.size < MOST) {
      look.size += line.length + 1;
      look.sections.set(look.section, `${look.sections.get(look.section) ?? ""}${line}\n`);
    }
    return undefined;
  }

  #word([word = "", ...rest]: string[]): Told | undefined {
    switch (word) {
      case "broken":
      case "unguarded":
      case "monitor":
      case "released":
      case "replaced":
        return { kind: word };
      case "back":
      case "guard":
      case "disk":
        return { kind: word, code: Number(rest[0]) };
      case "gone":
        return { kind: word, gone: rest[0] === "yes" };
      case "by": {
        const pid = Number(rest[0]);
        const name = rest
          .slice(1)
          .join(" ")
          .replace(/^\((.*)\)$/s, "$1")
          .slice(0, 64);
        return Number.isSafeInteger(pid) && pid > 0 ? { kind: "by", pid, name: decodeHostBytes(Buffer.from(name, "latin1")) } : undefined;
      }
      case "look":
        this.#look = { section: "", sections: new Map(), size: 0 };
        return undefined;
      case "seen": {
        const look = this.#look;
        this.#look = undefined;
        return look ? { kind: "look", sections: look.sections } : undefined;
      }
      default:
        return undefined;
    }
  }
}
