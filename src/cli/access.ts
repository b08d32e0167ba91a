import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { isOrigin, publicKeyOf, temporaryKeyLine } from "#host/temporary-key";
import { EXIT, UserError } from "./exit.ts";
import { write } from "./standard-output.ts";

export interface AccessOptions {
  from: string[];
  for: number;
  key?: string;
  zone: string;
  user: string;
}

const KEYS = ["id_ed25519", "id_ecdsa", "id_rsa"];

/**
 * Prints a line of authorized_keys for the customer on standard output, and how to add and remove it on standard error: the words can be
 * read out on the call, and the line can be piped.
 */
export function access(options: AccessOptions, now = new Date()): number {
  const anywhere = options.from.length === 1 && options.from[0] === "any";
  const wrong = options.from.find((origin) => !isOrigin(origin));
  if (!anywhere && wrong !== undefined)
    throw new UserError(
      `'${wrong}' is not an address or a network. Give the address from which the host will see you (behind a jump host it is the jump host's), such as 198.51.100.7 or 198.51.100.0/24; "any" for everywhere.`,
      EXIT.usage,
    );
  const folder = join(homedir(), ".ssh");
  const found = KEYS.map((name) => join(folder, name)).find((file) => existsSync(`${file}.pub`) || existsSync(file));
  const key = options.key ?? found;
  if (key === undefined) throw new UserError(`There is no key in ${folder}. Name one with --key, or make one with ssh-keygen.`, EXIT.usage);
  if (!zoneExists(options.zone))
    throw new UserError(
      `'${options.zone}' is no time zone. Write it as UTC or Europe/Berlin ('timedatectl' on the host shows it).`,
      EXIT.usage,
    );
  const label = `stakeout-${randomBytes(4).toString("hex")}`;
  const until = new Date(now.getTime() + options.for);
  write(temporaryKeyLine({ publicKey: publicKeyOf(key), from: anywhere ? [] : options.from, until, zone: options.zone, label }));
  const clock = (time: Date) => time.toLocaleString("en-GB", { timeZone: options.zone, dateStyle: "medium", timeStyle: "short" });
  const home = options.user === "root" ? "/root" : `~${options.user}`;
  process.stderr.write(`
For the customer:

  The line above lets us log in as ${options.user}${anywhere ? "" : ` from ${options.from.join(", ")} only`}, until ${clock(until)}
  on the host's clock. It allows commands and a terminal, and no forwarding of any kind. It holds no secret.

  1. Type 'date' on the host. It should say about ${clock(now)} (${options.zone}). If it says another time, tell us: the line must be made anew.
  2. Add the line, whole and as one line, at the end of ${home}/.ssh/authorized_keys (or of the file that AuthorizedKeysFile in
     /etc/ssh/sshd_config names). If the file is not there yet, run this first${options.user === "root" ? "" : ", as that account"}:
       install -d -m 700 ${home}/.ssh && install -m 600 /dev/null ${home}/.ssh/authorized_keys
  3. When we are done, remove it again, even if its time is over:
       sed -i '/ ${label}$/d' ${home}/.ssh/authorized_keys
     A connection that is open by then stays open until we end it.

  It needs OpenSSH 7.7 or newer (ssh -V). Dropbear does not know such lines.
`);
  return EXIT.ok;
}

function zoneExists(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
