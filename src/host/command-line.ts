import { HostError } from "./errors.ts";

/**
 * `text` as one word that sh, bash, dash, zsh, csh, tcsh and fish all read alike. Inside single quotes fish gives meaning to a
 * backslash and csh to `!`, so these and the quote itself stand outside the quotes, each behind a backslash.
 * A newline cannot be helped: csh ends the line there whatever the quotes; the others read it.
 */
export function quoteWord(text: string): string {
  if (text.includes("\0")) {
    throw new HostError(
      "exec",
      "A command for the host holds a NUL byte, which no argument can",
      "This is a fault of the console: please report it.",
    );
  }
  if (/^[A-Za-z0-9_/.,:@%+-]+$/.test(text)) return text;
  if (text === "") return "''";
  return text.replace(/[^'\\!]+|['\\!]/g, (part) => (/^['\\!]$/.test(part) ? `\\${part}` : `'${part}'`));
}

/** Where commands are looked for on the host. */
export const CLEAN_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/**
 * The line that sshd is asked to run for `argv`: it replaces the account's shell by `env -i`, so that the command sees our PATH,
 * LC_ALL=C, no history file, and SSH_CONNECTION (sshd's own word for how we came in, needed to keep our way in when the host
 * is isolated) and nothing else.
 *
 * What cannot be helped: sshd hands every command to the account's shell (`shell -c line`, sshd(8)), so what that shell reads
 * before it runs a command is read here too: zsh its zshenv, csh its cshrc, fish its config, and a bash built with SSH_SOURCE_BASHRC
 * (Debian's and Red Hat's are) ~/.bashrc. A file of the intruder's may so run in our login and even put something of his own
 * in the place of `exec`: whoever owns the account owns the answers.
 */
export function cleanCommandLine(argv: readonly string[]): string {
  const program = argv[0] ?? "";
  if (!/^[^-=][^=]*$/.test(program)) {
    // env would take `A=b` for a variable and `-x` for an option of its own
    throw new HostError(
      "exec",
      `A command for the host cannot start with '${program}'`,
      "This is a fault of the console: please report it.",
    );
  }
  const words = argv.map(quoteWord).join(" ");
  // The assignment is in double quotes, which all these shells expand in; the value is sshd's own (addresses and ports).
  return `exec /usr/bin/env -i PATH=${CLEAN_PATH} LC_ALL=C HISTFILE=/dev/null SSH_CONNECTION="$SSH_CONNECTION" ${words}`;
}
