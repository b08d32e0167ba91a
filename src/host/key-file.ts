import { readFileSync } from "node:fs";
import ssh2, { type ParsedKey } from "ssh2";

/** A private key on disk, whose public half is known before any passphrase is. */
export interface KeyFile {
  path: string;
  /** The public key in its wire form. */
  publicKey: Buffer;
  encrypted: boolean;
  /** The private key. @throws Error when the passphrase is wrong */
  unlock(passphrase?: string): ParsedKey;
}

/** Reads a private key file (OpenSSH's own format, or PEM). @returns the key, or a sentence on why it cannot be used; undefined when there is no such file */
export function readKeyFile(path: string): KeyFile | string | undefined {
  let text: Buffer;
  try {
    text = readFileSync(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    return code === "ENOENT" || code === "ENOTDIR" ? undefined : `${path} cannot be read (${code})`;
  }
  const unlock = (passphrase?: string): ParsedKey => {
    const parsed = parse(text, passphrase);
    if (parsed instanceof Error) throw parsed;
    if (!parsed.isPrivateKey()) throw new Error(`${path} holds no private key`);
    return parsed;
  };
  const open = parse(text);
  if (!(open instanceof Error)) {
    if (!open.isPrivateKey()) return `${path} holds a public key: name the private one`;
    return { path, publicKey: open.getPublicSSH(), encrypted: false, unlock };
  }
  if (!/encrypted|passphrase/i.test(open.message)) return `${path} is no key that can be used here: ${open.message}`;
  const publicKey = publicPartOf(text.toString("latin1")) ?? publicPartBeside(path);
  if (publicKey === undefined) return `${path} is encrypted in an old format, and ${path}.pub is not there to say which key it is`;
  return { path, publicKey, encrypted: true, unlock };
}

/** ssh2 returns a list for a file that could hold several keys; OpenSSH writes one. */
function parse(text: Buffer, passphrase?: string): ParsedKey | Error {
  const parsed: unknown = ssh2.utils.parseKey(text, passphrase);
  return (Array.isArray(parsed) ? parsed[0] : parsed) as ParsedKey | Error;
}

/** The public key stands in the clear in an encrypted file of OpenSSH's format (openssh-portable PROTOCOL.key, section 1). */
function publicPartOf(text: string): Buffer | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END OPENSSH PRIVATE KEY-----/.exec(text)?.[1];
  if (body === undefined) return undefined;
  const blob = Buffer.from(body, "base64");
  let at = "openssh-key-v1\0".length;
  const string = (): Buffer => {
    const length = blob.readUInt32BE(at);
    if (at + 4 + length > blob.length) throw new RangeError("cut short");
    const part = blob.subarray(at + 4, at + 4 + length);
    at += 4 + length;
    return part;
  };
  try {
    string(); // cipher
    string(); // key derivation
    string(); // its options
    at += 4; // how many keys: one
    return string();
  } catch {
    return undefined;
  }
}

function publicPartBeside(path: string): Buffer | undefined {
  try {
    const parsed = parse(readFileSync(`${path}.pub`));
    return parsed instanceof Error ? undefined : parsed.getPublicSSH();
  } catch {
    return undefined;
  }
}
