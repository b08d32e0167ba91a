import { Duplex } from "node:stream";
import type { Client, ClientChannel } from "ssh2";
import type { Carrier } from "./carrier.ts";
import { seconds } from "./dial.ts";
import { bounded, HostError, quoted } from "./errors.ts";
import { silence } from "./processes.ts";

/** Reasons of a refused channel (RFC 4254, section 5.1). */
const PROHIBITED = 1;

/**
 * A connection from a jump host to `host`:`port`, as bytes for another SSH session (ssh's -W). The jump host sees none of what goes
 * through. @throws HostError `socket` when the jump host refuses or cannot reach it, `timeout` when it does not answer
 */
export function openTunnel(client: Client, host: string, port: number, timeoutMs: number): Promise<Carrier> {
  const where = `${host} port ${port}`;
  return new Promise<Carrier>((resolve, reject) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      reject(
        new HostError(
          "timeout",
          `it did not reach ${where} within ${seconds(timeoutMs)}: no connection, no refusal`,
          "A firewall behind the jump host may drop its packets, or the host is down: check the address and the way from there.",
        ),
      );
    }, timeoutMs);
    try {
      client.forwardOut("127.0.0.1", 0, host, port, (error: (Error & { reason?: unknown }) | undefined, channel) => {
        clearTimeout(timer);
        if (error) reject(refused(where, error));
        else if (late) channel.close();
        else resolve({ stream: new Tunnel(channel), address: host, localAddress: "", localPort: 0 });
      });
    } catch (cause) {
      clearTimeout(timer);
      reject(new HostError("socket", `its connection was gone before ${where} was asked for`, "Connect again.", { cause }));
    }
  });
}

function refused(where: string, error: Error & { reason?: unknown }): HostError {
  const said = bounded(error.message);
  return error.reason === PROHIBITED
    ? new HostError(
        "socket",
        `it forwards nothing to ${where} (${quoted(error.message)})`,
        "Its sshd forbids it to this account (AllowTcpForwarding, PermitOpen, or a restricted key): ask its owner, or use another jump host.",
        { cause: error, said },
      )
    : new HostError(
        "socket",
        `it cannot reach ${where} (${quoted(error.message)})`,
        "The name is looked up on the jump host: check it, the port, and that sshd runs on the host.",
        { cause: error, said },
      );
}

/** A forwarded channel as a stream that can be destroyed as a socket can: ssh2's own only says that it would like to end. */
class Tunnel extends Duplex {
  readonly #channel: ClientChannel;

  constructor(channel: ClientChannel) {
    super({ allowHalfOpen: false }); // its end is ours, as with a socket
    this.#channel = channel;
    channel.on("data", (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.on("end", () => this.push(null));
    channel.on("error", (error: Error) => this.destroy(error));
    channel.on("close", () => {
      silence(channel);
      this.destroy();
    });
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    try {
      this.#channel.write(chunk, encoding, done);
    } catch (error) {
      done(error as Error); // the jump host's connection is gone, and the channel does not know it yet
    }
  }

  override _final(done: () => void): void {
    try {
      this.#channel.end();
    } catch {
      // as above
    }
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    try {
      this.#channel.close();
    } catch {
      // the jump host's connection is gone, and the channel with it
    }
    silence(this.#channel);
    done(error);
  }
}
