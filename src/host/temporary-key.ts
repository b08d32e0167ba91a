import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import ssh2, { type ParsedKey } from "ssh2";
import { HostError } from "./errors.ts";

export interface TemporaryKey {
  /** `type base64`, without a comment. */
  publicKey: string;
  /** Addresses or networks (CIDR) from which it may be used, as the host sees them; none: from anywhere. */
  from: readonly string[];
  /** When it ends, and the time zone of the host's clock (IANA), in which sshd reads it. */
  until: Date;
  zone: string;
  /** Ends the line, so that it can be found and removed. */
  label: string;
}

/**
 * A line of authorized_keys that lets the key in for a time and nothing more than commands and a terminal (sshd(8), "AUTHORIZED_KEYS FILE
 * FORMAT"): `restrict` since OpenSSH 7.2, `expiry-time` since 7.7. The time stands without a zone, since OpenSSH before 9.1 takes none.
 */
export function temporaryKeyLine({ publicKey, from, until, zone, label }: TemporaryKey): string {
  const options = ["restrict", "pty", ...(from.length > 0 ? [`from="${from.join(",")}"`] : []), `expiry-time="${sshdTime(until, zone)}"`];
  return `${options.join(",")} ${publicKey} ${label}`;
}

/** `YYYYMMDDHHMM` on a clock of that zone; the started minute is not granted. */
function sshdTime(at: Date, zone: string): string {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  });
  const part = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  return ["year", "month", "day", "hour", "minute"].map((name) => part.get(name as Intl.DateTimeFormatPartTypes)).join("");
}

/** Whether sshd takes it as an address or a network in `from=` (ssh_config(5), PATTERNS; CIDR with no bits set behind the prefix is not demanded). */
export function isOrigin(text: string): boolean {
  const [address = "", bits, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || address.includes("%") || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** The public half of the key in `file`, a private or a public one. @throws HostError `config` */
export function publicKeyOf(file: string): string {
  for (const path of [file.endsWith(".pub") ? file : `${file}.pub`, file]) {
    let text: Buffer;
    try {
      text = readFileSync(path);
    } catch {
      continue;
    }
    const parsed: unknown = ssh2.utils.parseKey(text);
    const key = (Array.isArray(parsed) ? parsed[0] : parsed) as ParsedKey | Error;
    if (!(key instanceof Error)) return `${key.type} ${key.getPublicSSH().toString("base64")}`;
  }
  throw new HostError(
    "config",
    `No public key could be read from ${file} or ${file}.pub`,
    "Name a key with --key, or make one with ssh-keygen.",
  );
}
