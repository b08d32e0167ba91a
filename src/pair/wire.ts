import { createHash } from "node:crypto";

/** Reads the fields of a key in its wire form (RFC 4251, section 5), one after the other. @throws RangeError where it is cut short */
export function wireReader(bytes: Buffer): { string(): Buffer; readonly left: number } {
  let at = 0;
  return {
    string() {
      const length = bytes.readUInt32BE(at);
      if (at + 4 + length > bytes.length) throw new RangeError("cut short");
      at += 4 + length;
      return bytes.subarray(at - length, at);
    },
    get left() {
      return bytes.length - at;
    },
  };
}

/** A `string` of RFC 4251: its length, then its bytes. */
export function wireString(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** As `ssh-keygen -l` shows it: SHA256: and the unpadded base64 of the digest of the wire form. */
export const fingerprintOf = (key: Buffer): string => `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
