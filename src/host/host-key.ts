import { createHash } from "node:crypto";

/** The type that a key in its wire form starts with, or "" when it is none. */
export function keyTypeOf(key: Buffer): string {
  if (key.length < 4) return "";
  const length = key.readUInt32BE(0);
  return length > 64 || key.length < 4 + length ? "" : key.toString("latin1", 4, 4 + length);
}

/** As `ssh-keygen -l` shows it: SHA256: and the unpadded base64 of the digest of the wire form. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}
