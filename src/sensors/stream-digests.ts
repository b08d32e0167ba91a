import { createHash } from "node:crypto";
import type { HostRunner } from "#host/runner";
import type { Digests } from "#model/file";
import { decodeHostBytes, encodeHostString, type HostString, printable } from "#model/host-string";
import type { WeakDigest } from "#model/known-files";

/** A file whose bytes are read; `pid`: a process that runs it, 0 for none, through which it is read after it was deleted, too. */
export interface StreamedFile {
  path: HostString;
  pid: number;
}
export interface StreamBounds {
  /** Of one file: what goes on beyond that is not hashed. */
  bytes: number;
  /** Over the line, on the average. */
  bytesPerSecond: number;
  /** Milliseconds without a byte after which it is given up. */
  patienceMs: number;
}
const STREAM_BOUNDS: StreamBounds = { bytes: 64 << 20, bytesPerSecond: 1 << 20, patienceMs: 15_000 };
/** Of what the host's shell says when it cannot. */
const MOST_SAID = 1024;

/** The digests of all that was read, or why there are none, in words; host text may be in them. */
export type Streamed = { digests: Digests; bytes: number } | { why: string };

/**
 * Hashes a file of the host here, over a channel of its own, for a host that can compute no sha256. The host needs a shell and cat; where it
 * has GNU's dd, the time of the last access is left as it is. The file may be anything by the time it is opened, and end never: only so
 * many bytes are read, at such a rate, and a silent one is given up. A change while it is read cannot be seen: compare `bytes` with its
 * size. `signal` ends it; `wait` resolves after so many milliseconds. @throws HostError when no channel could be had
 */
export async function streamDigests(
  runner: HostRunner,
  file: StreamedFile,
  weak: readonly WeakDigest[],
  options: { bounds?: StreamBounds; signal?: AbortSignal; wait?: (ms: number) => Promise<void> } = {},
): Promise<Streamed> {
  const { bounds = STREAM_BOUNDS, signal, wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms)) } = options;
  const hashes = (["sha256", ...weak] as const).map((kind) => [kind, createHash(kind)] as const);
  const process = await runner.open(["/bin/sh", "-s"]);
  let bytes = 0;
  let why: string | undefined;
  let over = false;
  let said = Buffer.alloc(0);
  const giveUp = (reason: string) => {
    why ??= reason;
    process.close();
    process.stdout.resume();
  };
  let timer: NodeJS.Timeout | undefined;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => giveUp(`nothing came of it for ${bounds.patienceMs / 1000} s`), bounds.patienceMs);
  };
  process.stdin.on("error", () => {});
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  process.stderr.on("data", (chunk: Buffer) => {
    if (said.length < MOST_SAID) said = Buffer.concat([said, chunk.subarray(0, MOST_SAID)]);
  });
  const started = performance.now();
  process.stdout.on("data", (chunk: Buffer) => {
    if (why !== undefined) return;
    bytes += chunk.length;
    if (bytes > bounds.bytes) return giveUp(`it goes on beyond ${bounds.bytes >> 20} MB: not hashed`);
    for (const [, hash] of hashes) hash.update(chunk);
    heard();
    const ahead = (bytes / bounds.bytesPerSecond) * 1000 - (performance.now() - started);
    if (ahead < 50) return;
    clearTimeout(timer);
    process.stdout.pause(); // the channel's window fills, and whoever reads the file waits
    void wait(ahead).then(() => {
      if (why === undefined && !over) heard();
      process.stdout.resume();
    });
  });
  const stop = () => giveUp("nobody waits for it any more");
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop);
  heard();
  process.stdin.end(readScript(file));
  const { code } = await process.exit;
  over = true;
  clearTimeout(timer);
  signal?.removeEventListener("abort", stop);
  if (why !== undefined) return { why };
  if (code === null) return { why: "the line was cut while it was read" };
  if (code !== 0) return { why: printable(decodeHostBytes(said).trim()).slice(0, 200) || `reading it ended with exit code ${code}` };
  const found = Object.fromEntries(hashes.map(([kind, hash]) => [kind, hash.digest("hex")])) as unknown as Digests;
  return { digests: found, bytes };
}

/** Only regular files, no link; of a process that still runs it, what it runs. The bytes of the path are the host's own. */
function readScript({ path, pid }: StreamedFile): Buffer {
  const quoted = Buffer.concat([Buffer.from("'"), encodeHostString(path.replaceAll("'", "'\\''") as HostString), Buffer.from("'")]);
  return Buffer.concat([
    Buffer.from(`p=${Math.trunc(pid)} f=`),
    quoted,
    Buffer.from(`
l=$(readlink "/proc/$p/exe" 2>/dev/null && echo .)
if [ "$p" -gt 0 ] && { [ "$l" = "$f
." ] || [ "$l" = "$f (deleted)
." ]; }; then f=/proc/$p/exe
elif [ -L "$f" ] || { [ -e "$f" ] && ! [ -f "$f" ]; }; then echo 'not a regular file' >&2; exit 1
fi
if dd "if=$f" of=/dev/null count=0 iflag=noatime,nonblock status=none 2>/dev/null; then exec dd "if=$f" iflag=noatime,nonblock bs=131072 status=none; fi
if t=$(command -v timeout); then exec "$t" 150 cat "$f"; fi
exec cat "$f"
`),
  ]);
}
