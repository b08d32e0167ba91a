import { FORMATS } from "./kernel-pages.ts";

/** Fields of the events that a shell's tracer follows, as the kernel's `format` files name them, in the order of {@link FORMATS}. */
const NAMES: Record<string, readonly string[]> = {
  e: ["__data_loc char[] filename", "pid_t pid", "pid_t old_pid"],
  x: ["pid_t pid", "bool group_dead"],
  n: ["int common_pid", "pid_t pid", "unsigned long clone_flags"],
  g: ["int common_pid", "int sig", "pid_t pid"],
  t: ["int common_pid", "pid_t pid"],
  s: [
    "unsigned char common_flags",
    "int common_pid",
    "const void * skaddr",
    "int oldstate",
    "int newstate",
    "__u16 family",
    "__u16 sport",
    "__u16 dport",
    "__u8 saddr[4]",
    "__u8 daddr[4]",
    "__u8 saddr_v6[16]",
    "__u8 daddr_v6[16]",
  ],
};
const line = (what: string, offset: string, size: string) => `\\x09field:${what};\\x09offset:${offset};\\x09size:${size};\\x09signed:0;`;

/** A text of a shell's tracer, as it stands on its channel. */
export function traceText(...lines: string[]): Buffer {
  const text = Buffer.from(lines.map((one) => `${one}\n`).join(""), "latin1");
  return Buffer.concat([Buffer.from(`STAKEOUT${String(text.length).padStart(7)}\n`, "latin1"), text]);
}

/** A page of 4096 bytes with this in its beginning. */
export const tracePage = (used: Buffer): Buffer => Buffer.concat([used, Buffer.alloc(4096 - used.length)]);

/** What pages are like, a line of the tracer. */
export const TRACE_HEADER = `p\t${[
  line("u64 timestamp", "0", "8"),
  line("local_t commit", "8", "8"),
  line("int overwrite", "8", "1"),
  line("char data", "16", "4080"),
].join("\\x1f")}`;

/** The formats of all events that it follows, a line each. */
export const TRACE_FORMATS: readonly string[] = FORMATS.flatMap((record) => {
  const [, letter = "", id, , ...places] = record.split("\t");
  const names = NAMES[letter];
  if (names === undefined) return [];
  const fields = places.map((place, i) => line(names[i] as string, ...(place.split(":") as [string, string])));
  return [`D\t${letter}\tID: ${id}\\x1f${[line("unsigned short common_type", "0", "2"), ...fields].join("\\x1f")}\\x1f`];
});
