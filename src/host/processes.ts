import type { Client, ClientChannel } from "ssh2";
import { cleanCommandLine } from "./command-line.ts";
import { seconds } from "./dial.ts";
import { bounded, HostError, quoted } from "./errors.ts";
import type { RemoteProcess } from "./runner.ts";

type Exit = { code: number | null; signal?: string };

/**
 * ssh2 grants a channel 2 MB and renews the grant while less than 2 MB wait unread, so an honest host never has more than 4 MB here:
 * one that has twice as much ignores what it was granted.
 */
const UNREAD_LIMIT = 8 << 20;

/** The commands that run over one connection. */
export class Processes {
  readonly #client: Client;
  readonly #where: string;
  readonly #timeoutMs: number;
  readonly #running = new Map<ClientChannel, () => void>();
  #lost: HostError | undefined;

  constructor(client: Client, where: string, timeoutMs: number) {
    this.#client = client;
    this.#where = where;
    this.#timeoutMs = timeoutMs;
  }

  /** Starts a command. @throws HostError: `exec` when the host refuses, `timeout` when it does not answer, or why the connection was lost */
  open(argv: readonly string[]): Promise<RemoteProcess> {
    const line = cleanCommandLine(argv);
    return new Promise<RemoteProcess>((resolve, reject) => {
      if (this.#lost) return reject(this.#lost);
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        reject(
          new HostError(
            "timeout",
            `${this.#where} did not start a command within ${seconds(this.#timeoutMs)}`,
            "The host may be overloaded or frozen: wait for it, or connect again.",
          ),
        );
      }, this.#timeoutMs);
      try {
        this.#client.exec(line, (error, channel) => {
          clearTimeout(timer);
          // A tick later it is known whether the connection itself was lost.
          if (error) setImmediate(() => reject(this.#lost ?? this.#refused(error)));
          else {
            const process = this.#adopt(channel);
            if (late) process.close();
            else resolve(process);
          }
        });
      } catch (error) {
        clearTimeout(timer);
        reject(this.#lost ?? new HostError("socket", `The connection to ${this.#where} is gone`, "Connect again.", { cause: error }));
      }
    });
  }

  /** Bytes that wait unread in the fullest channel are more than any honest host would send. */
  overflowing(): boolean {
    for (const channel of this.#running.keys()) {
      if (channel.readableLength > UNREAD_LIMIT || channel.stderr.readableLength > UNREAD_LIMIT) return true;
    }
    return false;
  }

  /** Ends every command on our side: the connection is gone, and no word of the host's will come any more. */
  abandon(error: HostError): void {
    this.#lost ??= error;
    for (const end of [...this.#running.values()]) end();
  }

  #refused(error: Error & { reason?: unknown }): HostError {
    const said = bounded(error.message);
    if (error.reason !== undefined) {
      // RFC 4254, section 5.1; sshd refuses by 1 or 2 when MaxSessions is reached
      return new HostError(
        "exec",
        `${this.#where} opens no further channel (${quoted(error.message)})`,
        "sshd allows 10 at once unless MaxSessions says otherwise: end what is not needed, or raise MaxSessions on the host.",
        { cause: error, said },
      );
    }
    return new HostError(
      "exec",
      `${this.#where} refuses to run a command (${quoted(error.message)})`,
      "The account may have a forced command, only sftp, or no shell: log in with another account.",
      { cause: error, said },
    );
  }

  #adopt(channel: ClientChannel): RemoteProcess {
    let settle: (exit: Exit) => void = () => {};
    const exit = new Promise<Exit>((resolve) => {
      settle = resolve;
    });
    let said: Exit = { code: null };
    const done = (result: Exit) => {
      silence(channel);
      this.#running.delete(channel);
      settle(result);
    };
    // Data after the end is an error to a stream: of a hostile host it must not become ours.
    channel.on("error", () => {});
    channel.stderr.on("error", () => {});
    channel.on("exit", (code: unknown, signal: unknown) => {
      said = exitOf(code, signal);
    });
    channel.once("close", () => {
      silence(channel);
      // Without an exit code the connection itself may be gone, which is told a moment later, and is then the reason.
      if (said.code === null && said.signal === undefined) setImmediate(() => setImmediate(finish));
      else finish();
    });
    const finish = () => {
      const { stderr } = channel;
      if (stderr.readableFlowing === true && !stderr.readableEnded && !stderr.destroyed)
        stderr.once("end", () => done(said)).once("close", () => done(said));
      else done(said);
    };
    const close = () => {
      try {
        channel.close();
      } catch {
        // the connection is gone: there is no one to tell
      }
      // Whether the host answers or not, for us it is over.
      for (const stream of [channel, channel.stderr]) if (!stream.readableEnded && !stream.destroyed) stream.push(null);
      done({ code: null });
    };
    this.#running.set(channel, close);
    return { stdin: channel, stdout: channel, stderr: channel.stderr, exit, close };
  }
}

/**
 * Nothing more is sent on a channel that is over. ssh2 would try to, on a write as on a read that grants more, and throw wherever that
 * was called from when the connection itself is gone; it has no public way to be told.
 */
export function silence(channel: ClientChannel): void {
  (channel as unknown as { outgoing: { state: string } }).outgoing.state = "closed";
}

function exitOf(code: unknown, signal: unknown): Exit {
  if (typeof code === "number") return { code };
  return typeof signal === "string" && /^SIG[A-Z0-9]{1,12}$/.test(signal) ? { code: null, signal } : { code: null };
}
