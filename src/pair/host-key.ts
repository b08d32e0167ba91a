import { generateKeyPairSync, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, mkdir, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import ssh2 from "ssh2";
import { fingerprintOf, wireString } from "./wire.ts";

export interface HostKey {
  /** The private half, in OpenSSH's own format. */
  privateKey: string;
  /** As `ssh-keygen -l` shows it. */
  fingerprint: string;
  /** What the analyst should know about how it was found, a sentence. */
  note?: string;
}

/**
 * The server's key: read from `file`, or made there (ed25519, mode 0600) when there is none yet. Two consoles that make it at once end up
 * with one. It stays the same from day to day, so that a partner's known_hosts notices another server in its place.
 * @throws Error when the file is somebody else's, no plain file, or holds no such key
 */
export async function openHostKey(file: string): Promise<HostKey> {
  return (await readHostKey(file)) ?? (await makeHostKey(file));
}

async function readHostKey(file: string): Promise<HostKey | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    const what = code === "ELOOP" ? "it is a symbolic link" : `it cannot be read (${code})`;
    throw refused(file, what, cause);
  }
  try {
    const { mode, uid } = await handle.stat();
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw refused(file, "it is no plain file");
    const me = process.geteuid?.();
    if (me !== undefined && uid !== me) throw refused(file, `it belongs to uid ${uid}, not to you`);
    const loose = (mode & 0o077) !== 0;
    if (loose) await handle.chmod(0o600);
    const privateKey = await handle.readFile("utf8");
    return {
      privateKey,
      fingerprint: fingerprintOf(publicHalf(file, privateKey)),
      ...(loose
        ? {
            note: `${file} could be read by others (mode ${(mode & 0o777).toString(8).padStart(4, "0")}); it is 0600 now. If others use this machine, delete it: a new key is made.`,
          }
        : {}),
    };
  } finally {
    await handle.close();
  }
}

async function makeHostKey(file: string): Promise<HostKey> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const privateKey = newPrivateKey();
  const draft = `${file}.${randomBytes(6).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(privateKey);
    await handle.sync();
    await handle.close();
    await link(draft, file); // never over one that is there: known_hosts files elsewhere hold it
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    const others = await readHostKey(file);
    if (others) return others;
    throw refused(file, "it comes and goes while it is read", cause);
  } finally {
    await handle.close().catch(() => {});
    await unlink(draft).catch(() => {});
  }
  return { privateKey, fingerprint: fingerprintOf(publicHalf(file, privateKey)) };
}

const refused = (file: string, what: string, cause?: unknown) =>
  new Error(`The pair server's key ${file} is not used: ${what}. Move it away, and a new key is made.`, { cause });

function publicHalf(file: string, privateKey: string): Buffer {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw refused(file, `it holds no key that can be read (${parsed.message})`);
  if (parsed.type !== "ssh-ed25519" || !parsed.isPrivateKey()) throw refused(file, "it holds no private ed25519 key");
  return parsed.getPublicSSH();
}

/**
 * A fresh ed25519 key in OpenSSH's own format, without a passphrase (openssh-portable PROTOCOL.key, sections 1 to 3). Not by ssh2's
 * generator: one in 128 or so of its keys, those with a zero byte in front, cannot be read again.
 */
function newPrivateKey(): string {
  const { x = "", d = "" } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const [publicKey, seed] = [Buffer.from(x, "base64url"), Buffer.from(d, "base64url")];
  const publicPart = Buffer.concat([wireString("ssh-ed25519"), wireString(publicKey)]);
  const check = randomBytes(4); // stands twice: whoever decrypts with a wrong passphrase finds two different ones
  const secret = Buffer.concat([
    check,
    check,
    publicPart,
    wireString(Buffer.concat([seed, publicKey])),
    wireString("stakeout pair server"),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, i) => i + 1));
  const blob = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    wireString("none"),
    wireString("none"),
    wireString(""),
    Buffer.from([0, 0, 0, 1]),
    wireString(publicPart),
    wireString(Buffer.concat([secret, padding])),
  ]);
  const body = blob.toString("base64").replace(/.{1,70}/g, "$&\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}-----END OPENSSH PRIVATE KEY-----\n`;
}
