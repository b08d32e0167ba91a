import type { HostRunner } from "#host/runner";
import { collectorCommand, loginsText, lookText, NO_PERL } from "../collectors/collector.ts";
import { shellCommand, shellLoginsText, shellLookText } from "../collectors/shell/shell.ts";
import { SensorUnavailable } from "../unavailable.ts";
import { type Answer, readAnswer } from "./answer.ts";

/** All that one look may say; the host's side stops at 5 MB of files. */
const MOST_BYTES = 8 << 20;
const PATIENCE_MS = 25_000;

/**
 * One look at what the host remembers, at how it is set up, or at both: read-only, over the connection that is there, by a perl of its own,
 * or a shell where there is none, that ends by itself. @throws SensorUnavailable when the host says nothing
 */
export const lookAt = (runner: HostRunner, what: readonly ("past" | "set-up")[]): Promise<Answer> =>
  look(runner, lookText(what), () => shellLookText(what));

/** What the host says of these logins beside their sockets, by the pids of their sshd and of their first process. */
export const askAboutLogins = (runner: HostRunner, logins: readonly { pid: number; first: number }[]): Promise<Answer> =>
  look(runner, loginsText(logins), () => shellLoginsText(logins));

async function look(runner: HostRunner, perl: string, shell: () => string): Promise<Answer> {
  return answerOf((await ask(runner, collectorCommand(perl), perl)) ?? (await ask(runner, shellCommand(), shell())));
}

interface Said {
  bytes: Buffer;
  code: number | null;
}

/** What the script says; undefined where the host has no perl for it. */
async function ask(runner: HostRunner, argv: string[], script: string): Promise<Said | undefined> {
  const process = await runner.open(argv);
  const timer = setTimeout(() => process.close(), PATIENCE_MS);
  const chunks: Buffer[] = [];
  let size = 0;
  process.stdin.on("error", () => {});
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  process.stderr.resume();
  process.stdout.on("data", (chunk: Buffer) => {
    if (size < MOST_BYTES) chunks.push(chunk);
    size += chunk.length;
    if (size > MOST_BYTES) process.close(); // an endless answer is not an answer
  });
  process.stdin.end(script);
  const { code } = await process.exit;
  clearTimeout(timer);
  return code === NO_PERL ? undefined : { bytes: Buffer.concat(chunks), code };
}

function answerOf(said: Said | undefined): Answer {
  const answer = readAnswer(said?.bytes ?? Buffer.alloc(0));
  if (answer.now === 0)
    throw new SensorUnavailable(
      `the look did not begin (exit code ${said?.code ?? "none"})`,
      "Look at the account's shell and any forced command.",
    );
  return answer;
}
