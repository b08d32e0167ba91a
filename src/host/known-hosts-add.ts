import { createHmac, randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { keyTypeOf } from "./host-key.ts";
import { parseKnownHosts } from "./known-hosts.ts";

/**
 * One known_hosts line for `name`, without its newline. Hashed, the line gives away no host name (ssh_config(5), HashKnownHosts).
 */
export function knownHostsLine(name: string, key: Buffer, hashed: boolean): string {
  const salt = hashed ? randomBytes(20) : undefined;
  const word = salt ? `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update(name).digest("base64")}` : name;
  return `${word} ${keyTypeOf(key)} ${key.toString("base64")}`;
}

/**
 * Remembers `key` for `name` in `file`: hashed if `hash` says so (HashKnownHosts), else if most of the file is. The whole new file takes the place of the old one by a
 * rename, so that neither a crash nor a reader sees half of it; nobody but us may read it. A link is followed, not replaced.
 * @returns undefined when it was written, else why not: the connection can go on without
 */
export function rememberHostKey(file: string, name: string, key: Buffer, hash?: boolean): string | undefined {
  let path = file;
  let temporary: string | undefined;
  try {
    if (!existsSync(dirname(file))) mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()) path = realpathSync(file);
    const old = existsSync(path) ? readFileSync(path, "utf8") : "";
    const { entries } = parseKnownHosts(old, path);
    const hashed = hash ?? entries.filter((entry) => !Array.isArray(entry.names)).length * 2 > entries.length;
    const gap = old === "" || old.endsWith("\n") ? "" : "\n";
    temporary = join(dirname(path), `.known_hosts.${randomBytes(6).toString("hex")}`);
    writeFileSync(temporary, `${old}${gap}${knownHostsLine(name, key, hashed)}\n`, { mode: 0o600, flag: "wx" });
    chmodSync(temporary, 0o600); // whatever the umask
    if (existsSync(path) && !statSync(path).isFile()) throw new Error("it is not a file");
    renameSync(temporary, path);
    return undefined;
  } catch (cause) {
    if (temporary) rmSync(temporary, { force: true });
    return `The host key could not be written to ${path}: ${(cause as Error).message}`;
  }
}
