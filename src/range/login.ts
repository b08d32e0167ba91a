import type { ChildProcess } from "node:child_process";
import { exited, startBound } from "./machine.ts";
import type { Random } from "./random.ts";
import type { Range } from "./range.ts";

/** The login is over: its connection was cut, the host is gone, or the story ended. */
export class LoginOver extends Error {
  override name = "LoginOver";
}

/** How many characters of what the screen showed are kept. */
const KEPT = 64_000;

/**
 * A person at a keyboard: one `ssh -tt` as root from a network namespace of the range. Commands are typed in small bits and the next
 * one waits for the prompt. A connection that is cut (by an isolated host) ends it within 15 s.
 */
export class Login {
  readonly over: Promise<void>;
  readonly #ssh: ChildProcess;
  readonly #random: Random;
  readonly #signal: AbortSignal;
  #screen = "";
  #isOver = false;
  #wake: () => void = () => {};

  constructor(range: Range, from: { netns: string; key: string }, random: Random, signal: AbortSignal) {
    const options = [
      `UserKnownHostsFile=${range.knownHosts}`,
      "GlobalKnownHostsFile=/dev/null",
      "IdentitiesOnly=yes",
      "BatchMode=yes",
      "LogLevel=ERROR",
      "ServerAliveInterval=5",
      "ServerAliveCountMax=2",
      "ConnectTimeout=15",
    ].flatMap((option) => ["-o", option]);
    const ssh = ["env", "TERM=xterm", "ssh", "-tt", "-F", "none", "-i", from.key, ...options, `root@${range.host.address}`];
    this.#ssh = startBound(range.inNetns(from.netns, ssh), "pipe");
    this.#random = random;
    this.#signal = signal;
    this.#ssh.stdout?.on("data", (data: Buffer) => {
      this.#screen = (this.#screen + data.toString("latin1")).slice(-KEPT);
      this.#wake();
    });
    this.#ssh.stderr?.resume();
    const end = () => {
      this.#isOver = true;
      this.#wake();
    };
    this.over = exited(this.#ssh).then(end);
    signal.addEventListener("abort", () => this.close(), { once: true });
    if (signal.aborted) this.close();
  }

  /** Waits for the first prompt. */
  async ready(): Promise<void> {
    await this.#prompt();
  }

  /** Types `command`, waits for the prompt, and thinks a little. Gives what the screen showed. Throws {@link LoginOver}. */
  async run(command: string): Promise<string> {
    this.#screen = "";
    await this.#type(command);
    const shown = await this.#prompt();
    await this.pause(150, 700);
    return shown;
  }

  /** Types a command that does not end by itself, watches it for some milliseconds, and stops it by Ctrl-C. */
  async watch(command: string, milliseconds: number): Promise<void> {
    this.#screen = "";
    await this.#type(command);
    await this.pause(milliseconds, milliseconds);
    this.#ssh.stdin?.write("\x03");
    await this.#prompt();
  }

  /** A pause of a length that the seed chooses; ends early, with {@link LoginOver}, when the login does. */
  async pause(low: number, high: number): Promise<void> {
    let elapsed = false;
    const timer = setTimeout(
      () => {
        elapsed = true;
        this.#wake();
      },
      this.#random.between(low, high),
    );
    try {
      await this.#until(() => elapsed);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#ssh.kill("SIGKILL");
  }

  async #type(command: string): Promise<void> {
    // Long text is pasted, as a person would; what is short is typed.
    for (let at = 0; at < command.length; ) {
      const bit = command.length > 300 ? command.length : this.#random.between(3, 8);
      this.#ssh.stdin?.write(command.slice(at, at + bit));
      at += bit;
      await this.pause(15, 50);
    }
    this.#ssh.stdin?.write("\r");
  }

  async #prompt(): Promise<string> {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal control sequences (ECMA-48) are what this removes
    const plain = () => this.#screen.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "");
    await this.#until(() => /root@[a-z]+:[^\r\n]*# $/.test(plain()));
    return plain();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#isOver || this.#signal.aborted) throw new LoginOver("the login is over");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
