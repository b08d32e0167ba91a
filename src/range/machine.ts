import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** What a command on our own machine gave back; `code` is null when a signal ended it. */
export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A plain environment: the range must not depend on the analyst's locale, proxies apart. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { http_proxy, https_proxy, no_proxy, HOME } = process.env;
  const kept = Object.entries({ http_proxy, https_proxy, no_proxy, HOME }).filter(([, value]) => value !== undefined);
  return { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C", ...Object.fromEntries(kept) };
}

/**
 * Starts `argv` so that it dies with this process, even by kill -9: setpriv(1) sets the parent-death signal, which stays across exec.
 * A session of its own keeps the terminal's Ctrl-C away from it. The signal is lost across a fork: a program that forks needs
 * `unshare --kill-child` or the like of its own.
 */
export function startBound(
  argv: readonly string[],
  stdio: "pipe" | ["pipe" | "ignore", "pipe" | "ignore" | number, "pipe" | "ignore" | number],
): ChildProcess {
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...argv], { stdio, env: plainEnvironment(), detached: true });
  child.on("error", () => {}); // told by `exited`
  child.stdin?.on("error", () => {}); // the reader has gone first; its exit says so
  return child;
}

/** Resolves when `child` has ended and its pipes are closed; never rejects. */
export function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    child.once("close", (code) => resolve(code));
    child.once("error", () => resolve(null));
  });
}

/** Runs `argv` to its end and collects what it says. A program that is not there gives code 127. */
export async function runLocal(argv: readonly string[], input = ""): Promise<Ran> {
  const child = startBound(argv, "pipe");
  const chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] };
  child.stdout?.on("data", (chunk: Buffer) => chunks.stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.stderr.push(chunk));
  child.stdin?.end(input);
  const code = await exited(child);
  return { code, stdout: Buffer.concat(chunks.stdout).toString(), stderr: Buffer.concat(chunks.stderr).toString() };
}

/** As {@link runLocal}, but a failure is an error that says which command failed and what it said. */
export async function must(argv: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await runLocal(argv, input);
  if (code !== 0)
    throw new Error(`'${argv.join(" ")}' failed on this machine (exit ${code}): ${(stderr || stdout).trim() || "it said nothing"}`);
  return stdout;
}

/** Start time of a process in clock ticks since boot (proc(5), field 22 of stat), or undefined when there is no such process. */
export function startTicks(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // a name may hold spaces and brackets
    return fields[0] === "Z" ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}

/** Polls until `condition` gives something; an error that says what was waited for after `timeoutMs`. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = 240_000, everyMs = 10 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const got = await condition();
    if (got !== undefined && got !== false) return got;
    if (performance.now() > end) throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
