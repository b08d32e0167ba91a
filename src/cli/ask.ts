import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { AskPassword } from "#host/authenticate";
import type { AskHostKey } from "#host/trust";
import { printable } from "#model/host-string";

/** Asks on the terminal, on standard error: standard output carries data alone. */
async function ask(question: string, options: { hidden?: boolean } = {}): Promise<string> {
  let muted = false;
  const output = new Writable({
    write(chunk, _encoding, done) {
      if (!muted) process.stderr.write(chunk);
      done();
    },
  });
  const line = createInterface({ input: process.stdin, output, terminal: true });
  const answer = line.question(question);
  muted = options.hidden === true;
  try {
    return await answer;
  } finally {
    if (options.hidden) process.stderr.write("\n");
    line.close();
  }
}

/** Only the whole word counts. */
export const askYes = async (question: string): Promise<boolean> => (await ask(question)).trim().toLowerCase() === "yes";

/** As ssh asks: only the whole word counts, so that no key pressed by accident trusts a host. */
export const askHostKey: AskHostKey = async ({ host, address, port, keyType, fingerprintSha256, rememberIn, certAuthority }) => {
  process.stderr.write(
    `${host} (${address} port ${port}) was never seen before.\n  its ${keyType} key: ${fingerprintSha256}\n` +
      `  Compare it with one that reached you another way (the host's console, its owner).\n${
        certAuthority
          ? "  known_hosts names a certificate authority for it, but this console cannot ask for host certificates: this plain key is all there is.\n"
          : ""
      }`,
  );
  return askYes(`Trust it${rememberIn ? ` and remember it in ${rememberIn}` : ""}? (yes/no) `);
};

export const askPassphrase = async (file: string): Promise<string | undefined> =>
  (await ask(`Passphrase of ${file} (empty: skip it): `, { hidden: true })) || undefined;

/**
 * Passwords and the host's own questions, each host and purpose with a warning first: what is typed reaches the host in the clear. They are
 * kept in memory alone, until the console ends.
 */
export function askPassword(): AskPassword {
  const warned = new Set<string>();
  return async ({ user, host, prompt, echo, for: purpose }) => {
    const account = `${user}@${host}`;
    if (!warned.has(`${account} ${purpose}`)) {
      warned.add(`${account} ${purpose}`);
      const why = purpose === "sudo" ? `${account} is not root, and sudo asks for a password.` : `No key lets us in as ${account}.`;
      process.stderr.write(
        `${why}\n  Whoever is root on ${host} can read what you type now, an intruder too. Better: a temporary key (stakeout access).\n` +
          "  If you type it, the log says that a password was typed (not which): have it changed afterwards.\n",
      );
    }
    // The host chose these words: they are quoted, so that they cannot pass for ours.
    const question =
      prompt === undefined
        ? purpose === "sudo"
          ? `sudo password of ${account}`
          : `Password of ${account}`
        : `${account} asks "${printable(prompt).trim()}"`;
    return (await ask(`${question} (empty: none): `, { hidden: !echo })) || undefined;
  };
}
