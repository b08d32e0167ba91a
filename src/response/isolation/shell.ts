import { randomBytes } from "node:crypto";
import type { HostRunner, RemoteProcess } from "#host/runner";

/** An answer of more than this is cut: a hostile host must not fill our memory. */
const LIMIT = 1 << 20;
/** Of a longer answer its last lines are kept too, so that what a step said at its end is not lost behind a flood. */
const LAST_LINES = 256;

export interface ShellReply {
  code: number;
  /** Latin1, one character a byte; bounded. */
  output: string;
  /** Lines as they came, with the milliseconds since the command was sent. */
  lines: { text: string; at: number }[];
  milliseconds: number;
  /** Something in the middle was left out, because the answer was too long. */
  cut: boolean;
}

/** The shell is gone or did not answer in time; it cannot be used again. */
export class ShellLost extends Error {
  /** What had come until then. */
  readonly reply: Omit<ShellReply, "code">;

  constructor(message: string, reply: Omit<ShellReply, "code">) {
    super(message);
    this.name = "ShellLost";
    this.reply = reply;
  }
}

/**
 * A /bin/sh that is open already, so that a command costs one round trip and no new channel. Commands go in by its standard input,
 * one at a time; each runs with an empty standard input, and a random marker tells where its answer ends.
 */
export class Shell {
  readonly #process: RemoteProcess;
  #pending = "";
  #size = 0;
  #limit = LIMIT;
  #cut = false;
  #tail: { text: string; at: number }[] = [];
  #sent = 0;
  #lines: { text: string; at: number }[] = [];
  #marker = "";
  #done: ((code: number) => void) | undefined;
  #fail: ((why: string) => void) | undefined;
  #lost: string | undefined;

  static async open(runner: HostRunner): Promise<Shell> {
    const shell = new Shell(await runner.open(["/bin/sh", "-s"]));
    try {
      await shell.run("true", 10_000);
    } catch (error) {
      shell.close();
      throw error;
    }
    return shell;
  }

  private constructor(process: RemoteProcess) {
    this.#process = process;
    process.stdout.on("data", (chunk: Buffer) => this.#take(chunk.toString("latin1")));
    process.stderr.resume();
    process.stdin.on("error", () => this.#lose("the channel was closed"));
    process.exit.then(
      () => this.#lose("the shell ended"),
      () => this.#lose("the channel broke"),
    );
  }

  get alive(): boolean {
    return this.#lost === undefined;
  }

  /** Runs `script`; rejects with {@link ShellLost} when the shell ends, or does not answer within `timeoutMs`. */
  run(script: string, timeoutMs: number, limitBytes = LIMIT): Promise<ShellReply> {
    if (this.#done) return Promise.reject(new Error("The shell is busy with another command."));
    this.#marker = randomBytes(16).toString("hex");
    this.#pending = "";
    this.#size = 0;
    this.#limit = limitBytes;
    this.#cut = false;
    this.#lines = [];
    this.#tail = [];
    this.#sent = performance.now();
    return new Promise<ShellReply>((resolve, reject) => {
      const partial = () => {
        const lines = [...this.#lines, ...this.#tail];
        return { output: lines.map((l) => l.text).join("\n"), lines, milliseconds: performance.now() - this.#sent, cut: this.#cut };
      };
      const settle = () => {
        clearTimeout(timer);
        this.#done = undefined;
        this.#fail = undefined;
      };
      const timer = setTimeout(() => {
        this.#lose(`it did not answer within ${timeoutMs} ms`);
        this.close();
      }, timeoutMs);
      this.#done = (code) => {
        settle();
        resolve({ code, ...partial() });
      };
      this.#fail = (why) => {
        settle();
        reject(new ShellLost(`The shell on the host was lost: ${why}.`, partial()));
      };
      if (this.#lost !== undefined) this.#fail(this.#lost);
      // the braces make the shell read all of it before any of it runs: a connection lost half-way runs nothing
      else this.#process.stdin.write(`{\n${script}\n} </dev/null 2>&1\nprintf '\\n%s %s\\n' ${this.#marker} "$?"\n`);
    });
  }

  close(): void {
    this.#lose("it was closed");
    this.#process.close();
  }

  #lose(why: string): void {
    this.#lost ??= why;
    this.#fail?.(why);
  }

  #take(text: string): void {
    this.#pending += text;
    for (let end = this.#pending.indexOf("\n"); end >= 0; end = this.#pending.indexOf("\n")) {
      const line = this.#pending.slice(0, end);
      this.#pending = this.#pending.slice(end + 1);
      if (this.#marker !== "" && line.startsWith(`${this.#marker} `)) {
        this.#done?.(Number(line.slice(this.#marker.length + 1)));
        return;
      }
      this.#keep({ text: line, at: performance.now() - this.#sent });
    }
    // a line without an end: only what could still be the start of the marker's line is of use
    if (this.#pending.length > LIMIT) this.#pending = this.#pending.slice(-64);
  }

  #keep(line: { text: string; at: number }): void {
    this.#size += line.text.length + 1;
    if (this.#size <= this.#limit) {
      this.#lines.push(line);
      return;
    }
    this.#tail.push({ ...line, text: line.text.slice(0, 4096) });
    if (this.#tail.length <= LAST_LINES) return;
    this.#tail.shift();
    this.#cut = true;
  }
}
