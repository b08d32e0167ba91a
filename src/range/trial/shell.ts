import type { ChildProcess } from "node:child_process";
import { exited, startBound, until } from "../machine.ts";
import type { Range } from "../range.ts";

export interface Coming {
  /** Network namespace on whose address the connection comes. */
  netns: string;
  key: string;
  user?: string;
  /** More options for ssh(1). */
  options?: string[];
  /** Environment of the client, such as SSH_AUTH_SOCK. */
  environment?: string[];
}

/** Arguments of an ssh client in the range. */
export function sshArguments(range: Range, { netns, key, user = "root", options = [], environment = [] }: Coming): string[] {
  const always = [
    "IdentitiesOnly=yes",
    "BatchMode=yes",
    "LogLevel=ERROR",
    "GlobalKnownHostsFile=/dev/null",
    `UserKnownHostsFile=${range.knownHosts}`,
  ];
  const ssh = ["ssh", "-F", "none", "-i", key, ...always.flatMap((option) => ["-o", option]), ...options, `${user}@${range.host.address}`];
  return range.inNetns(netns, ["env", "TERM=xterm", ...environment, ...ssh]);
}

/** A login whose shell reads commands that a test writes; all that it says is kept, to some megabytes. */
export class TrialShell {
  readonly over: Promise<number | null>;
  readonly #ssh: ChildProcess;
  #said = "";
  #marks = 0;

  /** `command`: what the login runs, by a terminal of its own; a plain bash when left out. */
  constructor(range: Range, coming: Coming, command = "exec bash --norc --noprofile") {
    const [program, ...rest] = sshArguments(range, { ...coming, options: ["-tt", ...(coming.options ?? [])] });
    this.#ssh = startBound([program as string, ...rest, command], "pipe");
    this.#ssh.stdout?.on("data", (data: Buffer) => {
      this.#said = (this.#said + data.toString("latin1")).slice(-8_000_000);
    });
    this.#ssh.stderr?.resume();
    this.over = exited(this.#ssh);
  }

  get said(): string {
    return this.#said;
  }

  type(text: string): void {
    this.#ssh.stdin?.write(text);
  }

  /** Runs a line and waits until the shell has come to its end; gives what it printed. */
  async run(line: string): Promise<string> {
    const mark = `done-${++this.#marks}`;
    const from = this.#said.length;
    // the mark is put together by the shell, so that the terminal's echo of the line is not taken for it
    this.type(`${line}; echo done""-${this.#marks}\n`);
    await until(`the shell to have run: ${line}`, () => this.#said.indexOf(mark, from) >= 0, { timeoutMs: 20_000 });
    return this.#said.slice(from);
  }

  close(): void {
    this.#ssh.kill("SIGKILL");
  }
}
