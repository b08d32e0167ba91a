import type { HostRunner } from "#host/runner";
import { collectorCommand, loginsText, lookText, NO_PERL } from "../collectors/collector.ts";
import { SensorUnavailable } from "../unavailable.ts";
import { type Answer, readAnswer } from "./answer.ts";

/** All that one look may say; the host's side stops at 5 MB of files. */
const MOST_BYTES = 8 << 20;
const PATIENCE_MS = 25_000;

/**
 * One look at what the host remembers, at how it is set up, or at both: read-only, over the connection that is there, by a perl of its own
 * that ends by itself. @throws SensorUnavailable when the host has no perl or says nothing
 */
export const lookAt = (runner: HostRunner, what: readonly ("past" | "set-up")[]): Promise<Answer> => look(runner, lookText(what));

/** What the host says of these logins beside their sockets, by the pids of their sshd and of their first process. */
export const askAboutLogins = (runner: HostRunner, logins: readonly { pid: number; first: number }[]): Promise<Answer> =>
  look(runner, loginsText(logins));

async function look(runner: HostRunner, script: string): Promise<Answer> {
  const process = await runner.open(collectorCommand(script));
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
  if (code === NO_PERL) throw new SensorUnavailable("it has no perl", "Look at its logs with single commands.");
  const answer = readAnswer(Buffer.concat(chunks));
  if (answer.now === 0)
    throw new SensorUnavailable(
      `the look did not begin (exit code ${code ?? "none"})`,
      "Look at the account's shell and any forced command.",
    );
  return answer;
}
