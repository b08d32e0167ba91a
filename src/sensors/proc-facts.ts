import { decodeHostBytes, type HostString } from "#model/host-string";
import type { ProcFacts, Unseen } from "#model/observation";
import { compact, type Fields, field, given } from "./record-fields.ts";
import { Malformed, pid, text, whole } from "./wire.ts";

/** What a letter of the `unseen` field stands for; a capital letter means denied, a small one raced. */
const UNSEEN: Record<string, readonly string[]> = {
  s: ["ppid", "startTicks", "session", "tty", "comm"],
  a: ["args"],
  u: ["uid", "euid"],
  x: ["executable"],
  c: ["cwd"],
};

/** Letters of {@link UNSEEN} as the fields they stand for; `why` a small one was not seen. @throws Malformed on another letter */
export function unseenFields(letters: string, why: Unseen = "raced"): ProcFacts["unseen"] {
  let unseen: Record<string, Unseen> | undefined;
  for (const letter of letters) {
    const small = letter.toLowerCase();
    const names = Object.hasOwn(UNSEEN, small) ? UNSEEN[small] : undefined;
    if (names === undefined) throw new Malformed("an unknown field is unseen");
    unseen ??= {};
    for (const name of names) unseen[name] = small === letter ? why : "denied";
  }
  return unseen;
}

/** Fourteen fields from `at` on: ppid start session tty uid euid loginuid comm exe flags cwd args unseen argc. */
export function procFacts(f: Fields, at: number): ProcFacts {
  const get = (i: number) => field(f, at + i);
  const flags = get(9);
  const args = get(11);
  return compact<ProcFacts>({
    ppid: given(get(0), pid),
    startTicks: given(get(1), whole),
    session: given(get(2), whole),
    tty: given(get(3), whole),
    uid: given(get(4), whole),
    euid: given(get(5), whole),
    loginuid: given(get(6), whole),
    comm: given(get(7), text),
    executable: given(get(8), text),
    deleted: flags.includes("d") || undefined,
    cwd: given(get(10), text),
    args: args === "" ? undefined : args.startsWith("#") ? bytesAsArgs(args.slice(1)) : args.slice(1).split("\x1f").map(text),
    argsCut: flags.includes("c") || undefined,
    argc: given(get(13), whole),
    argsVanished: flags.includes("v") || undefined,
    unseen: unseenFields(get(12)),
  });
}

/**
 * The bytes of a /proc/PID/cmdline in hexadecimal, as a shell gives them that cannot hold a NUL: one NUL ends the last argument, and a row of
 * them is what a program left that wrote its title over its arguments. @throws Malformed
 */
function bytesAsArgs(hex: string): HostString[] {
  if (hex.length > 32_768 || !/^(?:[0-9a-f]{2})+$/.test(hex)) throw new Malformed("not bytes in hexadecimal");
  const raw = Buffer.from(hex, "hex").toString("latin1");
  let end = raw.length;
  if (raw.endsWith("\0\0\0")) while (raw[end - 1] === "\0") end -= 1;
  else if (raw.endsWith("\0")) end -= 1;
  return raw
    .slice(0, end)
    .split("\0")
    .map((arg) => decodeHostBytes(Buffer.from(arg, "latin1")));
}
