import { randomBytes } from "node:crypto";
import type { Readable } from "node:stream";
import { type HostRunner, runScript } from "#host/runner";
import type { CommandEnd } from "#model/event";

/** Bytes that are kept of what a command writes, both outputs together; then it is ended. */
const MOST_OUTPUT = 8 << 20;
/** How long a command may take, milliseconds. */
const LONGEST_RUN_MS = 120_000;
/** How long it has to end itself once it was asked to. */
const GRACE_MS = 2000;
/** How long the line with the shell's pid may take once it is needed. */
const GREETED_MS = 10_000;
/** The line by which the shell says its pid; longer is something else. */
const LONGEST_GREETING = 200;

export interface Ran {
  /** Missing where a signal ended it. */
  exit_code?: number;
  ended?: CommandEnd;
  /** Both outputs, in the order in which they came. */
  output: Buffer;
}

/**
 * Runs `line` by /bin/sh on the host, in the runner's clean environment: no profile of ours, no history, no terminal, nothing to read. The
 * line goes in by standard input, so that it stands in no argv. It is ended when its time is over, when it has written {@link MOST_OUTPUT},
 * or by `signal`: with its process group, which is the shell's own since sshd began a session for it (OpenSSH session.c, do_exec_no_pty).
 * @throws HostError when it could not be begun
 */
export async function runRecorded(
  runner: HostRunner,
  line: string,
  options: { timeoutMs?: number; limitBytes?: number; signal?: AbortSignal } = {},
): Promise<Ran> {
  const { timeoutMs = LONGEST_RUN_MS, limitBytes = MOST_OUTPUT, signal } = options;
  const process = await runner.open(["/bin/sh", "-s"]);
  const greeting = randomBytes(8).toString("hex");
  const chunks: Buffer[] = [];
  let size = 0;
  let ended: CommandEnd | undefined;
  let asked: Promise<void> | undefined;

  const end = (why: CommandEnd) => {
    ended ??= why;
    asked ??= soon(greeted)
      .then((pid) => endGroup(runner, pid))
      .finally(() => process.close());
  };
  const keep = (chunk: Buffer) => {
    const rest = limitBytes - size;
    if (rest > 0) chunks.push(chunk.subarray(0, rest));
    size += Math.min(chunk.length, rest);
    if (chunk.length > rest) end("size");
  };
  process.stdout.on("data", keep);
  const greeted = afterGreeting(process.stderr, greeting, keep);
  process.stdin.on("error", () => {}); // a host that closes early is told by its exit code
  process.stdin.end(`echo ${greeting} $$ >&2\n${line}\n`);
  const timer = setTimeout(() => end("time"), timeoutMs);
  const stop = () => end("analyst");
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  const { code, signal: killed } = await process.exit;
  clearTimeout(timer);
  signal?.removeEventListener("abort", stop);
  await asked;
  if (ended === undefined && code === null && killed === undefined) ended = "lost";
  return { ...(code === null ? {} : { exit_code: code }), ...(ended === undefined ? {} : { ended }), output: Buffer.concat(chunks) };
}

/** Undefined where it is not there soon: a command can be ended before its line has told us who it is. */
const soon = (pid: Promise<string | undefined>): Promise<string | undefined> =>
  Promise.race([pid, new Promise<undefined>((late) => setTimeout(() => late(undefined), GREETED_MS).unref())]);

/** Takes the line with the shell's pid from the beginning of a stream, and gives it; all that follows, and what is no such line, goes on. */
function afterGreeting(stream: Readable, greeting: string, rest: (chunk: Buffer) => void): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  let held: Buffer | undefined = Buffer.alloc(0);
  const settle = () => {
    if (held && held.length > 0) rest(held);
    held = undefined;
    resolve(undefined);
  };
  stream.on("data", (chunk: Buffer) => {
    if (!held) return rest(chunk);
    held = Buffer.concat([held, chunk]);
    const newline = held.indexOf(10);
    if (newline < 0 && held.length < LONGEST_GREETING) return;
    const pid = new RegExp(`^${greeting} ([1-9]\\d{0,9})$`).exec(held.subarray(0, Math.max(0, newline)).toString("latin1"))?.[1];
    if (pid !== undefined) {
      resolve(pid);
      held = held.subarray(newline + 1);
    }
    settle();
  });
  stream.on("end", settle);
  stream.on("close", settle);
  return promise;
}

/** Ends a command with all that it started: SIGTERM, and SIGKILL for what stays. The pid is the host's word, so never 1. */
async function endGroup(runner: HostRunner, pid: string | undefined): Promise<void> {
  if (pid === undefined || pid === "1") return;
  // no `--` before the group: dash's own kill does not know it
  const script = `kill -TERM -${pid} || kill -TERM ${pid}\nsleep 1\nkill -KILL -${pid} || kill -KILL ${pid}\n`;
  await runScript(runner, script, { timeoutMs: GRACE_MS + 3000, limitBytes: 1024 }).catch(() => {}); // the channel is closed all the same
}
