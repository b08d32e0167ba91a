import type { HostString } from "./host-string.ts";

/** What the head of an ELF file says of it: the file's own word, which whoever made it could choose. */
export interface ProgramFacts {
  bits?: 32 | 64;
  /** `library` has no entry of its own, or is a program that brings its libraries along: without an interpreter they look alike. */
  linked?: "dynamic" | "static" | "library";
  /** The loader that it asks for. */
  interpreter?: HostString;
  /** No table of symbols; without `sections` there is not even a list of parts, as packers leave it. */
  stripped?: boolean;
  sections?: boolean;
  /** As the linker noted it (NT_GNU_BUILD_ID), hexadecimal. */
  build_id?: string;
  made_by?: "go" | "rust";
  packer?: "upx";
  /** Bits for each byte, 0 to 8, of samples over the whole file. */
  entropy?: number;
}

/** From this on a program's bytes look compressed or encrypted: ordinary ones have 5 to 6.8. */
const PACKED_ENTROPY = 7.2;

export const looksPacked = ({ packer, entropy, sections }: ProgramFacts): boolean =>
  packer !== undefined || (entropy ?? 0) >= PACKED_ENTROPY || sections === false;

/** The facts in words. Holds host text. */
export function programWords(facts: ProgramFacts): string {
  const { bits, linked, interpreter, stripped, sections, build_id, made_by, packer, entropy } = facts;
  return [
    bits === undefined ? "" : `${bits} bits`,
    linked === "library" ? "no loader (a library, or static)" : (linked ?? ""),
    interpreter !== undefined && !/^\/lib(?:32|64|x32)?\/ld-[\w.-]+$/.test(interpreter) ? `loader ${interpreter}` : "",
    sections === false ? "no list of sections" : stripped ? "stripped" : stripped === false ? "with symbols" : "",
    made_by === undefined ? "" : made_by === "go" ? "made by Go" : "made by Rust",
    packer === undefined ? "" : "packed by UPX",
    entropy === undefined ? "" : `entropy ${entropy.toFixed(2)} of 8${looksPacked(facts) ? ": looks packed" : ""}`,
    build_id === undefined ? "" : `build id ${build_id}`,
  ]
    .filter(Boolean)
    .join(", ");
}
