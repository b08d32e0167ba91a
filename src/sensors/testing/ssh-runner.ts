import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { type HostRunner, runScript } from "#host/runner";
import type { Range } from "#range/range";
import { PATIENCE } from "#testing/patience";

export interface SshRunner extends HostRunner {
  /** The ssh clients that were started, so that a test can freeze or kill one. */
  readonly clients: ChildProcessByStdio<Writable, Readable, Readable>[];
}

const quote = (argument: string) => `'${argument.replaceAll("'", "'\\''")}'`;

/**
 * A runner over OpenSSH's own client in the range's analyst network: the sensors are tested without our own client between. `far`: what
 * comes is compressed, as our client has it of a host that is not in the same network.
 */
export function sshRunner(range: Range, user = "root", to = { name: "devbox", sshConfig: range.sshConfig }, far = true): SshRunner {
  const compression = `Compression=${far ? "yes" : "no"}`;
  const clients: SshRunner["clients"] = [];
  return {
    clients,
    open: async (argv) => {
      const remote = `exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C ${argv.map(quote).join(" ")}`;
      const [program, ...args] = range.inNetns(range.netns.analyst, [
        "ssh",
        "-o",
        compression,
        "-F",
        to.sshConfig,
        `${user}@${to.name}`,
        remote,
      ]);
      const child = spawn(program as string, args, { stdio: "pipe" });
      clients.push(child);
      return {
        stdin: child.stdin,
        stdout: child.stdout,
        stderr: child.stderr,
        exit: new Promise((resolve) => child.on("close", (code) => resolve({ code }))),
        close: () => child.kill("SIGKILL"),
      };
    },
  };
}

/** {@link runScript} for as long as the machine needs for a load; one that does not end is an error and not half an output. */
export async function runLoad(runner: HostRunner, script: string, args: readonly string[] = []) {
  const ran = await runScript(runner, script, { args, timeoutMs: PATIENCE });
  if (ran.timedOut) throw new Error(`it did not end within ${PATIENCE / 1000} s: ${script.slice(0, 200)}`);
  return ran;
}
