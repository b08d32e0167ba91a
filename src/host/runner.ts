import type { Readable, Writable } from "node:stream";

/** One command on the suspect host. Ending `stdin` is how a collector learns that the console is gone. */
export interface RemoteProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /**
   * Resolves when the channel is closed and both outputs were read to their end (so read both): `code` is null when a signal,
   * `close` or a lost connection ended it.
   */
  readonly exit: Promise<{ code: number | null; signal?: string }>;
  /** Closes the channel at once: both outputs end and `exit` resolves, whether or not the host answers. */
  close(): void;
}

/** The only door to a suspect host. */
export interface HostRunner {
  /**
   * Runs `argv` in a clean environment (PATH, LC_ALL=C, HISTFILE=/dev/null, and SSH_CONNECTION as sshd set it; nothing else), without
   * a profile of ours, a history or a terminal.
   * Each argument is quoted; scripts go in by `stdin`, so that they stand in no argv and in no file of the host.
   */
  open(argv: readonly string[]): Promise<RemoteProcess>;
}

/**
 * Runs `script` by /bin/sh, fed on standard input; collects what it says, `limitBytes` (4 MB) of each output and no more: `cut` says
 * that there was more. After `timeoutMs` (15 s) it is ended.
 */
export async function runScript(
  runner: HostRunner,
  script: string,
  options: { args?: readonly string[]; timeoutMs?: number; limitBytes?: number } = {},
): Promise<{ code: number | null; stdout: Buffer; stderr: Buffer; milliseconds: number; timedOut: boolean; cut: boolean }> {
  const started = performance.now();
  const limit = options.limitBytes ?? 4 << 20;
  const process = await runner.open(["/bin/sh", "-s", ...(options.args?.length ? ["--", ...options.args] : [])]);
  let cut = false;
  const collect = (stream: Readable) => {
    const chunks: Buffer[] = [];
    let size = 0;
    stream.on("data", (chunk: Buffer) => {
      const rest = limit - size;
      if (chunk.length > rest) cut = true;
      if (rest > 0) chunks.push(chunk.subarray(0, rest)); // an endless answer must not fill our memory
      size += Math.min(chunk.length, rest);
    });
    return () => Buffer.concat(chunks);
  };
  const stdout = collect(process.stdout);
  const stderr = collect(process.stderr);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    process.close();
  }, options.timeoutMs ?? 15_000);
  process.stdin.on("error", () => {}); // a host that closes early is told by its exit code
  process.stdin.end(script);
  const { code } = await process.exit;
  clearTimeout(timer);
  return { code, stdout: stdout(), stderr: stderr(), milliseconds: performance.now() - started, timedOut, cut };
}
