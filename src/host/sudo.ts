import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { CLEAN_PATH } from "./command-line.ts";
import { bounded, HostError, quoted } from "./errors.ts";
import type { HostRunner, RemoteProcess } from "./runner.ts";

/** sudo by its path: a PATH of the account's cannot put another in its place. */
const SUDO = "/usr/bin/sudo";
const PREAMBLE_LIMIT = 16 << 10; // lecture, prompt, warnings

/** Why sudo did not run a command. */
export type SudoRefusal = "no sudo" | "password needed" | "password wrong" | "refused" | "silent";

export class SudoError extends HostError {
  readonly why: SudoRefusal;

  constructor(why: SudoRefusal, message: string, hint: string, said: string) {
    super("exec", message, hint, { said: bounded(said) });
    this.why = why;
  }
}

/**
 * The command that runs `argv` as root in a clean environment. `mark` and `!` on standard error say that sudo is done and what follows
 * is the command's own; `mark` and `?` is the question for a password, which goes in by standard input: sudo(8) reads that line and no
 * byte more. Cached credentials are not used (`-k`), so the question comes whenever one is needed, and no password is ever sent to a
 * command that did not ask for it. SSH_CONNECTION is read before sudo takes it away.
 */
function sudoCommand(mark: string, argv: readonly string[], asks: boolean): string[] {
  const how = asks ? `-S -p "$0?"` : "-n";
  const clean = `/usr/bin/env -i PATH=${CLEAN_PATH} LC_ALL=C HISTFILE=/dev/null "SSH_CONNECTION=$SSH_CONNECTION"`;
  const inner = `/bin/sh -c 'echo "$0!" >&2; exec "$@"' "$0" "$@"`;
  return ["/bin/sh", "-c", `[ -x ${SUDO} ] || exit ${NO_SUDO}; exec ${SUDO} -k ${how} -- ${clean} ${inner}`, mark, ...argv];
}
const NO_SUDO = 96;

/**
 * Starts `argv` as root through sudo, without a password or with the one given; sudo has `timeoutMs` to begin. @throws SudoError with why it did not, HostError as
 * `runner.open` does
 */
export async function openBySudo(
  runner: HostRunner,
  argv: readonly string[],
  { password, timeoutMs }: { password?: string; timeoutMs: number },
): Promise<RemoteProcess> {
  const mark = randomBytes(16).toString("hex");
  const process = await runner.open(sudoCommand(mark, argv, password !== undefined));
  process.stdin.on("error", () => {}); // a closed channel is told by its exit
  let asked = 0;
  const { began, said } = await preamble(process.stderr, mark, timeoutMs, () => {
    if (++asked > 1 || password === undefined) return false;
    process.stdin.write(`${password}\n`);
    return true;
  });
  if (began) return process;
  process.stdout.resume();
  process.stderr.resume();
  const silence = setTimeout(() => process.close(), 1000);
  if (asked > 1) process.close();
  const { code } = await process.exit;
  clearTimeout(silence);
  throw refusal(said, code, asked);
}

/** Reads standard error up to the mark, answering the question on the way; what follows the mark stays in the stream. */
async function preamble(
  stderr: Readable,
  mark: string,
  timeoutMs: number,
  answer: () => boolean,
): Promise<{ began: boolean; said: string }> {
  let text = "";
  let said = "";
  const began = await new Promise<boolean>((resolve) => {
    const finish = (result: boolean) => {
      clearTimeout(timer);
      stderr.off("readable", read).off("end", ended).off("close", ended);
      resolve(result);
    };
    const ended = () => finish(false);
    const read = () => {
      for (let chunk: Buffer | null = stderr.read(); chunk !== null; chunk = stderr.read()) {
        text += chunk.toString("latin1");
        const question = text.indexOf(`${mark}?`);
        if (question >= 0) {
          said += text.slice(0, question);
          text = text.slice(question + mark.length + 1);
          if (!answer()) return finish(false);
        }
        const start = text.indexOf(`${mark}!\n`);
        if (start >= 0) {
          const rest = text.slice(start + mark.length + 2);
          said += text.slice(0, start);
          if (rest !== "") stderr.unshift(Buffer.from(rest, "latin1"));
          return finish(true);
        }
        if (text.length > PREAMBLE_LIMIT) return finish(false);
      }
    };
    const timer = setTimeout(ended, timeoutMs);
    stderr.on("readable", read).once("end", ended).once("close", ended);
    read();
  });
  if (began) await new Promise((resolve) => setImmediate(resolve)); // the stream takes a tick to leave its reading mode
  return { began, said: began ? said : (said + text).trim() };
}

function refusal(said: string, code: number | null, asked: number): SudoError {
  const last = said.trim().split("\n").at(-1) ?? "";
  const heard = last === "" ? "it said nothing" : `it said ${quoted(last)}`;
  if (code === NO_SUDO) return new SudoError("no sudo", `the host has no ${SUDO}`, "Connect as root.", said);
  if (asked > 1 || /incorrect password|no password was provided/i.test(said))
    return new SudoError("password wrong", "sudo does not accept the password", "Type it again, or connect as root.", said);
  if (/a password is required/i.test(said))
    return new SudoError("password needed", "sudo asks for a password", "Connect from a terminal to type it, or connect as root.", said);
  if (code === null)
    return new SudoError(
      "silent",
      `sudo did not begin and did not end: ${heard}`,
      "It may ask in words of its own, or wait for a name server: connect as root.",
      said,
    );
  return new SudoError(
    "refused",
    `sudo refuses: ${heard}`,
    "Ask for a rule that lets the account run any command as root (sudoers(5)), or connect as root.",
    said,
  );
}
