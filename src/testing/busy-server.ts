import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { ServerChannel } from "ssh2";
import { hostileServer } from "../host/testing/hostile-server.ts";
import { makeKey } from "../host/testing/real-sshd.ts";
import { type Busy, BusyHost } from "./busy-host.ts";

/** How often the host is told of what happened meanwhile, milliseconds. */
const TELL_MS = 20;

/**
 * A {@link BusyHost} behind a real SSH server on loopback: the program connects to it, authenticates and starts its collector as
 * everywhere; only what the collector says is made up. It runs in this process.
 */
export class BusyServer {
  readonly host: BusyHost;
  readonly #busy: Busy;
  readonly #options: string[];
  readonly #stop: () => void;
  #channel: ServerChannel | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(busy: Busy, host: BusyHost, options: string[], stop: () => void) {
    this.#busy = busy;
    this.host = host;
    this.#options = options;
    this.#stop = stop;
  }

  /** In `root` a folder is made for the client's key and known_hosts. */
  static async start(root: string, busy: Busy): Promise<BusyServer> {
    const folder = mkdtempSync(join(root, "busy-"));
    const host = new BusyHost(busy);
    const opened: { server?: BusyServer } = {};
    const listening = await hostileServer({
      exec: (channel, command) => {
        // the first one is the collector; those that look around once have nothing to find
        if (command.includes("perl") && opened.server && !opened.server.#channel) return opened.server.#collect(channel);
        channel.exit(127);
        channel.end();
      },
    });
    const { stdout } = await promisify(execFile)("ssh-keyscan", ["-t", "ed25519", "-p", String(listening.port), "127.0.0.1"]);
    writeFileSync(join(folder, "known_hosts"), stdout);
    writeFileSync(join(folder, "ssh_config"), "");
    const key = makeKey(folder, "analyst");
    const options = [`root@127.0.0.1:${listening.port}`, "--identity", key];
    options.push("--known-hosts", join(folder, "known_hosts"), "--config", join(folder, "ssh_config"), "--analyst", "bench", "--no-card");
    opened.server = new BusyServer(busy, host, options, listening.stop);
    return opened.server;
  }

  /** What the program is started with, behind its name. */
  argv(sessions: string): string[] {
    return [...this.#options, "--sessions", sessions];
  }

  #collect(channel: ServerChannel): void {
    this.#channel = channel;
    channel.on("data", (bytes: Buffer) => {
      if (bytes.at(-2) === 113) channel.exit(0); // "q\n"
      if (bytes.at(-2) === 113) channel.end();
    });
    channel.on("close", () => this.pause());
    channel.write(Buffer.from(this.host.begin(Date.now()), "latin1"));
  }

  /** Events go on coming at the host's rate. */
  play(): void {
    this.pause();
    const [started, before] = [performance.now(), this.host.events];
    this.#timer = setInterval(() => {
      const due = ((performance.now() - started) / 1000) * this.#busy.perSecond - (this.host.events - before);
      if (due >= 1) this.#channel?.write(Buffer.from(this.host.next(Math.floor(due)), "latin1"));
    }, TELL_MS);
  }

  pause(): void {
    clearInterval(this.#timer);
  }

  stop(): void {
    this.pause();
    this.#stop();
  }
}
